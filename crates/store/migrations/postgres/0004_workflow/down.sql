DROP TABLE workflow_revisions;
DROP TABLE issue_type_mappings;
DROP TABLE status_mappings;
DROP TABLE workflow_steps;
DROP TABLE workflows;
