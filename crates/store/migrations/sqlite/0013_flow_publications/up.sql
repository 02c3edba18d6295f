-- Grows with each publication, so that whoever holds facts in memory sees that there are newer ones.
ALTER TABLE flow_states ADD COLUMN publications BIGINT NOT NULL DEFAULT 0;
