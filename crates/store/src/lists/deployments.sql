-- Conditions stand behind the union, or PostgreSQL does not read both halves in the order of their keys.
WITH known AS (
  SELECT client_id, integration_id, repository_id, external_id, 'deployments' AS source,
    TRUE AS is_told, environment, sha, outcome, created_at, finished_at, estimated
  FROM deployments
  UNION ALL
  SELECT client_id, integration_id, repository_id, external_id, source,
    FALSE, environment_seen, sha, outcome, created_at, finished_at, estimated
  FROM deployment_facts
),
page AS (
  SELECT *
  FROM known
  WHERE client_id = :client
    AND (is_told OR source <> 'deployments')
    AND (integration_id, repository_id, external_id)
      > (:after_integration, :after_first, :after_text)
    AND (:updated_since IS NULL OR coalesce(finished_at, created_at) >= :updated_since)
    AND (:state IS NULL OR outcome = upper(:state))
    AND (:environment IS NULL OR lower(:environment) = lower(coalesce((
      SELECT facts.environment FROM deployment_facts AS facts
      WHERE facts.client_id = known.client_id
        AND facts.integration_id = known.integration_id
        AND facts.repository_id = known.repository_id
        AND facts.external_id = known.external_id), environment)))
    AND (:repository IS NULL OR (integration_id, repository_id) IN (
      SELECT integration_id, external_id FROM repositories
      WHERE client_id = :client AND lower(full_name) = lower(:repository)))
  ORDER BY integration_id, repository_id, external_id
  LIMIT :limit
)
SELECT
  page.integration_id,
  page.repository_id,
  repositories.full_name AS repository,
  page.external_id,
  page.source,
  coalesce(facts.environment, page.environment) AS environment,
  page.sha,
  page.outcome,
  page.finished_at,
  page.estimated,
  facts.previous_id,
  coalesce(facts.rollback, FALSE) AS rollback,
  coalesce(facts.pull_requests, 0) AS pull_requests,
  coalesce(facts.incidents, 0) AS incidents
FROM page
JOIN repositories ON repositories.client_id = page.client_id
  AND repositories.integration_id = page.integration_id
  AND repositories.external_id = page.repository_id
LEFT JOIN deployment_facts AS facts ON facts.client_id = page.client_id
  AND facts.integration_id = page.integration_id
  AND facts.repository_id = page.repository_id AND facts.external_id = page.external_id
ORDER BY page.integration_id, page.repository_id, page.external_id
