DROP TABLE missing_commits;
