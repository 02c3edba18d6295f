ALTER TABLE incident_rules DROP COLUMN deployment_field;
ALTER TABLE issues DROP COLUMN mentions;
