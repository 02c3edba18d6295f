DROP TABLE rule_versions;
DROP TABLE incident_rules;
DROP TABLE deployment_rules;
