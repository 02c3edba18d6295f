CREATE TABLE rings (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  client_id   BLOB NOT NULL REFERENCES clients (id),
  topic       TEXT NOT NULL,
  task_id     BLOB NOT NULL,
  created_at  BIGINT NOT NULL,
  taken_until BIGINT -- a publisher is at it
);
INSERT INTO rings SELECT id, client_id, topic, task_id, created_at, taken_until FROM outbox
WHERE task_id IS NOT NULL;
DROP TABLE outbox;
ALTER TABLE rings RENAME TO outbox;
