-- A cross join keeps SQLite from starting at the repositories, which would lose the place in the list.
SELECT
  comments.integration_id,
  comments.repository_id,
  repositories.full_name AS repository,
  comments.number,
  comments.external_id,
  comments.author,
  comments.created_at
FROM comments CROSS JOIN repositories
WHERE comments.client_id = :client
  AND (comments.integration_id, comments.repository_id, comments.number, comments.external_id)
    > (:after_integration, :after_first, :after_second, :after_third)
  AND repositories.client_id = comments.client_id
  AND repositories.integration_id = comments.integration_id
  AND repositories.external_id = comments.repository_id
  AND (:updated_since IS NULL OR comments.created_at >= :updated_since)
  AND (:repository IS NULL OR lower(repositories.full_name) = lower(:repository))
ORDER BY comments.integration_id, comments.repository_id, comments.number, comments.external_id
LIMIT :limit
