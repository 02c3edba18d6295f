SELECT facts.integration_id, facts.repository_id AS first, CAST(0 AS BIGINT) AS second,
  facts.external_id AS place,
  repositories.full_name || ' ' || facts.external_id AS name, facts.sha AS detail,
  coalesce(facts.reason = 'unknown_commit', FALSE) AS bad
FROM deployment_facts AS facts
JOIN repositories ON repositories.client_id = facts.client_id
  AND repositories.integration_id = facts.integration_id
  AND repositories.external_id = facts.repository_id
WHERE facts.client_id = :client
  AND facts.environment = 'production' AND facts.succeeded_at IS NOT NULL
