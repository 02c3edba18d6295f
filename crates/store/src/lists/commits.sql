WITH page AS (
  SELECT *
  FROM pull_request_commits AS links
  WHERE client_id = :client
    AND (integration_id, repository_id, number, sha)
      > (:after_integration, :after_first, :after_second, :after_text)
    AND (:updated_since IS NULL OR :updated_since <= (
      SELECT committed_at FROM commits
      WHERE commits.client_id = links.client_id
        AND commits.integration_id = links.integration_id
        AND commits.repository_id = links.repository_id AND commits.sha = links.sha))
    AND (:repository IS NULL OR (integration_id, repository_id) IN (
      SELECT integration_id, external_id FROM repositories
      WHERE client_id = :client AND lower(full_name) = lower(:repository)))
  ORDER BY integration_id, repository_id, number, sha
  LIMIT :limit
)
SELECT
  page.integration_id,
  page.repository_id,
  repositories.full_name AS repository,
  page.number,
  page.sha,
  commits.author,
  commits.authored_at,
  commits.committed_at,
  commits.message
FROM page
JOIN commits ON commits.client_id = page.client_id
  AND commits.integration_id = page.integration_id
  AND commits.repository_id = page.repository_id AND commits.sha = page.sha
JOIN repositories ON repositories.client_id = page.client_id
  AND repositories.integration_id = page.integration_id
  AND repositories.external_id = page.repository_id
ORDER BY page.integration_id, page.repository_id, page.number, page.sha
