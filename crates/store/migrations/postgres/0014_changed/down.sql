ALTER TABLE delivery_states DROP COLUMN basis;
ALTER TABLE flow_states DROP COLUMN basis;
ALTER TABLE issue_facts DROP COLUMN moves;
DROP TABLE changed_repositories;
DROP TABLE changed_issues;
