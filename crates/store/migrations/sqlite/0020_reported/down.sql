DROP TABLE reported;
