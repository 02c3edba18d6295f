ALTER TABLE rule_versions DROP COLUMN projects;
DROP TABLE project_rules;
