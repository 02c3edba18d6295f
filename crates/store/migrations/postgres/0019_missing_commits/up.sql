-- Commits that somebody names and that were not read with their parents: parents of commits that were, and
-- commits that were deployed and that GitHub does not know.

CREATE TABLE missing_commits (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  repository_id  BIGINT NOT NULL,
  sha            TEXT NOT NULL,
  gone_at        TIMESTAMPTZ, -- when GitHub last said that it does not know it
  PRIMARY KEY (client_id, integration_id, repository_id, sha),
  FOREIGN KEY (client_id, integration_id, repository_id)
    REFERENCES repositories (client_id, integration_id, external_id)
);

INSERT INTO missing_commits
SELECT DISTINCT child.client_id, child.integration_id, child.repository_id, parent.sha, NULL::timestamptz
FROM commits AS child, jsonb_array_elements_text(child.parents) AS parent (sha)
WHERE NOT EXISTS (
  SELECT 1 FROM commits AS kept
  WHERE kept.client_id = child.client_id AND kept.integration_id = child.integration_id
    AND kept.repository_id = child.repository_id AND kept.sha = parent.sha
    AND kept.parents IS NOT NULL);
