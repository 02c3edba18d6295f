-- Each gap once, however many tasks met it, beside the tasks that met none.
SELECT tasks.integration_id, CAST(0 AS BIGINT) AS first, CAST(0 AS BIGINT) AS second,
  tasks.scope AS place, tasks.scope AS name, CAST(NULL AS TEXT) AS detail, FALSE AS bad
FROM tasks
JOIN jobs ON jobs.client_id = tasks.client_id AND jobs.last_run_id = tasks.run_id
WHERE tasks.client_id = :client AND tasks.integration_id IS NOT NULL
  AND NOT EXISTS (
    SELECT 1 FROM gaps
    WHERE gaps.client_id = tasks.client_id AND gaps.run_id = tasks.run_id
      AND gaps.task_id = tasks.id)
UNION ALL
SELECT DISTINCT tasks.integration_id, CAST(0 AS BIGINT), CAST(0 AS BIGINT),
  gaps.scope || ' ' || gaps.reason, gaps.scope || ' (' || gaps.reason || ')', gaps.reason, TRUE
FROM gaps
JOIN jobs ON jobs.client_id = gaps.client_id AND jobs.last_run_id = gaps.run_id
JOIN tasks ON tasks.client_id = gaps.client_id AND tasks.id = gaps.task_id
WHERE gaps.client_id = :client AND tasks.integration_id IS NOT NULL
