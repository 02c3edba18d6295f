WITH done AS (
  SELECT incident_facts.integration_id, incident_facts.issue_id, issue_facts.entered_at AS at
  FROM incident_facts
  LEFT JOIN issue_facts ON issue_facts.client_id = incident_facts.client_id
    AND issue_facts.integration_id = incident_facts.integration_id
    AND issue_facts.issue_id = incident_facts.issue_id
    AND issue_facts.category = 'DONE'
  WHERE incident_facts.client_id = :client
)
UPDATE incident_facts SET ended_at = done.at
FROM done
WHERE incident_facts.client_id = :client
  AND incident_facts.integration_id = done.integration_id
  AND incident_facts.issue_id = done.issue_id
  AND incident_facts.ended_at IS DISTINCT FROM done.at
