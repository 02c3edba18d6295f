-- A cross join keeps SQLite from starting at the issues, which would lose the place in the list.
SELECT
  facts.integration_id,
  facts.issue_id,
  issues.key AS issue_key,
  facts.started_at,
  facts.ended_at,
  facts.deployment_id,
  facts.rule
FROM incident_facts AS facts CROSS JOIN issues
WHERE facts.client_id = :client
  AND (facts.integration_id, facts.issue_id) > (:after_integration, :after_first)
  AND issues.client_id = facts.client_id
  AND issues.integration_id = facts.integration_id
  AND issues.external_id = facts.issue_id
  AND (:updated_since IS NULL OR coalesce(facts.ended_at, facts.started_at) >= :updated_since)
  AND (:project IS NULL OR (issues.integration_id, issues.project_id) IN (
    SELECT integration_id, external_id FROM projects WHERE client_id = :client AND key = :project))
ORDER BY facts.integration_id, facts.issue_id
LIMIT :limit
