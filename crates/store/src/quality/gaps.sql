SELECT coalesce((
  SELECT min(gaps.scope || ' (' || gaps.reason || ')') FROM gaps
  WHERE gaps.client_id = tasks.client_id AND gaps.run_id = tasks.run_id
    AND gaps.task_id = tasks.id), tasks.scope) AS name,
  EXISTS (
    SELECT 1 FROM gaps
    WHERE gaps.client_id = tasks.client_id AND gaps.run_id = tasks.run_id
      AND gaps.task_id = tasks.id) AS bad
FROM tasks
JOIN jobs ON jobs.client_id = tasks.client_id AND jobs.last_run_id = tasks.run_id
WHERE tasks.client_id = :client
