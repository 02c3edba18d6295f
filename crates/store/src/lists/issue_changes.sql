WITH page AS (
  SELECT *
  FROM issue_changes AS changes
  WHERE client_id = :client
    AND (integration_id, issue_id, change_id, item_index)
      > (:after_integration, :after_first, :after_second, :after_third)
    AND (:updated_since IS NULL OR changed_at >= :updated_since)
    AND (:with_deleted OR FALSE = (
      SELECT deleted FROM issues
      WHERE issues.client_id = changes.client_id
        AND issues.integration_id = changes.integration_id
        AND issues.external_id = changes.issue_id))
    AND (:project IS NULL OR lower(:project) = (
      SELECT lower(projects.key)
      FROM issues
      JOIN projects ON projects.client_id = issues.client_id
        AND projects.integration_id = issues.integration_id
        AND projects.external_id = issues.project_id
      WHERE issues.client_id = changes.client_id
        AND issues.integration_id = changes.integration_id
        AND issues.external_id = changes.issue_id))
  ORDER BY integration_id, issue_id, change_id, item_index
  LIMIT :limit
)
SELECT
  page.integration_id,
  page.issue_id,
  issues.key AS issue_key,
  page.change_id,
  page.item_index,
  page.field,
  page.from_value,
  page.from_string,
  page.to_value,
  page.to_string,
  page.author,
  page.changed_at
FROM page
JOIN issues ON issues.client_id = page.client_id
  AND issues.integration_id = page.integration_id AND issues.external_id = page.issue_id
ORDER BY page.integration_id, page.issue_id, page.change_id, page.item_index
