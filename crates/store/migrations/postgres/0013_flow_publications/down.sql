ALTER TABLE flow_states DROP COLUMN publications;
