-- Logins that are machines, as a client says.

CREATE TABLE bot_rules (
  client_id BLOB NOT NULL REFERENCES clients (id),
  position  INTEGER NOT NULL,
  login     TEXT NOT NULL, -- * stands for any characters
  PRIMARY KEY (client_id, position)
) WITHOUT ROWID;

ALTER TABLE rule_versions ADD COLUMN bots BIGINT NOT NULL DEFAULT 0;
