ALTER TABLE issues DROP COLUMN moments;
