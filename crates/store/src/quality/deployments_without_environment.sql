SELECT facts.integration_id, facts.repository_id AS first, CAST(0 AS BIGINT) AS second,
  facts.external_id AS place,
  repositories.full_name || ' ' || facts.environment_seen AS name, facts.external_id AS detail,
  facts.environment IS NULL AS bad
FROM deployment_facts AS facts
JOIN repositories ON repositories.client_id = facts.client_id
  AND repositories.integration_id = facts.integration_id
  AND repositories.external_id = facts.repository_id
WHERE facts.client_id = :client
  AND coalesce(facts.reason, '') <> 'other_source'
