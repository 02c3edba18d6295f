DROP TABLE delivery_states;

CREATE TABLE old_incident_facts (
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
    REFERENCES deployments (client_id, integration_id, repository_id, external_id)
);
-- What other sources told of cannot be blamed any more.
INSERT INTO old_incident_facts
SELECT facts.client_id, facts.integration_id, facts.issue_id, facts.started_at, facts.ended_at,
  told.integration_id, told.repository_id, told.external_id,
  CASE WHEN told.external_id IS NOT NULL THEN facts.rule END
FROM incident_facts AS facts
LEFT JOIN deployments AS told ON told.client_id = facts.client_id
  AND told.integration_id = facts.deploy_integration_id
  AND told.repository_id = facts.repository_id AND told.external_id = facts.deployment_id;
DROP TABLE incident_facts;
ALTER TABLE old_incident_facts RENAME TO incident_facts;
CREATE INDEX incident_facts_ended ON incident_facts (client_id, ended_at);

CREATE TABLE old_deployment_facts (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  external_id    TEXT NOT NULL,
  environment    TEXT,
  previous_id    TEXT,
  rollback       BOOLEAN NOT NULL,
  rolled_back    BOOLEAN NOT NULL,
  pull_requests  BIGINT NOT NULL,
  incidents      BIGINT NOT NULL,
  finished_at    TIMESTAMPTZ,
  PRIMARY KEY (client_id, integration_id, repository_id, external_id),
  FOREIGN KEY (client_id, integration_id, repository_id, external_id)
    REFERENCES deployments (client_id, integration_id, repository_id, external_id)
);
INSERT INTO old_deployment_facts
SELECT client_id, integration_id, repository_id, external_id, environment, previous_id, rollback,
  rolled_back, pull_requests, incidents, succeeded_at
FROM deployment_facts
WHERE source = 'deployments';
DROP TABLE deployment_facts;
ALTER TABLE old_deployment_facts RENAME TO deployment_facts;
CREATE INDEX deployment_facts_finished ON deployment_facts (client_id, finished_at);
