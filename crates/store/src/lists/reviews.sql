WITH page AS (
  SELECT *
  FROM reviews
  WHERE client_id = :client
    AND (integration_id, repository_id, number, external_id)
      > (:after_integration, :after_first, :after_second, :after_third)
    AND (:updated_since IS NULL OR submitted_at >= :updated_since)
    AND (:state IS NULL OR state = upper(:state))
    AND (:repository IS NULL OR (integration_id, repository_id) IN (
      SELECT integration_id, external_id FROM repositories
      WHERE client_id = :client AND lower(full_name) = lower(:repository)))
  ORDER BY integration_id, repository_id, number, external_id
  LIMIT :limit
)
SELECT
  page.integration_id,
  page.repository_id,
  repositories.full_name AS repository,
  page.number,
  page.external_id,
  page.author,
  page.author_is_bot AS bot,
  page.state,
  page.submitted_at
FROM page
JOIN repositories ON repositories.client_id = page.client_id
  AND repositories.integration_id = page.integration_id
  AND repositories.external_id = page.repository_id
ORDER BY page.integration_id, page.repository_id, page.number, page.external_id
