WITH page AS (
  SELECT
    deployments.*,
    deployment_facts.environment AS mapped_environment,
    deployment_facts.previous_id,
    coalesce(deployment_facts.rollback, FALSE) AS rollback,
    coalesce(deployment_facts.pull_requests, 0) AS pull_requests,
    coalesce(deployment_facts.incidents, 0) AS incidents
  FROM deployments
  LEFT JOIN deployment_facts ON deployment_facts.client_id = deployments.client_id
    AND deployment_facts.integration_id = deployments.integration_id
    AND deployment_facts.repository_id = deployments.repository_id
    AND deployment_facts.external_id = deployments.external_id
  WHERE deployments.client_id = :client
    AND (deployments.integration_id, deployments.repository_id, deployments.external_id)
      > (:after_integration, :after_first, :after_text)
    AND (:updated_since IS NULL
      OR coalesce(deployments.finished_at, deployments.created_at) >= :updated_since)
    AND (:state IS NULL OR deployments.outcome = upper(:state))
    AND (:environment IS NULL
      OR lower(coalesce(deployment_facts.environment, deployments.environment))
        = lower(:environment))
    AND (:repository IS NULL OR (deployments.integration_id, deployments.repository_id) IN (
      SELECT integration_id, external_id FROM repositories
      WHERE client_id = :client AND lower(full_name) = lower(:repository)))
  ORDER BY deployments.integration_id, deployments.repository_id, deployments.external_id
  LIMIT :limit
)
SELECT
  page.integration_id,
  page.repository_id,
  repositories.full_name AS repository,
  page.external_id,
  coalesce(page.mapped_environment, page.environment) AS environment,
  page.sha,
  page.outcome,
  page.finished_at,
  page.estimated,
  page.previous_id,
  page.rollback,
  page.pull_requests,
  page.incidents
FROM page
JOIN repositories ON repositories.client_id = page.client_id
  AND repositories.integration_id = page.integration_id
  AND repositories.external_id = page.repository_id
ORDER BY page.integration_id, page.repository_id, page.external_id
