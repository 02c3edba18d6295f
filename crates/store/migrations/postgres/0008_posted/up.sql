-- Deployments that whoever deploys tells us. The gateway writes these, and no sync touches them.

CREATE TABLE posted_deployments (
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

-- Grows with each of them that changes what counts.
ALTER TABLE rule_versions ADD COLUMN posted BIGINT NOT NULL DEFAULT 0;
