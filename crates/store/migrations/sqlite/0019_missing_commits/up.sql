-- Commits that somebody names and that were not read with their parents: parents of commits that were, and
-- commits that were deployed and that GitHub does not know.

CREATE TABLE missing_commits (
  client_id      BLOB NOT NULL,
  integration_id BLOB NOT NULL,
  repository_id  BIGINT NOT NULL,
  sha            TEXT NOT NULL,
  gone_at        BIGINT, -- when GitHub last said that it does not know it
  PRIMARY KEY (client_id, integration_id, repository_id, sha),
  FOREIGN KEY (client_id, integration_id, repository_id)
    REFERENCES repositories (client_id, integration_id, external_id)
) WITHOUT ROWID;

INSERT INTO missing_commits
SELECT DISTINCT child.client_id, child.integration_id, child.repository_id, parent.value, NULL
FROM commits AS child, json_each(child.parents) AS parent
WHERE NOT EXISTS (
  SELECT 1 FROM commits AS kept
  WHERE kept.client_id = child.client_id AND kept.integration_id = child.integration_id
    AND kept.repository_id = child.repository_id AND kept.sha = parent.value
    AND kept.parents IS NOT NULL);
