-- Who we work for, what we connect to, and the work itself.

CREATE TABLE clients (
  id          UUID PRIMARY KEY,
  external_id TEXT NOT NULL UNIQUE,
  name        TEXT NOT NULL,
  created_at  TIMESTAMPTZ NOT NULL
);

CREATE TABLE integrations (
  client_id     UUID NOT NULL REFERENCES clients (id),
  id            UUID NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('jira', 'github')),
  name          TEXT NOT NULL,
  base_url      TEXT NOT NULL,
  username      TEXT,
  sealed_secret TEXT NOT NULL,
  scopes        JSONB NOT NULL,
  active        BOOLEAN NOT NULL,
  health        TEXT NOT NULL CHECK (health IN ('healthy', 'warning', 'down', 'unknown')),
  health_detail TEXT,
  last_sync_at  TIMESTAMPTZ,
  version       BIGINT NOT NULL,
  created_at    TIMESTAMPTZ NOT NULL,
  updated_at    TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (client_id, id)
);
CREATE UNIQUE INDEX integrations_name ON integrations (client_id, kind, name);

CREATE TABLE schedules (
  client_id              UUID PRIMARY KEY REFERENCES clients (id),
  enabled                BOOLEAN NOT NULL,
  interval_minutes       INTEGER NOT NULL CHECK (interval_minutes BETWEEN 5 AND 1440),
  timezone               TEXT NOT NULL,
  retry_enabled          BOOLEAN NOT NULL,
  retry_interval_minutes INTEGER NOT NULL CHECK (retry_interval_minutes BETWEEN 1 AND 60),
  retry_max_attempts     INTEGER NOT NULL CHECK (retry_max_attempts BETWEEN 1 AND 10),
  next_due_at            TIMESTAMPTZ NOT NULL
);
CREATE INDEX schedules_due ON schedules (next_due_at) WHERE enabled;

CREATE TABLE jobs (
  client_id       UUID NOT NULL REFERENCES clients (id),
  job_type        TEXT NOT NULL CHECK (job_type IN ('jira_sync', 'git_sync')),
  status          TEXT NOT NULL
                  CHECK (status IN ('NOT_STARTED', 'PENDING', 'RUNNING', 'PAUSED', 'FINISHED', 'ERROR')),
  version         BIGINT NOT NULL,
  active          BOOLEAN NOT NULL,
  run_id          UUID,
  pending_since   TIMESTAMPTZ,
  pending_trigger TEXT,
  attempt         INTEGER NOT NULL,
  retry_at        TIMESTAMPTZ,
  last_run_id     UUID,
  last_success_at TIMESTAMPTZ,
  error           TEXT,
  PRIMARY KEY (client_id, job_type)
);
-- The rule that one job of a client runs at a time, held where nobody can forget it.
CREATE UNIQUE INDEX jobs_one_running ON jobs (client_id) WHERE status = 'RUNNING';
CREATE INDEX jobs_pending ON jobs (pending_since) WHERE status = 'PENDING';
CREATE INDEX jobs_retry ON jobs (retry_at) WHERE retry_at IS NOT NULL;

CREATE TABLE runs (
  client_id   UUID NOT NULL,
  id          UUID NOT NULL,
  job_type    TEXT NOT NULL,
  trigger     TEXT NOT NULL CHECK (trigger IN ('manual', 'schedule', 'retry')),
  attempt     INTEGER NOT NULL,
  outcome     TEXT CHECK (outcome IN ('FINISHED', 'ERROR', 'STOPPED')),
  started_at  TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ,
  error       TEXT,
  PRIMARY KEY (client_id, id),
  FOREIGN KEY (client_id, job_type) REFERENCES jobs (client_id, job_type)
);
CREATE INDEX runs_newest ON runs (client_id, job_type, started_at, id);

