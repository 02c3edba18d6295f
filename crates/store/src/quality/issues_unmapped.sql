SELECT issues.key AS name, coalesce(facts.reason = 'unmapped_status', FALSE) AS bad
FROM issue_facts AS facts
JOIN issues ON issues.client_id = facts.client_id
  AND issues.integration_id = facts.integration_id AND issues.external_id = facts.issue_id
WHERE facts.client_id = :client AND NOT issues.deleted
