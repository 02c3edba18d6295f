DROP TABLE snapshots;
DROP TABLE incident_facts;
DROP TABLE deployment_facts;
DROP TABLE pull_request_facts;
DROP TABLE pull_request_issues;
