-- Pairs of a custom field and its date and time. Of issues that were read before they are known as soon
-- as those change.
ALTER TABLE issues ADD COLUMN moments TEXT NOT NULL DEFAULT '[]';
