SELECT facts.integration_id, facts.issue_id AS first, CAST(0 AS BIGINT) AS second, '' AS place,
  issues.key AS name, CAST(NULL AS TEXT) AS detail, facts.deployment_id IS NULL AS bad
FROM incident_facts AS facts
JOIN issues ON issues.client_id = facts.client_id
  AND issues.integration_id = facts.integration_id AND issues.external_id = facts.issue_id
WHERE facts.client_id = :client AND NOT issues.deleted
