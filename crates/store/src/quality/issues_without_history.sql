SELECT integration_id, external_id AS first, CAST(0 AS BIGINT) AS second, '' AS place,
  key AS name, CAST(NULL AS TEXT) AS detail, NOT changelog_complete AS bad
FROM issues
WHERE client_id = :client AND NOT deleted
