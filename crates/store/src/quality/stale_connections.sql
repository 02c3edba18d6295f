SELECT integrations.id AS integration_id, CAST(0 AS BIGINT) AS first, CAST(0 AS BIGINT) AS second,
  '' AS place, integrations.name AS name, integrations.kind AS detail,
  coalesce(jobs.last_success_at < :stale_before, TRUE) AS bad
FROM integrations
LEFT JOIN jobs ON jobs.client_id = integrations.client_id
  AND jobs.job_type = CASE integrations.kind WHEN 'jira' THEN 'jira_sync' ELSE 'git_sync' END
WHERE integrations.client_id = :client AND integrations.active