CREATE TABLE steps (
  client_id UUID NOT NULL,
  run_id    UUID NOT NULL,
  position  INTEGER NOT NULL,
  name      TEXT NOT NULL,
  status    TEXT NOT NULL CHECK (status IN ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'SKIPPED')),
  PRIMARY KEY (client_id, run_id, position),
  FOREIGN KEY (client_id, run_id) REFERENCES runs (client_id, id)
);

-- The orchestrator makes and ends tasks; whoever holds the lease moves cursor and counts, in the
-- transaction that keeps the page.
CREATE TABLE tasks (
  client_id      UUID NOT NULL,
  id             UUID NOT NULL,
  run_id         UUID,
  position       INTEGER,
  kind           TEXT NOT NULL,
  topic          TEXT NOT NULL CHECK (topic IN ('jira', 'github', 'metrics')),
  integration_id UUID,
  scope          TEXT NOT NULL,
  created_from   TIMESTAMPTZ,
  created_to     TIMESTAMPTZ,
  updated_since  TIMESTAMPTZ,
  state          TEXT NOT NULL
                 CHECK (state IN ('READY', 'LEASED', 'DONE', 'FAILED', 'QUARANTINED', 'CANCELLED')),
  cursor         TEXT NOT NULL,
  input          TEXT NOT NULL,
  output         TEXT,
  not_before     TIMESTAMPTZ,
  lease_owner    TEXT,
  lease_until    TIMESTAMPTZ,
  fence          BIGINT NOT NULL,
  attempts       INTEGER NOT NULL,
  crashes        INTEGER NOT NULL, -- ends of the whole process with it in hand, since its last page
  pages          BIGINT NOT NULL,
  pages_before   BIGINT NOT NULL, -- when the lease was taken: a lease that kept no page is known by it
  rows           BIGINT NOT NULL,
  requests       BIGINT NOT NULL,
  error          TEXT,
  begun_at       TIMESTAMPTZ NOT NULL, -- when its first page was asked for, by our clock or the source's: whichever is behind
  updated_at     TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (client_id, id),
  FOREIGN KEY (client_id, run_id, position) REFERENCES steps (client_id, run_id, position),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
);
CREATE UNIQUE INDEX tasks_id ON tasks (id);
CREATE INDEX tasks_of_step ON tasks (client_id, run_id, position);
CREATE INDEX tasks_open ON tasks (state, lease_until, not_before) WHERE state IN ('READY', 'LEASED');
CREATE INDEX tasks_of_scope ON tasks (client_id, integration_id, kind, scope, begun_at);

CREATE TABLE gaps (
  client_id UUID NOT NULL,
  run_id    UUID NOT NULL,
  scope     TEXT NOT NULL,
  reason    TEXT NOT NULL,
  task_id   UUID NOT NULL,
  PRIMARY KEY (client_id, run_id, task_id, scope),
  FOREIGN KEY (client_id, run_id) REFERENCES runs (client_id, id)
);

-- How far a scope of a connection has been read: the next incremental read starts here.
CREATE TABLE watermarks (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  step           TEXT NOT NULL,
  scope          TEXT NOT NULL,
  read_to        TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (client_id, integration_id, step, scope),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
);

-- Rings that must not be lost: written with the task, published afterwards.
CREATE TABLE outbox (
  id          BIGSERIAL PRIMARY KEY,
  client_id   UUID NOT NULL REFERENCES clients (id),
  topic       TEXT NOT NULL,
  task_id     UUID NOT NULL,
  created_at  TIMESTAMPTZ NOT NULL,
  taken_until TIMESTAMPTZ -- a publisher is at it
);

-- What people are told, in one order per client.
CREATE TABLE events (
  seq        BIGSERIAL PRIMARY KEY,
  client_id  UUID NOT NULL REFERENCES clients (id),
  run_id     UUID,
  kind       TEXT NOT NULL,
  body       JSONB NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX events_of_client ON events (client_id, seq);
CREATE INDEX events_of_run ON events (client_id, run_id, seq) WHERE run_id IS NOT NULL;
