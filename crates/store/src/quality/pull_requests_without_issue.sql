SELECT pulls.integration_id, pulls.repository_id AS first, pulls.number AS second, '' AS place,
  repositories.full_name || '#' || pulls.number AS name, pulls.title AS detail, NOT EXISTS (
  SELECT 1 FROM pull_request_issues AS links
  WHERE links.client_id = pulls.client_id AND links.integration_id = pulls.integration_id
    AND links.repository_id = pulls.repository_id AND links.number = pulls.number) AS bad
FROM pull_requests AS pulls
JOIN repositories ON repositories.client_id = pulls.client_id
  AND repositories.integration_id = pulls.integration_id
  AND repositories.external_id = pulls.repository_id
WHERE pulls.client_id = :client AND repositories.active
