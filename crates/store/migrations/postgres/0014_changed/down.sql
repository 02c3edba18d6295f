DO $$
DECLARE
  name TEXT;
BEGIN
  FOREACH name IN ARRAY '{issues, issue_changes, pull_requests, commits, pull_request_commits, reviews,
    review_comments, comments, deployments, posted_deployments, shipments, pull_request_issues}'::TEXT[]
  LOOP
    EXECUTE format('DROP TRIGGER note_insert ON %I', name);
    EXECUTE format('DROP TRIGGER note_update ON %I', name);
    EXECUTE format('DROP TRIGGER IF EXISTS note_delete ON %I', name);
  END LOOP;
END $$;
DROP FUNCTION note_issues();
DROP FUNCTION note_issues_of_changes();
DROP FUNCTION note_repositories();
ALTER TABLE delivery_states DROP COLUMN basis;
ALTER TABLE flow_states DROP COLUMN basis;
ALTER TABLE issue_facts DROP COLUMN moves;
DROP TABLE changed_repositories;
DROP TABLE changed_issues;
