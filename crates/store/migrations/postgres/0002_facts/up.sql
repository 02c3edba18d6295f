-- What the sources say. Natural keys: the source's own ids, under client and integration.

CREATE TABLE projects (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  external_id    BIGINT NOT NULL,
  key            TEXT NOT NULL,
  name           TEXT NOT NULL,
  kind           TEXT NOT NULL,
  former_keys    JSONB NOT NULL,
  active         BOOLEAN NOT NULL,
  PRIMARY KEY (client_id, integration_id, external_id),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
);

CREATE TABLE issue_types (
  client_id       UUID NOT NULL,
  integration_id  UUID NOT NULL,
  external_id     BIGINT NOT NULL,
  name            TEXT NOT NULL,
  hierarchy_level INTEGER NOT NULL,
  active          BOOLEAN NOT NULL,
  PRIMARY KEY (client_id, integration_id, external_id),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
);

CREATE TABLE statuses (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  external_id    BIGINT NOT NULL,
  name           TEXT NOT NULL,
  category       TEXT NOT NULL CHECK (category IN ('TO_DO', 'IN_PROGRESS', 'DONE')),
  active         BOOLEAN NOT NULL,
  PRIMARY KEY (client_id, integration_id, external_id),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
);

CREATE TABLE sprints (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  external_id    BIGINT NOT NULL,
  board_id       BIGINT NOT NULL,
  name           TEXT NOT NULL,
  state          TEXT NOT NULL,
  started_at     TIMESTAMPTZ,
  ends_at        TIMESTAMPTZ,
  completed_at   TIMESTAMPTZ,
  PRIMARY KEY (client_id, integration_id, external_id),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
);

CREATE TABLE issues (
  client_id          UUID NOT NULL,
  integration_id     UUID NOT NULL,
  external_id        BIGINT NOT NULL,
  project_id         BIGINT NOT NULL,
  key                TEXT NOT NULL,
  type_id            BIGINT NOT NULL,
  status_id          BIGINT NOT NULL,
  summary            TEXT NOT NULL,
  priority           TEXT,
  assignee           TEXT,
  creator            TEXT,
  parent_id          BIGINT,
  parent_key         TEXT,
  labels             JSONB NOT NULL,
  story_points       DOUBLE PRECISION,
  sprints            JSONB NOT NULL,
  created_at         TIMESTAMPTZ NOT NULL,
  updated_at         TIMESTAMPTZ NOT NULL,
  resolved_at        TIMESTAMPTZ,
  changelog_complete BOOLEAN NOT NULL,
  deleted            BOOLEAN NOT NULL,
  PRIMARY KEY (client_id, integration_id, external_id),
  FOREIGN KEY (client_id, integration_id, project_id)
    REFERENCES projects (client_id, integration_id, external_id),
  FOREIGN KEY (client_id, integration_id, type_id)
    REFERENCES issue_types (client_id, integration_id, external_id),
  FOREIGN KEY (client_id, integration_id, status_id)
    REFERENCES statuses (client_id, integration_id, external_id)
);
-- The client does not come first: an index that begins like the primary key tempts PostgreSQL, before
-- it has statistics, to look single issues up in it, and to walk through all of them each time.
CREATE INDEX issues_key ON issues (key, client_id);
CREATE INDEX issues_of_project ON issues (project_id, integration_id, client_id, created_at);
CREATE INDEX issues_truncated ON issues (client_id, integration_id, project_id, external_id)
  WHERE NOT changelog_complete;

CREATE TABLE issue_changes (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  issue_id       BIGINT NOT NULL,
  change_id      BIGINT NOT NULL,
  item_index     INTEGER NOT NULL,
  field          TEXT NOT NULL,
  from_value     TEXT,
  from_string    TEXT,
  to_value       TEXT,
  to_string      TEXT,
  author         TEXT,
  changed_at     TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (client_id, integration_id, issue_id, change_id, item_index),
  FOREIGN KEY (client_id, integration_id, issue_id)
    REFERENCES issues (client_id, integration_id, external_id)
);

-- Issues that moved, by the key that they had.
CREATE INDEX issue_changes_moved ON issue_changes (client_id, from_string) WHERE field = 'Key';

CREATE TABLE repositories (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  external_id    BIGINT NOT NULL,
  full_name      TEXT NOT NULL,
  default_branch TEXT,
  archived       BOOLEAN NOT NULL,
  active         BOOLEAN NOT NULL,
  PRIMARY KEY (client_id, integration_id, external_id),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
);

