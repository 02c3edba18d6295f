ALTER TABLE rule_versions DROP COLUMN posted;
DROP TABLE posted_deployments;
