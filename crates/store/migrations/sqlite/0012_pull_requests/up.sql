-- What a report on pull requests is made from, so that it reads one publication and no more.

ALTER TABLE pull_request_facts ADD COLUMN author_is_bot BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE pull_request_facts ADD COLUMN is_open BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE pull_request_facts ADD COLUMN draft BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE pull_request_facts ADD COLUMN opened_at BIGINT NOT NULL DEFAULT 0; -- or last ready for review
ALTER TABLE pull_request_facts ADD COLUMN merged_at BIGINT;
ALTER TABLE pull_request_facts ADD COLUMN lines BIGINT NOT NULL DEFAULT 0; -- added and removed
ALTER TABLE pull_request_facts ADD COLUMN files BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pull_request_facts ADD COLUMN reviews BIGINT NOT NULL DEFAULT 0; -- of other people
ALTER TABLE pull_request_facts ADD COLUMN reviewers BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pull_request_facts ADD COLUMN comments BIGINT NOT NULL DEFAULT 0; -- of people
ALTER TABLE pull_request_facts ADD COLUMN review_rounds BIGINT NOT NULL DEFAULT 0; -- changes were requested, and commits followed
ALTER TABLE pull_request_facts ADD COLUMN reverted BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE pull_request_facts AS facts
SET author_is_bot = told.author_is_bot,
  is_open = told.state = 'OPEN',
  draft = told.draft,
  opened_at = coalesce(told.ready_at, told.created_at),
  merged_at = told.merged_at,
  lines = told.additions + told.deletions,
  files = told.changed_files
FROM pull_requests AS told
WHERE told.client_id = facts.client_id AND told.integration_id = facts.integration_id
  AND told.repository_id = facts.repository_id AND told.number = facts.number;
CREATE INDEX pull_request_facts_merged ON pull_request_facts (client_id, merged_at);
CREATE INDEX pull_request_facts_open ON pull_request_facts (client_id) WHERE is_open;

-- The rest is computed as for rules that changed.
INSERT INTO rule_versions (client_id, deployments, incidents, posted)
SELECT client_id, 0, 0, 0 FROM delivery_states WHERE TRUE
ON CONFLICT (client_id) DO NOTHING;
UPDATE delivery_states SET revision = revision - 1;
