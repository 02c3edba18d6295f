SELECT key AS name, NOT changelog_complete AS bad
FROM issues
WHERE client_id = :client AND NOT deleted
