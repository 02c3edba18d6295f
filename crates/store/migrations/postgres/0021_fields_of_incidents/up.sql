-- Pairs of a custom field and the values of it that make an issue an incident.
ALTER TABLE incident_rules ADD COLUMN fields JSONB NOT NULL DEFAULT '[]';
