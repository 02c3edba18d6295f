-- Who we work for, what we connect to, and the work itself.

CREATE TABLE clients (
  id          BLOB PRIMARY KEY,
  external_id TEXT NOT NULL UNIQUE,
  name        TEXT NOT NULL,
  created_at  BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE integrations (
  client_id     BLOB NOT NULL REFERENCES clients (id),
  id            BLOB NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('jira', 'github')),
  name          TEXT NOT NULL,
  base_url      TEXT NOT NULL,
  username      TEXT,
  sealed_secret TEXT NOT NULL,
  scopes        TEXT NOT NULL,
  active        BOOLEAN NOT NULL,
  health        TEXT NOT NULL CHECK (health IN ('healthy', 'warning', 'down', 'unknown')),
  health_detail TEXT,
  last_sync_at  BIGINT,
  version       BIGINT NOT NULL,
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL,
  PRIMARY KEY (client_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX integrations_name ON integrations (client_id, kind, name);

CREATE TABLE schedules (
  client_id              BLOB PRIMARY KEY REFERENCES clients (id),
  enabled                BOOLEAN NOT NULL,
  interval_minutes       INTEGER NOT NULL CHECK (interval_minutes BETWEEN 5 AND 1440),
  timezone               TEXT NOT NULL,
  retry_enabled          BOOLEAN NOT NULL,
  retry_interval_minutes INTEGER NOT NULL CHECK (retry_interval_minutes BETWEEN 1 AND 60),
  retry_max_attempts     INTEGER NOT NULL CHECK (retry_max_attempts BETWEEN 1 AND 10),
  next_due_at            BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX schedules_due ON schedules (next_due_at) WHERE enabled;

CREATE TABLE jobs (
  client_id       BLOB NOT NULL REFERENCES clients (id),
  job_type        TEXT NOT NULL CHECK (job_type IN ('jira_sync', 'git_sync')),
  status          TEXT NOT NULL
                  CHECK (status IN ('NOT_STARTED', 'PENDING', 'RUNNING', 'PAUSED', 'FINISHED', 'ERROR')),
  version         BIGINT NOT NULL,
  active          BOOLEAN NOT NULL,
  run_id          BLOB,
  pending_since   BIGINT,
  pending_trigger TEXT,
  attempt         INTEGER NOT NULL,
  retry_at        BIGINT,
  last_run_id     BLOB,
  last_success_at BIGINT,
  error           TEXT,
  PRIMARY KEY (client_id, job_type)
) WITHOUT ROWID;
-- The rule that one job of a client runs at a time, held where nobody can forget it.
CREATE UNIQUE INDEX jobs_one_running ON jobs (client_id) WHERE status = 'RUNNING';
CREATE INDEX jobs_pending ON jobs (pending_since) WHERE status = 'PENDING';
CREATE INDEX jobs_retry ON jobs (retry_at) WHERE retry_at IS NOT NULL;

CREATE TABLE runs (
  client_id   BLOB NOT NULL,
  id          BLOB NOT NULL,
  job_type    TEXT NOT NULL,
  trigger     TEXT NOT NULL CHECK (trigger IN ('manual', 'schedule', 'retry')),
  attempt     INTEGER NOT NULL,
  outcome     TEXT CHECK (outcome IN ('FINISHED', 'ERROR', 'STOPPED')),
  started_at  BIGINT NOT NULL,
  finished_at BIGINT,
  error       TEXT,
  PRIMARY KEY (client_id, id),
  FOREIGN KEY (client_id, job_type) REFERENCES jobs (client_id, job_type)
) WITHOUT ROWID;
CREATE INDEX runs_newest ON runs (client_id, job_type, started_at, id);

CREATE TABLE steps (
  client_id BLOB NOT NULL,
  run_id    BLOB NOT NULL,
  position  INTEGER NOT NULL,
  name      TEXT NOT NULL,
  status    TEXT NOT NULL CHECK (status IN ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'SKIPPED')),
  PRIMARY KEY (client_id, run_id, position),
  FOREIGN KEY (client_id, run_id) REFERENCES runs (client_id, id)
) WITHOUT ROWID;

-- The orchestrator makes and ends tasks; whoever holds the lease moves cursor and counts, in the
-- transaction that keeps the page.
CREATE TABLE tasks (
  client_id      BLOB NOT NULL,
  id             BLOB NOT NULL,
  run_id         BLOB,
  position       INTEGER,
  kind           TEXT NOT NULL,
  topic          TEXT NOT NULL CHECK (topic IN ('jira', 'github', 'metrics')),
  integration_id BLOB,
  scope          TEXT NOT NULL,
  created_from   BIGINT,
  created_to     BIGINT,
  updated_since  BIGINT,
  state          TEXT NOT NULL
                 CHECK (state IN ('READY', 'LEASED', 'DONE', 'FAILED', 'QUARANTINED', 'CANCELLED')),
  cursor         TEXT NOT NULL,
  input          TEXT NOT NULL,
  output         TEXT,
  not_before     BIGINT,
  lease_owner    TEXT,
  lease_until    BIGINT,
  fence          BIGINT NOT NULL,
  attempts       INTEGER NOT NULL,
  crashes        INTEGER NOT NULL, -- ends of the whole process with it in hand, since its last page
  pages          BIGINT NOT NULL,
  pages_before   BIGINT NOT NULL, -- when the lease was taken: a lease that kept no page is known by it
  rows           BIGINT NOT NULL,
  requests       BIGINT NOT NULL,
  error          TEXT,
  begun_at       BIGINT NOT NULL, -- when its first page was asked for, by our clock or the source's: whichever is behind
  updated_at     BIGINT NOT NULL,
  PRIMARY KEY (client_id, id),
  FOREIGN KEY (client_id, run_id, position) REFERENCES steps (client_id, run_id, position),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX tasks_id ON tasks (id);
CREATE INDEX tasks_of_step ON tasks (client_id, run_id, position);
CREATE INDEX tasks_open ON tasks (state, lease_until, not_before) WHERE state IN ('READY', 'LEASED');
CREATE INDEX tasks_of_scope ON tasks (client_id, integration_id, kind, scope, begun_at);

CREATE TABLE gaps (
  client_id BLOB NOT NULL,
  run_id    BLOB NOT NULL,
  scope     TEXT NOT NULL,
  reason    TEXT NOT NULL,
  task_id   BLOB NOT NULL,
  PRIMARY KEY (client_id, run_id, task_id, scope),
  FOREIGN KEY (client_id, run_id) REFERENCES runs (client_id, id)
) WITHOUT ROWID;

-- How far a scope of a connection has been read: the next incremental read starts here.
CREATE TABLE watermarks (
  client_id      BLOB NOT NULL,
  integration_id BLOB NOT NULL,
  step           TEXT NOT NULL,
  scope          TEXT NOT NULL,
  read_to        BIGINT NOT NULL,
  PRIMARY KEY (client_id, integration_id, step, scope),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
) WITHOUT ROWID;

-- Rings that must not be lost: written with the task, published afterwards.
CREATE TABLE outbox (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  client_id   BLOB NOT NULL REFERENCES clients (id),
  topic       TEXT NOT NULL,
  task_id     BLOB NOT NULL,
  created_at  BIGINT NOT NULL,
  taken_until BIGINT -- a publisher is at it
);

-- What people are told, in one order per client.
CREATE TABLE events (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  client_id  BLOB NOT NULL REFERENCES clients (id),
  run_id     BLOB,
  kind       TEXT NOT NULL,
  body       TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX events_of_client ON events (client_id, seq);
CREATE INDEX events_of_run ON events (client_id, run_id, seq) WHERE run_id IS NOT NULL;
