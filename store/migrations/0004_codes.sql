-- One-time codes. No code is here: it is computed from the challenge's id and a
-- key outside the database.
--
-- code_challenges: a code that somebody was asked for.
-- code_sends:      every message that was handed, or was to be handed, to a
--                  sender. All limits on sending are counted over these rows.
-- code_accounts:   wrong codes in a row, on the account: neither a new code nor
--                  a new session resets them (NIST SP 800-63B 3.1.3.2).
-- code_gate:       one row. Whoever opens a challenge or claims a send updates it
--                  first, so that in every database these come one after the
--                  other and parallel requests cannot count past a limit.

-- +goose Up
CREATE TABLE code_challenges (
    id         TEXT   NOT NULL PRIMARY KEY,
    session_id TEXT   NOT NULL,
    account_id TEXT   NOT NULL,
    phone      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    sent_at    BIGINT NOT NULL,
    tries      BIGINT NOT NULL
);
CREATE INDEX code_challenges_session ON code_challenges (session_id);
CREATE INDEX code_challenges_created ON code_challenges (created_at);

CREATE TABLE code_sends (
    id           TEXT   NOT NULL PRIMARY KEY, -- the message's id
    challenge_id TEXT   NOT NULL,
    account_id   TEXT   NOT NULL,
    phone        TEXT   NOT NULL,
    prefix       TEXT   NOT NULL,
    proven       BIGINT NOT NULL, -- 1: the account has typed a right code from this number before
    at           BIGINT NOT NULL,
    state        TEXT   NOT NULL, -- claimed, sent, unsure, failed
    reference    TEXT   NOT NULL  -- the provider's id
);
CREATE INDEX code_sends_account ON code_sends (account_id, at);
CREATE INDEX code_sends_phone ON code_sends (phone, at);
CREATE INDEX code_sends_prefix ON code_sends (prefix, at);
CREATE INDEX code_sends_at ON code_sends (at);

CREATE TABLE code_accounts (
    account_id   TEXT   NOT NULL PRIMARY KEY,
    wrong        BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    proven_phone TEXT   NOT NULL
);

CREATE TABLE code_gate (
    one  BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    turn BIGINT NOT NULL
);
INSERT INTO code_gate (one, turn) VALUES (1, 0);

-- +goose Down
DROP TABLE code_gate;
DROP TABLE code_accounts;
DROP TABLE code_sends;
DROP TABLE code_challenges;
