ALTER TABLE rule_versions DROP COLUMN bots;
DROP TABLE bot_rules;
