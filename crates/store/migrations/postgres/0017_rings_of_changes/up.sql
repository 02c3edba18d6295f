-- A ring may be about a task, or about a client who changed something that the numbers must follow.
ALTER TABLE outbox ALTER COLUMN task_id DROP NOT NULL;
ALTER TABLE outbox ALTER COLUMN created_at SET DEFAULT now();
