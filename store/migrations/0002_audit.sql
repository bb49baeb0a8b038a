-- Audit events, each chained to the one before by its hash (store/audit.go says
-- over what). audit_head is one row: the place and hash of the newest event.
-- Appending updates it first, which makes writers wait for each other in every
-- database, and it is how deleting the newest events is found.

-- +goose Up
CREATE TABLE audit_events (
    seq        BIGINT NOT NULL PRIMARY KEY, -- 1, 2, 3, ... without a gap
    id         TEXT   NOT NULL UNIQUE,
    at         BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    result     TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    account_id TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    session_id TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    request_id TEXT   NOT NULL,
    detail     TEXT   NOT NULL, -- JSON object of strings, keys sorted
    previous   TEXT   NOT NULL, -- hash of event seq-1; empty for the first
    hash       TEXT   NOT NULL
);

CREATE INDEX audit_events_at ON audit_events (at);
CREATE INDEX audit_events_name ON audit_events (name, seq);
CREATE INDEX audit_events_account ON audit_events (account_id, seq);
CREATE INDEX audit_events_request ON audit_events (request_id);

CREATE TABLE audit_head (
    one  BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    seq  BIGINT NOT NULL,
    at   BIGINT NOT NULL,
    hash TEXT   NOT NULL
);
INSERT INTO audit_head (one, seq, at, hash) VALUES (1, 0, 0, '');

-- +goose Down
DROP TABLE audit_head;
DROP TABLE audit_events;
