-- Cross joins keep SQLite from starting elsewhere, which would lose the place in the list.
SELECT
  links.integration_id,
  links.repository_id,
  repositories.full_name AS repository,
  links.number,
  links.sha,
  commits.author,
  commits.authored_at,
  commits.committed_at,
  commits.message
FROM pull_request_commits AS links CROSS JOIN commits CROSS JOIN repositories
WHERE links.client_id = :client
  AND (links.integration_id, links.repository_id, links.number, links.sha)
    > (:after_integration, :after_first, :after_second, :after_text)
  AND commits.client_id = links.client_id
  AND commits.integration_id = links.integration_id
  AND commits.repository_id = links.repository_id
  AND commits.sha = links.sha
  AND repositories.client_id = links.client_id
  AND repositories.integration_id = links.integration_id
  AND repositories.external_id = links.repository_id
  AND (:updated_since IS NULL OR commits.committed_at >= :updated_since)
  AND (:repository IS NULL OR lower(repositories.full_name) = lower(:repository))
ORDER BY links.integration_id, links.repository_id, links.number, links.sha
LIMIT :limit
