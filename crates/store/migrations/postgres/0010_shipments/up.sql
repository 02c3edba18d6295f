-- Runs of workflows and releases, of repositories whose rules ask for them. The extractor writes these;
-- whether one is a deployment is for the rules to say.

CREATE TABLE shipments (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  source         TEXT NOT NULL CHECK (source IN ('workflow_runs', 'releases')),
  external_id    TEXT NOT NULL,
  name           TEXT NOT NULL, -- of the workflow, or the tag
  path           TEXT,
  sha            TEXT NOT NULL,
  outcome        TEXT NOT NULL CHECK (outcome IN ('SUCCESS', 'FAILURE', 'PENDING')),
  created_at     TIMESTAMPTZ NOT NULL,
  finished_at    TIMESTAMPTZ,
  PRIMARY KEY (client_id, integration_id, repository_id, source, external_id),
  FOREIGN KEY (client_id, integration_id, repository_id)
    REFERENCES repositories (client_id, integration_id, external_id)
);
