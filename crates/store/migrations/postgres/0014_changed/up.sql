-- What changed since the metrics were computed, so that only that is computed again. Nothing is noted of a
-- client whose metrics were never computed: then all of it is.

CREATE TABLE changed_issues (
  client_id      UUID NOT NULL,
  integration_id UUID NOT NULL,
  issue_id       BIGINT NOT NULL,
  PRIMARY KEY (client_id, integration_id, issue_id),
  FOREIGN KEY (client_id, integration_id, issue_id)
    REFERENCES issues (client_id, integration_id, external_id)
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

CREATE FUNCTION note_issues() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO changed_issues
  SELECT client_id, integration_id, external_id FROM changed
  WHERE EXISTS (SELECT 1 FROM flow_states WHERE flow_states.client_id = changed.client_id)
  ORDER BY client_id, integration_id, external_id
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE FUNCTION note_issues_of_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO changed_issues
  SELECT DISTINCT client_id, integration_id, issue_id FROM changed
  WHERE EXISTS (SELECT 1 FROM flow_states WHERE flow_states.client_id = changed.client_id)
  ORDER BY client_id, integration_id, issue_id
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE FUNCTION note_repositories() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO changed_repositories
  SELECT DISTINCT client_id, integration_id, repository_id, FALSE FROM changed
  WHERE EXISTS (SELECT 1 FROM delivery_states WHERE delivery_states.client_id = changed.client_id)
  ORDER BY client_id, integration_id, repository_id
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

DO $$
DECLARE
  noted RECORD;
BEGIN
  FOR noted IN
    SELECT t.name, t.note FROM (VALUES
      ('issues', 'note_issues'), ('issue_changes', 'note_issues_of_changes'),
      ('pull_requests', 'note_repositories'), ('commits', 'note_repositories'),
      ('pull_request_commits', 'note_repositories'), ('reviews', 'note_repositories'),
      ('review_comments', 'note_repositories'), ('comments', 'note_repositories'),
      ('deployments', 'note_repositories'), ('posted_deployments', 'note_repositories'),
      ('shipments', 'note_repositories'), ('pull_request_issues', 'note_repositories')
    ) AS t (name, note)
  LOOP
    EXECUTE format('CREATE TRIGGER note_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS changed '
      'FOR EACH STATEMENT EXECUTE FUNCTION %I()', noted.name, noted.note);
    EXECUTE format('CREATE TRIGGER note_update AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed '
      'FOR EACH STATEMENT EXECUTE FUNCTION %I()', noted.name, noted.note);
    -- Issues are never deleted, only marked.
    CONTINUE WHEN noted.name = 'issues';
    EXECUTE format('CREATE TRIGGER note_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS changed '
      'FOR EACH STATEMENT EXECUTE FUNCTION %I()', noted.name, noted.note);
  END LOOP;
END $$;

-- The days on which an issue entered and left steps: its part in flow_days.
ALTER TABLE issue_facts ADD COLUMN moves TEXT NOT NULL DEFAULT '';
-- What the facts were made by, beside what is noted: where it differs, all are made anew.
ALTER TABLE flow_states ADD COLUMN basis TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery_states ADD COLUMN basis TEXT NOT NULL DEFAULT '';
