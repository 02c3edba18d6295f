-- Pairs of a custom field and the one word that it holds: an id, a commit, a tag or an address. Of issues
-- that were read before they are known as soon as those change.
ALTER TABLE issues ADD COLUMN mentions TEXT NOT NULL DEFAULT '[]';

-- The field that names the deployment which caused an incident.
ALTER TABLE incident_rules ADD COLUMN deployment_field TEXT;
