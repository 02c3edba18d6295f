SELECT facts.integration_id, facts.repository_id AS first, facts.number AS second, '' AS place,
  repositories.full_name || '#' || facts.number AS name, CAST(NULL AS TEXT) AS detail,
  facts.first_review_at IS NULL OR facts.first_review_at > facts.merged_at AS bad
FROM pull_request_facts AS facts
JOIN repositories ON repositories.client_id = facts.client_id
  AND repositories.integration_id = facts.integration_id
  AND repositories.external_id = facts.repository_id
WHERE facts.client_id = :client AND repositories.active
  AND facts.merged_at IS NOT NULL AND NOT facts.author_is_bot
