-- How clients see their work. The gateway writes these; a client without a row goes by the default.

CREATE TABLE workflows (
  client_id      UUID NOT NULL REFERENCES clients (id),
  id             UUID NOT NULL,
  integration_id UUID, -- NULL: for all of them
  scope          UUID NOT NULL GENERATED ALWAYS AS
                 (coalesce(integration_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED,
  name           TEXT NOT NULL,
  active         BOOLEAN NOT NULL,
  version        BIGINT NOT NULL,
  PRIMARY KEY (client_id, id),
  UNIQUE (client_id, scope, id),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
);

CREATE TABLE workflow_steps (
  client_id      UUID NOT NULL,
  id             UUID NOT NULL,
  workflow_id    UUID NOT NULL,
  integration_id UUID,
  scope          UUID NOT NULL GENERATED ALWAYS AS
                 (coalesce(integration_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED,
  name           TEXT NOT NULL,
  position       INTEGER NOT NULL CHECK (position > 0),
  category       TEXT NOT NULL CHECK (category IN ('TO_DO', 'IN_PROGRESS', 'DONE', 'DISCARDED')),
  waiting        BOOLEAN NOT NULL,
  commitment     BOOLEAN NOT NULL CHECK (NOT commitment OR category IN ('TO_DO', 'IN_PROGRESS')),
  takes          TEXT CHECK (takes IN ('TO_DO', 'IN_PROGRESS', 'DONE')),
  active         BOOLEAN NOT NULL,
  version        BIGINT NOT NULL,
  PRIMARY KEY (client_id, id),
  FOREIGN KEY (client_id, scope, workflow_id) REFERENCES workflows (client_id, scope, id)
);
-- One commitment point for each connection, and one for all of them together.
CREATE UNIQUE INDEX workflow_steps_one_commitment ON workflow_steps (client_id, scope)
  WHERE commitment;
CREATE UNIQUE INDEX workflow_steps_one_taker ON workflow_steps (client_id, scope, takes)
  WHERE takes IS NOT NULL;

CREATE TABLE status_mappings (
  client_id      UUID NOT NULL,
  id             UUID NOT NULL,
  integration_id UUID,
  issue_type     TEXT, -- NULL: any
  status         TEXT NOT NULL,
  step_id        UUID NOT NULL,
  active         BOOLEAN NOT NULL,
  version        BIGINT NOT NULL,
  PRIMARY KEY (client_id, id),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id),
  FOREIGN KEY (client_id, step_id) REFERENCES workflow_steps (client_id, id)
);

CREATE TABLE issue_type_mappings (
  client_id       UUID NOT NULL REFERENCES clients (id),
  id              UUID NOT NULL,
  integration_id  UUID,
  issue_type      TEXT NOT NULL,
  mapped_to       TEXT NOT NULL,
  hierarchy_level INTEGER NOT NULL,
  parent_id       UUID,
  workflow_id     UUID,
  active          BOOLEAN NOT NULL,
  version         BIGINT NOT NULL,
  PRIMARY KEY (client_id, id),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id),
  FOREIGN KEY (client_id, parent_id) REFERENCES issue_type_mappings (client_id, id),
  FOREIGN KEY (client_id, workflow_id) REFERENCES workflows (client_id, id)
);

-- Grows with each change of a client, one change at a time.
CREATE TABLE workflow_revisions (
  client_id UUID PRIMARY KEY REFERENCES clients (id),
  revision  BIGINT NOT NULL
);
