-- A cross join keeps SQLite from starting at the repositories, which would lose the place in the list.
SELECT
  reviews.integration_id,
  reviews.repository_id,
  repositories.full_name AS repository,
  reviews.number,
  reviews.external_id,
  reviews.author,
  reviews.state,
  reviews.submitted_at
FROM reviews CROSS JOIN repositories
WHERE reviews.client_id = :client
  AND (reviews.integration_id, reviews.repository_id, reviews.number, reviews.external_id)
    > (:after_integration, :after_first, :after_second, :after_third)
  AND repositories.client_id = reviews.client_id
  AND repositories.integration_id = reviews.integration_id
  AND repositories.external_id = reviews.repository_id
  AND (:updated_since IS NULL OR reviews.submitted_at >= :updated_since)
  AND (:repository IS NULL OR lower(repositories.full_name) = lower(:repository))
  AND (:state IS NULL OR reviews.state = upper(:state))
ORDER BY reviews.integration_id, reviews.repository_id, reviews.number, reviews.external_id
LIMIT :limit
