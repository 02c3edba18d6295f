-- What changed since the metrics were computed, so that only that is computed again. Whoever changes a fact
-- notes it in the same transaction.

CREATE TABLE changed_issues (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  issue_id       BIGINT NOT NULL,
  PRIMARY KEY (client_id, integration_id, issue_id),
  FOREIGN KEY (client_id, integration_id) REFERENCES integrations (client_id, id)
);

-- Also what hangs on a repository. Whoever computes takes the notes first, and what changes meanwhile is
-- noted anew.
CREATE TABLE changed_repositories (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  taken          BOOLEAN NOT NULL,
  PRIMARY KEY (client_id, integration_id, repository_id, taken),
  FOREIGN KEY (client_id, integration_id, repository_id)
    REFERENCES repositories (client_id, integration_id, external_id)
);

-- The days on which an issue entered and left steps: its part in flow_days.
ALTER TABLE issue_facts ADD COLUMN moves TEXT NOT NULL DEFAULT '';
-- What the facts were made by, beside what is noted: where it differs, all are made anew.
ALTER TABLE flow_states ADD COLUMN basis TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery_states ADD COLUMN basis TEXT NOT NULL DEFAULT '';
