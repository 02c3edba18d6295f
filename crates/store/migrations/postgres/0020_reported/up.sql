-- What was last reported on each day, for whoever asks later what people saw then. A day is a number of days
-- since 1970, in the client's time zone.
CREATE TABLE reported (
  client_id UUID   NOT NULL REFERENCES clients (id),
  report    TEXT   NOT NULL,
  day       INTEGER NOT NULL,
  told_at   TIMESTAMPTZ NOT NULL,
  answer    BYTEA NOT NULL,
  PRIMARY KEY (client_id, report, day)
);
