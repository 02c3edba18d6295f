-- What clients say about their delivery. The gateway writes these; a client without rules goes by
-- the defaults.

CREATE TABLE deployment_rules (
  client_id    UUID NOT NULL REFERENCES clients (id),
  position     INTEGER NOT NULL,
  repository   TEXT NOT NULL, -- owner/name, owner/* or *
  source       TEXT NOT NULL
               CHECK (source IN ('deployments', 'workflow_runs', 'releases', 'merges', 'api')),
  pattern      TEXT,
  environments JSONB NOT NULL, -- pairs of a pattern and an environment
  PRIMARY KEY (client_id, position)
);

CREATE TABLE incident_rules (
  client_id        UUID NOT NULL REFERENCES clients (id),
  position         INTEGER NOT NULL,
  integration_id   UUID, -- NULL: for all of them
  issue_types      JSONB NOT NULL,
  labels           JSONB NOT NULL,
  components       JSONB NOT NULL,
  started_at_field TEXT,
  window_hours     BIGINT, -- NULL: any time
  PRIMARY KEY (client_id, position),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
);

-- Each grows with every change of a client's rules, one change at a time.
CREATE TABLE rule_versions (
  client_id   UUID PRIMARY KEY REFERENCES clients (id),
  deployments BIGINT NOT NULL,
  incidents   BIGINT NOT NULL
);
