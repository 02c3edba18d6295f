-- Of issues that were read before they are known as soon as those change.
ALTER TABLE issues ADD COLUMN components TEXT NOT NULL DEFAULT '[]';
