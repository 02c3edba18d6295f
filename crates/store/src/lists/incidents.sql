WITH page AS (
  SELECT *
  FROM incident_facts AS facts
  WHERE client_id = :client
    AND (integration_id, issue_id) > (:after_integration, :after_first)
    AND (:updated_since IS NULL OR coalesce(ended_at, started_at) >= :updated_since)
    AND (:project IS NULL OR lower(:project) = (
      SELECT lower(projects.key)
      FROM issues
      JOIN projects ON projects.client_id = issues.client_id
        AND projects.integration_id = issues.integration_id
        AND projects.external_id = issues.project_id
      WHERE issues.client_id = facts.client_id AND issues.integration_id = facts.integration_id
        AND issues.external_id = facts.issue_id))
  ORDER BY integration_id, issue_id
  LIMIT :limit
)
SELECT
  page.integration_id,
  page.issue_id,
  issues.key AS issue_key,
  page.started_at,
  page.ended_at,
  page.deployment_id,
  page.rule
FROM page
JOIN issues ON issues.client_id = page.client_id
  AND issues.integration_id = page.integration_id AND issues.external_id = page.issue_id
ORDER BY page.integration_id, page.issue_id
