-- The page comes first; what hangs on its pull requests is then counted for them alone. Each count
-- is a short walk along a primary key, which is faster in both databases than joining groups.
WITH page AS (
  SELECT *
  FROM pull_requests
  WHERE client_id = :client
    AND (integration_id, repository_id, number)
      > (:after_integration, :after_first, :after_second)
    AND (:updated_since IS NULL OR updated_at >= :updated_since)
    AND (:state IS NULL OR state = upper(:state))
    AND (:repository IS NULL OR (integration_id, repository_id) IN (
      SELECT integration_id, external_id FROM repositories
      WHERE client_id = :client AND lower(full_name) = lower(:repository)))
    AND (:project IS NULL OR EXISTS (
      SELECT 1
      FROM pull_request_issues AS named
      JOIN issues ON issues.client_id = named.client_id
        AND issues.integration_id = named.issue_integration_id AND issues.external_id = named.issue_id
      JOIN projects ON projects.client_id = issues.client_id
        AND projects.integration_id = issues.integration_id AND projects.external_id = issues.project_id
      WHERE named.client_id = pull_requests.client_id
        AND named.integration_id = pull_requests.integration_id
        AND named.repository_id = pull_requests.repository_id
        AND named.number = pull_requests.number
        AND lower(projects.key) = lower(:project)))
  ORDER BY integration_id, repository_id, number
  LIMIT :limit
)
SELECT
  page.integration_id,
  page.repository_id,
  repositories.full_name AS repository,
  page.number,
  page.external_id,
  page.title,
  page.state,
  page.draft,
  page.author,
  page.author_is_bot AS bot,
  page.created_at,
  page.updated_at,
  page.merged_at,
  page.closed_at,
  page.merge_commit_sha,
  page.head_ref,
  page.base_ref,
  page.head_sha,
  page.additions,
  page.deletions,
  page.changed_files,
  (
    SELECT count(*) FROM pull_request_commits AS of_it
    WHERE of_it.client_id = page.client_id AND of_it.integration_id = page.integration_id
      AND of_it.repository_id = page.repository_id AND of_it.number = page.number
  ) AS commits,
  (
    SELECT count(*) FROM reviews AS of_it
    WHERE of_it.client_id = page.client_id AND of_it.integration_id = page.integration_id
      AND of_it.repository_id = page.repository_id AND of_it.number = page.number
  ) AS reviews,
  (
    SELECT count(*) FROM review_comments AS of_it
    WHERE of_it.client_id = page.client_id AND of_it.integration_id = page.integration_id
      AND of_it.repository_id = page.repository_id AND of_it.number = page.number
  ) AS review_comments,
  (
    SELECT count(*) FROM comments AS of_it
    WHERE of_it.client_id = page.client_id AND of_it.integration_id = page.integration_id
      AND of_it.repository_id = page.repository_id AND of_it.number = page.number
  ) AS comments,
  (
    SELECT min(commits.authored_at)
    FROM pull_request_commits AS links
    JOIN commits ON commits.client_id = links.client_id
      AND commits.integration_id = links.integration_id
      AND commits.repository_id = links.repository_id AND commits.sha = links.sha
    WHERE links.client_id = page.client_id AND links.integration_id = page.integration_id
      AND links.repository_id = page.repository_id AND links.number = page.number
  ) AS first_commit_at,
  facts.first_review_at,
  facts.coding_seconds,
  facts.pickup_seconds,
  facts.review_seconds,
  facts.deploy_seconds,
  facts.lead_seconds AS lead_time_seconds,
  facts.deployment_id,
  coalesce((
    SELECT string_agg(issues.key, ' ' ORDER BY issues.key)
    FROM pull_request_issues AS links
    JOIN issues ON issues.client_id = links.client_id
      AND issues.integration_id = links.issue_integration_id
      AND issues.external_id = links.issue_id
    WHERE links.client_id = page.client_id AND links.integration_id = page.integration_id
      AND links.repository_id = page.repository_id AND links.number = page.number
      AND NOT issues.deleted
  ), '') AS issue_keys
FROM page
JOIN repositories ON repositories.client_id = page.client_id
  AND repositories.integration_id = page.integration_id
  AND repositories.external_id = page.repository_id
LEFT JOIN pull_request_facts AS facts ON facts.client_id = page.client_id
  AND facts.integration_id = page.integration_id
  AND facts.repository_id = page.repository_id AND facts.number = page.number
ORDER BY page.integration_id, page.repository_id, page.number
