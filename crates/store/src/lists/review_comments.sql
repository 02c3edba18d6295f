-- A cross join keeps SQLite from starting at the repositories, which would lose the place in the list.
SELECT
  review_comments.integration_id,
  review_comments.repository_id,
  repositories.full_name AS repository,
  review_comments.number,
  review_comments.external_id,
  review_comments.author,
  review_comments.created_at
FROM review_comments CROSS JOIN repositories
WHERE review_comments.client_id = :client
  AND (review_comments.integration_id, review_comments.repository_id, review_comments.number, review_comments.external_id)
    > (:after_integration, :after_first, :after_second, :after_third)
  AND repositories.client_id = review_comments.client_id
  AND repositories.integration_id = review_comments.integration_id
  AND repositories.external_id = review_comments.repository_id
  AND (:updated_since IS NULL OR review_comments.created_at >= :updated_since)
  AND (:repository IS NULL OR lower(repositories.full_name) = lower(:repository))
ORDER BY review_comments.integration_id, review_comments.repository_id, review_comments.number, review_comments.external_id
LIMIT :limit
