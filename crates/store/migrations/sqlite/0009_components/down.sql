ALTER TABLE issues DROP COLUMN components;
