-- A cross join keeps SQLite from starting at the issues, which would lose the place in the list.
SELECT
  changes.integration_id,
  changes.issue_id,
  issues.key AS issue_key,
  changes.change_id,
  changes.item_index,
  changes.field,
  changes.from_value,
  changes.from_string,
  changes.to_value,
  changes.to_string,
  changes.author,
  changes.changed_at
FROM issue_changes AS changes CROSS JOIN issues
WHERE changes.client_id = :client
  AND (changes.integration_id, changes.issue_id, changes.change_id, changes.item_index)
    > (:after_integration, :after_first, :after_second, :after_third)
  AND issues.client_id = changes.client_id
  AND issues.integration_id = changes.integration_id
  AND issues.external_id = changes.issue_id
  AND (:with_deleted OR NOT issues.deleted)
  AND (:updated_since IS NULL OR changes.changed_at >= :updated_since)
  AND (:project IS NULL OR (issues.integration_id, issues.project_id) IN (
    SELECT integration_id, external_id FROM projects WHERE client_id = :client AND key = :project))
ORDER BY changes.integration_id, changes.issue_id, changes.change_id, changes.item_index
LIMIT :limit
