-- What we make of the history of issues. The metrics service writes these; all can be recomputed.

CREATE TABLE issue_facts (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  issue_id       BIGINT NOT NULL,
  step_id        UUID,
  step           TEXT,
  category       TEXT CHECK (category IN ('TO_DO', 'IN_PROGRESS', 'DONE', 'DISCARDED')),
  reason         TEXT, -- why it counts nowhere; then everything else is NULL
  entered_at     TIMESTAMPTZ NOT NULL, -- when it came to where it stands
  committed_at   TIMESTAMPTZ,
  started_at     TIMESTAMPTZ,
  lead_seconds   DOUBLE PRECISION,
  cycle_seconds  DOUBLE PRECISION,
  active_seconds DOUBLE PRECISION, -- of the lead time
  rework         INTEGER NOT NULL,
  steps          JSONB NOT NULL, -- pairs of a step's id and the seconds spent in it
  PRIMARY KEY (client_id, integration_id, issue_id),
  FOREIGN KEY (client_id, integration_id, issue_id)
    REFERENCES issues (client_id, integration_id, external_id)
);
CREATE INDEX issue_facts_entered ON issue_facts (client_id, entered_at);
CREATE INDEX issue_facts_in_progress ON issue_facts (client_id) WHERE category = 'IN_PROGRESS';

-- How many issues of a project entered and left a step on a day of the client's zone.
CREATE TABLE flow_days (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  project_id     BIGINT NOT NULL,
  day            INTEGER NOT NULL, -- since 1970
  step_id        UUID NOT NULL,
  entered        BIGINT NOT NULL,
  gone           BIGINT NOT NULL,
  PRIMARY KEY (client_id, integration_id, project_id, day, step_id),
  FOREIGN KEY (client_id, integration_id, project_id)
    REFERENCES projects (client_id, integration_id, external_id)
);

-- From what the facts of a client's issues were made. Whoever writes them holds this row.
CREATE TABLE flow_states (
  client_id UUID PRIMARY KEY REFERENCES clients (id),
  revision  BIGINT NOT NULL, -- of the workflows
  as_of     TIMESTAMPTZ
);
