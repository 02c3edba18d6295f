-- What we derive from the facts. The metrics service writes these; everything can be recomputed.

CREATE TABLE pull_request_issues (
  client_id            BLOB NOT NULL,
  integration_id       BLOB NOT NULL,
  repository_id        BIGINT NOT NULL,
  number               BIGINT NOT NULL,
  issue_integration_id BLOB NOT NULL,
  issue_id             BIGINT NOT NULL,
  via                  TEXT NOT NULL CHECK (via IN ('branch', 'title', 'message')),
  key_seen             TEXT NOT NULL,
  PRIMARY KEY (client_id, integration_id, repository_id, number, issue_integration_id, issue_id),
  FOREIGN KEY (client_id, integration_id, repository_id, number)
    REFERENCES pull_requests (client_id, integration_id, repository_id, number),
  FOREIGN KEY (client_id, issue_integration_id, issue_id)
    REFERENCES issues (client_id, integration_id, external_id)
) WITHOUT ROWID;
CREATE INDEX pull_request_issues_of_issue
  ON pull_request_issues (client_id, issue_integration_id, issue_id);

CREATE TABLE pull_request_facts (
  client_id       BLOB NOT NULL,
  integration_id  BLOB NOT NULL,
  repository_id   BIGINT NOT NULL,
  number          BIGINT NOT NULL,
  first_commit_at BIGINT,
  first_review_at BIGINT,
  coding_seconds  DOUBLE,
  pickup_seconds  DOUBLE,
  review_seconds  DOUBLE,
  deploy_seconds  DOUBLE,
  lead_seconds    DOUBLE,
  deployment_id   TEXT,
  deployed_at     BIGINT,
  PRIMARY KEY (client_id, integration_id, repository_id, number),
  FOREIGN KEY (client_id, integration_id, repository_id, number)
    REFERENCES pull_requests (client_id, integration_id, repository_id, number)
) WITHOUT ROWID;
CREATE INDEX pull_request_facts_deployed ON pull_request_facts (client_id, deployed_at);

CREATE TABLE deployment_facts (
  client_id      BLOB NOT NULL,
  integration_id BLOB NOT NULL,
  repository_id  BIGINT NOT NULL,
  external_id    TEXT NOT NULL,
  environment    TEXT,
  previous_id    TEXT,
  rollback       BOOLEAN NOT NULL,
  rolled_back    BOOLEAN NOT NULL,
  pull_requests  BIGINT NOT NULL,
  incidents      BIGINT NOT NULL,
  finished_at    BIGINT,
  PRIMARY KEY (client_id, integration_id, repository_id, external_id),
  FOREIGN KEY (client_id, integration_id, repository_id, external_id)
    REFERENCES deployments (client_id, integration_id, repository_id, external_id)
) WITHOUT ROWID;
CREATE INDEX deployment_facts_finished ON deployment_facts (client_id, finished_at);

CREATE TABLE incident_facts (
  client_id             BLOB NOT NULL,
  integration_id        BLOB NOT NULL,
  issue_id              BIGINT NOT NULL,
  started_at            BIGINT NOT NULL,
  ended_at              BIGINT,
  deploy_integration_id BLOB,
  repository_id         BIGINT,
  deployment_id         TEXT,
  rule                  TEXT,
  PRIMARY KEY (client_id, integration_id, issue_id),
  FOREIGN KEY (client_id, integration_id, issue_id)
    REFERENCES issues (client_id, integration_id, external_id),
  FOREIGN KEY (client_id, deploy_integration_id, repository_id, deployment_id)
    REFERENCES deployments (client_id, integration_id, repository_id, external_id)
) WITHOUT ROWID;
CREATE INDEX incident_facts_ended ON incident_facts (client_id, ended_at);

-- A complete publication. Facts and this row change in one transaction, so a reader who opens a
-- transaction sees one snapshot and never a mixture.
CREATE TABLE snapshots (
  client_id    BLOB NOT NULL REFERENCES clients (id),
  id           BLOB NOT NULL,
  as_of        BIGINT NOT NULL,
  published_at BIGINT NOT NULL,
  body         TEXT NOT NULL,
  PRIMARY KEY (client_id, id)
) WITHOUT ROWID;
CREATE INDEX snapshots_newest ON snapshots (client_id, as_of, id);
