ALTER TABLE incident_rules DROP COLUMN fields;
