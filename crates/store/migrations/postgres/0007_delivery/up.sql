-- Deployments come from several sources, so what we make of one tells everything about it.

CREATE TABLE new_deployment_facts (
  client_id        UUID NOT NULL,
  integration_id   UUID NOT NULL,
  repository_id    BIGINT NOT NULL,
  external_id      TEXT NOT NULL, -- GitHub's id of a deployment, or else one that begins with the source
  source           TEXT NOT NULL
                   CHECK (source IN ('deployments', 'workflow_runs', 'releases', 'merges', 'api')),
  environment_seen TEXT NOT NULL, -- as the source calls it
  sha              TEXT NOT NULL,
  outcome          TEXT NOT NULL CHECK (outcome IN ('SUCCESS', 'FAILURE', 'PENDING')),
  created_at       TIMESTAMPTZ NOT NULL,
  finished_at      TIMESTAMPTZ,
  estimated        BOOLEAN NOT NULL,
  environment      TEXT, -- by the rules
  reason           TEXT, -- why it is in none
  previous_id      TEXT,
  rollback         BOOLEAN NOT NULL,
  rolled_back      BOOLEAN NOT NULL,
  pull_requests    BIGINT NOT NULL,
  incidents        BIGINT NOT NULL,
  succeeded_at     TIMESTAMPTZ,
  PRIMARY KEY (client_id, integration_id, repository_id, external_id),
  FOREIGN KEY (client_id, integration_id, repository_id)
    REFERENCES repositories (client_id, integration_id, external_id)
);
INSERT INTO new_deployment_facts
SELECT facts.client_id, facts.integration_id, facts.repository_id, facts.external_id, 'deployments',
  told.environment, told.sha, told.outcome, told.created_at, told.finished_at, told.estimated,
  facts.environment, CASE WHEN facts.environment IS NULL THEN 'no_environment_rule' END,
  facts.previous_id, facts.rollback, facts.rolled_back, facts.pull_requests, facts.incidents,
  facts.finished_at
FROM deployment_facts AS facts
JOIN deployments AS told ON told.client_id = facts.client_id
  AND told.integration_id = facts.integration_id
  AND told.repository_id = facts.repository_id AND told.external_id = facts.external_id;
DROP TABLE deployment_facts;
ALTER TABLE new_deployment_facts RENAME TO deployment_facts;
CREATE INDEX deployment_facts_finished ON deployment_facts (client_id, finished_at);

CREATE TABLE new_incident_facts (
  client_id             UUID NOT NULL,
  integration_id        UUID NOT NULL,
  issue_id              BIGINT NOT NULL,
  started_at            TIMESTAMPTZ NOT NULL,
  ended_at              TIMESTAMPTZ,
  deploy_integration_id UUID,
  repository_id         BIGINT,
  deployment_id         TEXT,
  rule                  TEXT,
  PRIMARY KEY (client_id, integration_id, issue_id),
  FOREIGN KEY (client_id, integration_id, issue_id)
    REFERENCES issues (client_id, integration_id, external_id),
  FOREIGN KEY (client_id, deploy_integration_id, repository_id, deployment_id)
    REFERENCES deployment_facts (client_id, integration_id, repository_id, external_id)
);
INSERT INTO new_incident_facts SELECT * FROM incident_facts;
DROP TABLE incident_facts;
ALTER TABLE new_incident_facts RENAME TO incident_facts;
CREATE INDEX incident_facts_ended ON incident_facts (client_id, ended_at);

-- From what the facts of a client's delivery were made. Whoever writes them holds this row.
CREATE TABLE delivery_states (
  client_id    UUID PRIMARY KEY REFERENCES clients (id),
  revision     BIGINT NOT NULL, -- of the rules
  publications BIGINT NOT NULL
);
INSERT INTO delivery_states SELECT DISTINCT client_id, 0, 0 FROM snapshots;
