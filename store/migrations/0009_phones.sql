-- Numbers that the portal knows itself, beside the directory's, and the notices
-- that tell people of a change.
--
-- phones:        the state of an account: its own verified number, or that its
--                number of the directory was confirmed; and whether it is frozen.
--                Whoever changes anything of an account updates this row first, so
--                that in every database changes to one account come one after the
--                other.
-- phone_changes: every number that was asked for. At most one of an account waits.
-- phone_history: what was done, by whom, from where and why. Rows are added and
--                never altered.
-- notices:       messages to people, waiting to be sent. No secret is here: the
--                token of a link is computed when its message is sent.

-- +goose Up
CREATE TABLE phones (
    account_id  TEXT   NOT NULL PRIMARY KEY,
    phone       TEXT   NOT NULL, -- '': none
    own         BIGINT NOT NULL, -- 1: this number; 0: the directory's, where it still is this one
    how         TEXT   NOT NULL, -- verified by: code, caller, directory-confirmed, agents, cli
    verified_at BIGINT NOT NULL,
    by_id       TEXT   NOT NULL,
    by_name     TEXT   NOT NULL,
    frozen_at   BIGINT NOT NULL, -- 0: not frozen
    turn        BIGINT NOT NULL
);

CREATE TABLE phone_changes (
    id             TEXT   NOT NULL PRIMARY KEY,
    account_id     TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    old_phone      TEXT   NOT NULL, -- '': the account had none
    new_phone      TEXT   NOT NULL,
    by_id          TEXT   NOT NULL,
    by_name        TEXT   NOT NULL,
    at             BIGINT NOT NULL,
    address        TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    how            TEXT   NOT NULL,
    state          TEXT   NOT NULL, -- pending, applied, frozen, cancelled
    due_at         BIGINT NOT NULL, -- when it takes effect by itself; 0: never
    applied_at     BIGINT NOT NULL,
    ended_at       BIGINT NOT NULL, -- frozen or cancelled
    confirmed_id   TEXT   NOT NULL,
    confirmed_name TEXT   NOT NULL,
    -- The row of phones before it took effect, for the way back.
    before_phone   TEXT   NOT NULL,
    before_own     BIGINT NOT NULL,
    before_how     TEXT   NOT NULL,
    before_at      BIGINT NOT NULL,
    before_id      TEXT   NOT NULL,
    before_name    TEXT   NOT NULL
);
CREATE UNIQUE INDEX phone_changes_pending ON phone_changes (account_id) WHERE state = 'pending';
CREATE INDEX phone_changes_due ON phone_changes (state, due_at);

CREATE TABLE phone_history (
    account_id TEXT   NOT NULL,
    line       BIGINT NOT NULL, -- 1, 2, ... of the account
    at         BIGINT NOT NULL,
    act        TEXT   NOT NULL, -- asked, applied, confirmed, cancelled, frozen, unfrozen, directory-confirmed
    change_id  TEXT   NOT NULL,
    old_phone  TEXT   NOT NULL,
    new_phone  TEXT   NOT NULL,
    by_id      TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    how        TEXT   NOT NULL,
    PRIMARY KEY (account_id, line)
);

CREATE TABLE notices (
    id         TEXT   NOT NULL PRIMARY KEY,
    account_id TEXT   NOT NULL,
    channel    TEXT   NOT NULL, -- sms, mail
    recipient  TEXT   NOT NULL,
    name       TEXT   NOT NULL, -- of the person, as the text addresses them
    lang       TEXT   NOT NULL,
    key        TEXT   NOT NULL, -- of the text
    args       TEXT   NOT NULL, -- JSON
    change_id  TEXT   NOT NULL, -- whose freeze link it carries; '': none
    at         BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state      TEXT   NOT NULL, -- queued, sent, failed
    tries      BIGINT NOT NULL,
    next_at    BIGINT NOT NULL, -- not taken before; while one node sends it, the end of its lease
    lease      TEXT   NOT NULL, -- of who has it now
    error      TEXT   NOT NULL
);
CREATE INDEX notices_queue ON notices (state, next_at);
CREATE INDEX notices_account ON notices (account_id, at);
CREATE INDEX notices_recipient ON notices (recipient, at);

-- +goose Down
DROP TABLE notices;
DROP TABLE phone_history;
DROP TABLE phone_changes;
DROP TABLE phones;
