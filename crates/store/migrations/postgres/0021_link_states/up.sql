-- How often the links of a repository were kept, so that nobody keeps what he found out before somebody else.
CREATE TABLE link_states (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  version        BIGINT NOT NULL,
  PRIMARY KEY (client_id, integration_id, repository_id),
  FOREIGN KEY (client_id, integration_id, repository_id)
    REFERENCES repositories (client_id, integration_id, external_id)
);
