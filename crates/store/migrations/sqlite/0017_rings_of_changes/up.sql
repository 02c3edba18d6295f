-- A ring may be about a task, or about a client who changed something that the numbers must follow.
CREATE TABLE rings (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  client_id   BLOB NOT NULL REFERENCES clients (id),
  topic       TEXT NOT NULL,
  task_id     BLOB,
  created_at  BIGINT NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
  taken_until BIGINT -- a publisher is at it
);
INSERT INTO rings SELECT id, client_id, topic, task_id, created_at, taken_until FROM outbox;
DROP TABLE outbox;
ALTER TABLE rings RENAME TO outbox;
