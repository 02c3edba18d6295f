-- The page comes first; what hangs on its pull requests is then counted for them alone.
WITH page AS (
  SELECT *
  FROM pull_requests
  WHERE client_id = :client
    AND (integration_id, repository_id, number)
      > (:after_integration, :after_first, :after_second)
    AND (:updated_since IS NULL OR updated_at >= :updated_since)
    AND (:state IS NULL OR state = upper(:state))
    AND (:repository IS NULL OR (integration_id, repository_id) IN (
      SELECT integration_id, external_id FROM repositories
      WHERE client_id = :client AND lower(full_name) = lower(:repository)))
  ORDER BY integration_id, repository_id, number
  LIMIT :limit
),
keys AS (
  SELECT client_id, integration_id, repository_id, number FROM page
),
commit_counts AS (
  SELECT links.integration_id, links.repository_id, links.number,
    count(*) AS commits, min(commits.authored_at) AS first_commit_at
  FROM keys CROSS JOIN pull_request_commits AS links CROSS JOIN commits
  WHERE links.client_id = keys.client_id AND links.integration_id = keys.integration_id
    AND links.repository_id = keys.repository_id AND links.number = keys.number
    AND commits.client_id = links.client_id AND commits.integration_id = links.integration_id
    AND commits.repository_id = links.repository_id AND commits.sha = links.sha
  GROUP BY links.integration_id, links.repository_id, links.number
),
review_counts AS (
  SELECT reviews.integration_id, reviews.repository_id, reviews.number, count(*) AS reviews
  FROM keys CROSS JOIN reviews
  WHERE reviews.client_id = keys.client_id AND reviews.integration_id = keys.integration_id
    AND reviews.repository_id = keys.repository_id AND reviews.number = keys.number
  GROUP BY reviews.integration_id, reviews.repository_id, reviews.number
),
review_comment_counts AS (
  SELECT review_comments.integration_id, review_comments.repository_id, review_comments.number,
    count(*) AS review_comments
  FROM keys CROSS JOIN review_comments
  WHERE review_comments.client_id = keys.client_id
    AND review_comments.integration_id = keys.integration_id
    AND review_comments.repository_id = keys.repository_id
    AND review_comments.number = keys.number
  GROUP BY review_comments.integration_id, review_comments.repository_id, review_comments.number
),
comment_counts AS (
  SELECT comments.integration_id, comments.repository_id, comments.number, count(*) AS comments
  FROM keys CROSS JOIN comments
  WHERE comments.client_id = keys.client_id AND comments.integration_id = keys.integration_id
    AND comments.repository_id = keys.repository_id AND comments.number = keys.number
  GROUP BY comments.integration_id, comments.repository_id, comments.number
),
named_issues AS (
  SELECT links.integration_id, links.repository_id, links.number,
    string_agg(issues.key, ' ' ORDER BY issues.key) AS issue_keys
  FROM keys CROSS JOIN pull_request_issues AS links CROSS JOIN issues
  WHERE links.client_id = keys.client_id AND links.integration_id = keys.integration_id
    AND links.repository_id = keys.repository_id AND links.number = keys.number
    AND issues.client_id = links.client_id
    AND issues.integration_id = links.issue_integration_id
    AND issues.external_id = links.issue_id
    AND NOT issues.deleted
  GROUP BY links.integration_id, links.repository_id, links.number
)
SELECT
  page.integration_id,
  page.repository_id,
  repositories.full_name AS repository,
  page.number,
  page.external_id,
  page.title,
  page.state,
  page.draft,
  page.author,
  page.created_at,
  page.updated_at,
  page.merged_at,
  page.closed_at,
  page.merge_commit_sha,
  page.head_ref,
  page.base_ref,
  page.head_sha,
  page.additions,
  page.deletions,
  page.changed_files,
  coalesce(commit_counts.commits, 0) AS commits,
  coalesce(review_counts.reviews, 0) AS reviews,
  coalesce(review_comment_counts.review_comments, 0) AS review_comments,
  coalesce(comment_counts.comments, 0) AS comments,
  commit_counts.first_commit_at,
  facts.first_review_at,
  facts.coding_seconds,
  facts.pickup_seconds,
  facts.review_seconds,
  facts.deploy_seconds,
  facts.lead_seconds AS lead_time_seconds,
  facts.deployment_id,
  coalesce(named_issues.issue_keys, '') AS issue_keys
FROM page
JOIN repositories ON repositories.client_id = page.client_id
  AND repositories.integration_id = page.integration_id
  AND repositories.external_id = page.repository_id
LEFT JOIN pull_request_facts AS facts ON facts.client_id = page.client_id
  AND facts.integration_id = page.integration_id
  AND facts.repository_id = page.repository_id AND facts.number = page.number
LEFT JOIN commit_counts ON commit_counts.integration_id = page.integration_id
  AND commit_counts.repository_id = page.repository_id AND commit_counts.number = page.number
LEFT JOIN review_counts ON review_counts.integration_id = page.integration_id
  AND review_counts.repository_id = page.repository_id AND review_counts.number = page.number
LEFT JOIN review_comment_counts ON review_comment_counts.integration_id = page.integration_id
  AND review_comment_counts.repository_id = page.repository_id
  AND review_comment_counts.number = page.number
LEFT JOIN comment_counts ON comment_counts.integration_id = page.integration_id
  AND comment_counts.repository_id = page.repository_id AND comment_counts.number = page.number
LEFT JOIN named_issues ON named_issues.integration_id = page.integration_id
  AND named_issues.repository_id = page.repository_id AND named_issues.number = page.number
ORDER BY page.integration_id, page.repository_id, page.number
