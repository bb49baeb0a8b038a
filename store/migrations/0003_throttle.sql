-- Tries under a key within a window: logins of an account, requests of an
-- address. In the database, so that a restart or a second node forgets nothing.

-- +goose Up
CREATE TABLE throttle (
    key        TEXT   NOT NULL PRIMARY KEY,
    tries      BIGINT NOT NULL,
    window_end BIGINT NOT NULL
);
CREATE INDEX throttle_window_end ON throttle (window_end);

-- +goose Down
DROP TABLE throttle;
