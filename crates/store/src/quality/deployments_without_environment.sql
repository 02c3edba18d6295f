SELECT repositories.full_name || ' ' || deployments.environment AS name,
  facts.environment IS NULL AS bad
FROM deployment_facts AS facts
JOIN deployments ON deployments.client_id = facts.client_id
  AND deployments.integration_id = facts.integration_id
  AND deployments.repository_id = facts.repository_id
  AND deployments.external_id = facts.external_id
JOIN repositories ON repositories.client_id = facts.client_id
  AND repositories.integration_id = facts.integration_id
  AND repositories.external_id = facts.repository_id
WHERE facts.client_id = :client
