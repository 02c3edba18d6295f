SELECT
  reviews.integration_id,
  reviews.repository_id,
  reviews.number,
  repositories.full_name,
  reviews.author,
  reviews.author_is_bot,
  coalesce(reviews.author = pulls.author, FALSE) AS own,
  count(*) AS reviews
FROM reviews
JOIN pull_requests AS pulls ON pulls.client_id = reviews.client_id
  AND pulls.integration_id = reviews.integration_id
  AND pulls.repository_id = reviews.repository_id AND pulls.number = reviews.number
JOIN repositories ON repositories.client_id = reviews.client_id
  AND repositories.integration_id = reviews.integration_id
  AND repositories.external_id = reviews.repository_id
JOIN integrations ON integrations.client_id = reviews.client_id
  AND integrations.id = reviews.integration_id
WHERE reviews.client_id = :client
  AND reviews.submitted_at >= :from AND reviews.submitted_at < :to
  AND repositories.active AND integrations.active
GROUP BY reviews.integration_id, reviews.repository_id, reviews.number, repositories.full_name,
  reviews.author, reviews.author_is_bot, coalesce(reviews.author = pulls.author, FALSE)
