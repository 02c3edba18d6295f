SELECT issues.key AS name, facts.deployment_id IS NULL AS bad
FROM incident_facts AS facts
JOIN issues ON issues.client_id = facts.client_id
  AND issues.integration_id = facts.integration_id AND issues.external_id = facts.issue_id
WHERE facts.client_id = :client AND NOT issues.deleted
