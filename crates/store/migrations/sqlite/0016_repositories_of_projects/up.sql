-- Which repositories belong to which project, as a client says.

CREATE TABLE project_rules (
  client_id    BLOB NOT NULL REFERENCES clients (id),
  position     INTEGER NOT NULL,
  project      TEXT NOT NULL, -- the key
  repositories TEXT NOT NULL, -- full names, in which * stands for any characters
  PRIMARY KEY (client_id, position)
) WITHOUT ROWID;

ALTER TABLE rule_versions ADD COLUMN projects BIGINT NOT NULL DEFAULT 0;
