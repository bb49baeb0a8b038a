-- The live desktops of all nodes, so that helpdesk sees them from any, and what
-- helpdesk orders about one, which the node that has it takes. A node that was
-- killed takes its rows along no more: who reads them goes by seen_at.
--
-- The audit is searched by person, target, kind and time, newest first: each
-- index ends in seq, so that a page of results costs as much as it shows.

-- +goose Up
CREATE TABLE live_desktops (
    id          TEXT   NOT NULL PRIMARY KEY,
    node        TEXT   NOT NULL,
    session_id  TEXT   NOT NULL,
    account_id  TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    display     TEXT   NOT NULL,
    target      TEXT   NOT NULL,
    target_name TEXT   NOT NULL,
    address     TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    opened_at   BIGINT NOT NULL,
    input_at    BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL
);
CREATE INDEX live_desktops_node ON live_desktops (node);
CREATE INDEX live_desktops_account ON live_desktops (account_id);

CREATE TABLE desktop_orders (
    id         TEXT   NOT NULL PRIMARY KEY,
    desktop_id TEXT   NOT NULL,
    node       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    text       TEXT   NOT NULL,
    ordered_by TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    taken_at   BIGINT NOT NULL,
    done_at    BIGINT NOT NULL -- a message: when the page showed it
);
CREATE INDEX desktop_orders_node ON desktop_orders (node, taken_at);
CREATE INDEX desktop_orders_desktop ON desktop_orders (desktop_id, created_at);

DROP INDEX audit_events_at;
DROP INDEX audit_events_name;
CREATE INDEX audit_events_at ON audit_events (at, seq);
CREATE INDEX audit_events_name ON audit_events (lower(name), seq);
CREATE INDEX audit_events_target ON audit_events (target, seq);
CREATE INDEX audit_events_kind ON audit_events (kind, seq);
CREATE INDEX audit_events_session ON audit_events (session_id, seq);

-- Whom an event is about that somebody else did: the account in its detail.
CREATE TABLE audit_about (
    account_id TEXT   NOT NULL,
    name       TEXT   NOT NULL, -- lower case
    seq        BIGINT NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX audit_about_account ON audit_about (account_id, seq);
CREATE INDEX audit_about_name ON audit_about (name, seq);

-- +goose Down
DROP TABLE audit_about;
DROP INDEX audit_events_session;
DROP INDEX audit_events_kind;
DROP INDEX audit_events_target;
DROP INDEX audit_events_name;
DROP INDEX audit_events_at;
CREATE INDEX audit_events_at ON audit_events (at);
CREATE INDEX audit_events_name ON audit_events (name, seq);
DROP TABLE desktop_orders;
DROP TABLE live_desktops;
