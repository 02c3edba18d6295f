-- What changed since the metrics were computed, so that only that is computed again. Nothing is noted of a
-- client whose metrics were never computed: then all of it is.

CREATE TABLE changed_issues (
  client_id      BLOB NOT NULL,
  integration_id BLOB NOT NULL,
  issue_id       BIGINT NOT NULL,
  PRIMARY KEY (client_id, integration_id, issue_id),
  FOREIGN KEY (client_id, integration_id, issue_id)
    REFERENCES issues (client_id, integration_id, external_id)
) WITHOUT ROWID;

-- Also what hangs on a repository. Whoever computes takes the notes first, and what changes meanwhile is
-- noted anew.
CREATE TABLE changed_repositories (
  client_id      BLOB NOT NULL,
  integration_id BLOB NOT NULL,
  repository_id  BIGINT NOT NULL,
  taken          BOOLEAN NOT NULL,
  PRIMARY KEY (client_id, integration_id, repository_id, taken),
  FOREIGN KEY (client_id, integration_id, repository_id)
    REFERENCES repositories (client_id, integration_id, external_id)
) WITHOUT ROWID;

CREATE TRIGGER note_issues_insert AFTER INSERT ON issues
WHEN EXISTS (SELECT 1 FROM flow_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_issues VALUES (NEW.client_id, NEW.integration_id, NEW.external_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_issues_update AFTER UPDATE ON issues
WHEN EXISTS (SELECT 1 FROM flow_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_issues VALUES (NEW.client_id, NEW.integration_id, NEW.external_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_issue_changes_insert AFTER INSERT ON issue_changes
WHEN EXISTS (SELECT 1 FROM flow_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_issues VALUES (NEW.client_id, NEW.integration_id, NEW.issue_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_issue_changes_update AFTER UPDATE ON issue_changes
WHEN EXISTS (SELECT 1 FROM flow_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_issues VALUES (NEW.client_id, NEW.integration_id, NEW.issue_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_issue_changes_delete AFTER DELETE ON issue_changes
WHEN EXISTS (SELECT 1 FROM flow_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_issues VALUES (OLD.client_id, OLD.integration_id, OLD.issue_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_pull_requests_insert AFTER INSERT ON pull_requests
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_pull_requests_update AFTER UPDATE ON pull_requests
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_pull_requests_delete AFTER DELETE ON pull_requests
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (OLD.client_id, OLD.integration_id, OLD.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_commits_insert AFTER INSERT ON commits
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_commits_update AFTER UPDATE ON commits
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_commits_delete AFTER DELETE ON commits
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (OLD.client_id, OLD.integration_id, OLD.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_pull_request_commits_insert AFTER INSERT ON pull_request_commits
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_pull_request_commits_update AFTER UPDATE ON pull_request_commits
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_pull_request_commits_delete AFTER DELETE ON pull_request_commits
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (OLD.client_id, OLD.integration_id, OLD.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_reviews_insert AFTER INSERT ON reviews
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_reviews_update AFTER UPDATE ON reviews
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_reviews_delete AFTER DELETE ON reviews
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (OLD.client_id, OLD.integration_id, OLD.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_review_comments_insert AFTER INSERT ON review_comments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_review_comments_update AFTER UPDATE ON review_comments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_review_comments_delete AFTER DELETE ON review_comments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (OLD.client_id, OLD.integration_id, OLD.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_comments_insert AFTER INSERT ON comments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_comments_update AFTER UPDATE ON comments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_comments_delete AFTER DELETE ON comments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (OLD.client_id, OLD.integration_id, OLD.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_deployments_insert AFTER INSERT ON deployments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_deployments_update AFTER UPDATE ON deployments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_deployments_delete AFTER DELETE ON deployments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (OLD.client_id, OLD.integration_id, OLD.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_posted_deployments_insert AFTER INSERT ON posted_deployments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_posted_deployments_update AFTER UPDATE ON posted_deployments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_posted_deployments_delete AFTER DELETE ON posted_deployments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (OLD.client_id, OLD.integration_id, OLD.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_shipments_insert AFTER INSERT ON shipments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_shipments_update AFTER UPDATE ON shipments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_shipments_delete AFTER DELETE ON shipments
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (OLD.client_id, OLD.integration_id, OLD.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_pull_request_issues_insert AFTER INSERT ON pull_request_issues
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_pull_request_issues_update AFTER UPDATE ON pull_request_issues
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = NEW.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (NEW.client_id, NEW.integration_id, NEW.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER note_pull_request_issues_delete AFTER DELETE ON pull_request_issues
WHEN EXISTS (SELECT 1 FROM delivery_states WHERE client_id = OLD.client_id)
BEGIN
  INSERT INTO changed_repositories VALUES (OLD.client_id, OLD.integration_id, OLD.repository_id, FALSE)
  ON CONFLICT DO NOTHING;
END;

-- The days on which an issue entered and left steps: its part in flow_days.
ALTER TABLE issue_facts ADD COLUMN moves TEXT NOT NULL DEFAULT '';
-- What the facts were made by, beside what is noted: where it differs, all are made anew.
ALTER TABLE flow_states ADD COLUMN basis TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery_states ADD COLUMN basis TEXT NOT NULL DEFAULT '';
