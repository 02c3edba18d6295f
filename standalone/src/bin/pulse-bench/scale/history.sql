-- Three years of a large organisation, straight into the tables. The bench fills in {names}.

SET session_replication_role = replica; -- nothing to look up: every row has its parent
SET synchronous_commit = off;

INSERT INTO projects
SELECT {client}, {jira}, n, 'P' || n, 'Project ' || n, 'software', '[]', true
FROM generate_series(1, 20) n;
INSERT INTO issue_types VALUES
  ({client}, {jira}, 1, 'Story', 0, true), ({client}, {jira}, 2, 'Incident', 0, true);
INSERT INTO statuses VALUES
  ({client}, {jira}, 1, 'To Do', 'TO_DO', true), ({client}, {jira}, 2, 'In Progress', 'IN_PROGRESS', true),
  ({client}, {jira}, 3, 'In Review', 'IN_PROGRESS', true), ({client}, {jira}, 4, 'Done', 'DONE', true);

-- One in ten was opened again, and one in two hundred is an incident.
INSERT INTO issues (client_id, integration_id, external_id, project_id, key, type_id, status_id, summary,
  labels, sprints, created_at, updated_at, changelog_complete, deleted)
SELECT {client}, {jira}, n, 1 + n % 20, 'P' || 1 + n % 20 || '-' || n, CASE WHEN n % 200 = 0 THEN 2 ELSE 1 END,
  CASE WHEN n % 10 = 0 THEN 2 ELSE 4 END, 'Issue ' || n, '[]', '[]', at, at + interval '2 days', true, false
FROM (SELECT n, now() - interval '1095 days' * (1 - n / {issues}.0) AS at
      FROM generate_series(1, {issues}) n) each;

INSERT INTO issue_changes (client_id, integration_id, issue_id, change_id, item_index, field,
  from_value, from_string, to_value, to_string, author, changed_at)
SELECT {client}, {jira}, external_id, external_id * 8 + step, 0, 'status', from_id, names[from_id::int],
  to_id, names[to_id::int], 'ada', created_at + interval '6 hours' * step
FROM issues, (VALUES (1, '1', '2'), (2, '2', '3'), (3, '3', '2'), (4, '2', '3'), (5, '3', '2'), (6, '2', '3'),
  (7, '3', '4')) AS path (step, from_id, to_id), (SELECT '{To Do,In Progress,In Review,Done}'::text[]) AS known (names);
INSERT INTO issue_changes (client_id, integration_id, issue_id, change_id, item_index, field,
  from_value, from_string, to_value, to_string, author, changed_at)
SELECT {client}, {jira}, external_id, external_id * 8 + 8, 0, CASE WHEN status_id = 2 THEN 'status' ELSE 'assignee' END,
  CASE WHEN status_id = 2 THEN '4' END, 'Done', CASE WHEN status_id = 2 THEN '2' END, 'In Progress', 'ada',
  created_at + interval '48 hours'
FROM issues;

INSERT INTO repositories
SELECT {client}, {github}, n, 'acme/service-' || n, 'main', false, true FROM generate_series(1, {repositories}) n;

-- Pull requests follow each other, so each commit of the default branch has the one before as its parent.
CREATE TEMPORARY TABLE merges AS
SELECT repository, n AS number, (repository - 1) * {each} + n AS issue,
  lpad(to_hex(repository::bigint * 100000000 + n * 2), 40, '0') AS head,
  lpad(to_hex(repository::bigint * 100000000 + n * 2 + 1), 40, '0') AS merge,
  lpad(to_hex(repository::bigint * 100000000 + n * 2 - 1), 40, '0') AS before,
  now() - interval '1095 days' * (1 - n / {each}.0) AS at
FROM generate_series(1, {repositories}) repository, generate_series(1, {each}) n;

INSERT INTO pull_requests (client_id, integration_id, repository_id, number, external_id, title, state, draft,
  author, author_is_bot, created_at, updated_at, merged_at, closed_at, merge_commit_sha, head_ref, base_ref,
  head_sha, additions, deletions, changed_files)
SELECT {client}, {github}, repository, number, number, 'Change ' || number, 'MERGED', false, 'bob', false,
  at - interval '1 day', at, at, at, merge, 'P' || 1 + issue % 20 || '-' || issue, 'main', head, 10, 2, 3
FROM merges;
INSERT INTO commits
SELECT {client}, {github}, repository, head, 'bob', at - interval '2 days', at - interval '2 days', 'Change',
  jsonb_build_array(before) FROM merges
UNION ALL
SELECT {client}, {github}, repository, merge, 'bob', at, at, 'Merge', jsonb_build_array(before, head) FROM merges;
INSERT INTO pull_request_commits SELECT {client}, {github}, repository, number, head, 0 FROM merges;
INSERT INTO reviews
SELECT {client}, {github}, repository, number, number, 'eve', false, 'APPROVED', at - interval '20 hours' FROM merges;
INSERT INTO pull_request_issues (client_id, integration_id, repository_id, number, issue_integration_id, issue_id,
  via, key_seen)
SELECT {client}, {github}, repository, number, {jira}, issue, 'branch', 'P' || 1 + issue % 20 || '-' || issue
FROM merges WHERE issue <= {issues};
-- Every tenth is deployed, and one deployment in twenty fails.
INSERT INTO deployments
SELECT {client}, {github}, repository, number::text, 'production', merge,
  CASE WHEN number % 200 = 0 THEN 'FAILURE' ELSE 'SUCCESS' END, at, at + interval '1 hour', false
FROM merges WHERE number % 10 = 0;
DROP TABLE merges;
