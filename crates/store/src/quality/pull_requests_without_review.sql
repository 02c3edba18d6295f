SELECT repositories.full_name || '#' || pulls.number AS name, NOT EXISTS (
  SELECT 1 FROM reviews
  WHERE reviews.client_id = pulls.client_id AND reviews.integration_id = pulls.integration_id
    AND reviews.repository_id = pulls.repository_id AND reviews.number = pulls.number
    AND NOT reviews.author_is_bot) AS bad
FROM pull_requests AS pulls
JOIN repositories ON repositories.client_id = pulls.client_id
  AND repositories.integration_id = pulls.integration_id
  AND repositories.external_id = pulls.repository_id
WHERE pulls.client_id = :client AND repositories.active AND pulls.state = 'MERGED'
