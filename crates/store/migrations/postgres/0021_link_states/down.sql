DROP TABLE link_states;
