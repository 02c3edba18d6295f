DROP TABLE flow_states;
DROP TABLE flow_days;
DROP TABLE issue_facts;