CREATE TABLE pull_requests (
  client_id        UUID NOT NULL,
  integration_id   UUID NOT NULL,
  repository_id    BIGINT NOT NULL,
  number           BIGINT NOT NULL,
  external_id      BIGINT NOT NULL,
  title            TEXT NOT NULL,
  state            TEXT NOT NULL CHECK (state IN ('OPEN', 'CLOSED', 'MERGED')),
  draft            BOOLEAN NOT NULL,
  author           TEXT,
  author_is_bot    BOOLEAN NOT NULL,
  created_at       TIMESTAMPTZ NOT NULL,
  updated_at       TIMESTAMPTZ NOT NULL,
  merged_at        TIMESTAMPTZ,
  closed_at        TIMESTAMPTZ,
  ready_at         TIMESTAMPTZ,
  merge_commit_sha TEXT,
  head_ref         TEXT NOT NULL,
  base_ref         TEXT NOT NULL,
  head_sha         TEXT NOT NULL,
  additions        BIGINT NOT NULL,
  deletions        BIGINT NOT NULL,
  changed_files    BIGINT NOT NULL,
  PRIMARY KEY (client_id, integration_id, repository_id, number),
  FOREIGN KEY (client_id, integration_id, repository_id)
    REFERENCES repositories (client_id, integration_id, external_id)
);

CREATE TABLE commits (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  sha            TEXT NOT NULL,
  author         TEXT,
  authored_at    TIMESTAMPTZ NOT NULL,
  committed_at   TIMESTAMPTZ NOT NULL,
  message        TEXT NOT NULL,
  parents        JSONB,
  PRIMARY KEY (client_id, integration_id, repository_id, sha),
  FOREIGN KEY (client_id, integration_id, repository_id)
    REFERENCES repositories (client_id, integration_id, external_id)
);

-- A commit belongs to many pull requests, and a pull request has many commits.
CREATE TABLE pull_request_commits (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  number         BIGINT NOT NULL,
  sha            TEXT NOT NULL,
  position       INTEGER NOT NULL,
  PRIMARY KEY (client_id, integration_id, repository_id, number, sha),
  FOREIGN KEY (client_id, integration_id, repository_id, number)
    REFERENCES pull_requests (client_id, integration_id, repository_id, number),
  FOREIGN KEY (client_id, integration_id, repository_id, sha)
    REFERENCES commits (client_id, integration_id, repository_id, sha)
);

CREATE TABLE reviews (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  number         BIGINT NOT NULL,
  external_id    BIGINT NOT NULL,
  author         TEXT,
  author_is_bot  BOOLEAN NOT NULL,
  state          TEXT NOT NULL,
  submitted_at   TIMESTAMPTZ,
  PRIMARY KEY (client_id, integration_id, repository_id, number, external_id),
  FOREIGN KEY (client_id, integration_id, repository_id, number)
    REFERENCES pull_requests (client_id, integration_id, repository_id, number)
);

CREATE TABLE comments (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  number         BIGINT NOT NULL,
  external_id    BIGINT NOT NULL,
  author         TEXT,
  author_is_bot  BOOLEAN NOT NULL,
  created_at     TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (client_id, integration_id, repository_id, number, external_id),
  FOREIGN KEY (client_id, integration_id, repository_id, number)
    REFERENCES pull_requests (client_id, integration_id, repository_id, number)
);

CREATE TABLE review_comments (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  number         BIGINT NOT NULL,
  external_id    BIGINT NOT NULL,
  author         TEXT,
  author_is_bot  BOOLEAN NOT NULL,
  created_at     TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (client_id, integration_id, repository_id, number, external_id),
  FOREIGN KEY (client_id, integration_id, repository_id, number)
    REFERENCES pull_requests (client_id, integration_id, repository_id, number)
);

CREATE TABLE deployments (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  external_id    TEXT NOT NULL,
  environment    TEXT NOT NULL,
  sha            TEXT NOT NULL,
  outcome        TEXT NOT NULL CHECK (outcome IN ('SUCCESS', 'FAILURE', 'PENDING')),
  created_at     TIMESTAMPTZ NOT NULL,
  finished_at    TIMESTAMPTZ,
  estimated      BOOLEAN NOT NULL,
  PRIMARY KEY (client_id, integration_id, repository_id, external_id),
  FOREIGN KEY (client_id, integration_id, repository_id)
    REFERENCES repositories (client_id, integration_id, external_id)
);
