WITH page AS (
  SELECT *
  FROM issues
  WHERE client_id = :client
    AND (integration_id, external_id) > (:after_integration, :after_first)
    AND (:updated_since IS NULL OR updated_at >= :updated_since)
    AND (:project IS NULL OR (integration_id, project_id) IN (
      SELECT integration_id, external_id FROM projects
      WHERE client_id = :client AND lower(key) = lower(:project)))
    AND (:state IS NULL OR (integration_id, status_id) IN (
      SELECT integration_id, external_id FROM statuses
      WHERE client_id = :client AND lower(name) = lower(:state)))
  ORDER BY integration_id, external_id
  LIMIT :limit
)
SELECT
  page.integration_id,
  page.external_id,
  page.key,
  projects.key AS project,
  issue_types.name AS issue_type,
  page.type_id,
  statuses.name AS status,
  statuses.category AS status_category,
  page.summary,
  page.priority,
  page.assignee,
  page.creator,
  coalesce(parents.key, page.parent_key) AS parent_key,
  page.labels,
  page.components,
  page.story_points,
  page.sprints,
  page.created_at,
  page.updated_at,
  page.resolved_at,
  facts.step,
  facts.committed_at,
  facts.started_at,
  CASE WHEN facts.category = 'DONE' THEN facts.entered_at END AS done_at,
  facts.lead_seconds AS lead_time_seconds,
  facts.cycle_seconds AS cycle_time_seconds,
  page.deleted
FROM page
JOIN projects ON projects.client_id = page.client_id
  AND projects.integration_id = page.integration_id AND projects.external_id = page.project_id
JOIN issue_types ON issue_types.client_id = page.client_id
  AND issue_types.integration_id = page.integration_id AND issue_types.external_id = page.type_id
JOIN statuses ON statuses.client_id = page.client_id
  AND statuses.integration_id = page.integration_id AND statuses.external_id = page.status_id
LEFT JOIN issues AS parents ON parents.client_id = page.client_id
  AND parents.integration_id = page.integration_id AND parents.external_id = page.parent_id
LEFT JOIN issue_facts AS facts ON facts.client_id = page.client_id
  AND facts.integration_id = page.integration_id AND facts.issue_id = page.external_id
ORDER BY page.integration_id, page.external_id
