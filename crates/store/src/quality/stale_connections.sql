SELECT integrations.name, coalesce(jobs.last_success_at < :stale_before, TRUE) AS bad
FROM integrations
LEFT JOIN jobs ON jobs.client_id = integrations.client_id
  AND jobs.job_type = CASE integrations.kind WHEN 'jira' THEN 'jira_sync' ELSE 'git_sync' END
WHERE integrations.client_id = :client AND integrations.active
