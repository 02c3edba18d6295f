SELECT integration_id, external_id, full_name, default_branch, archived
FROM repositories
WHERE client_id = :client
  AND (integration_id, external_id) > (:after_integration, :after_first)
  AND (:repository IS NULL OR lower(full_name) = lower(:repository))
ORDER BY integration_id, external_id
LIMIT :limit
