-- Second factors besides codes by SMS, and who has them. No secret is readable
-- here: an app's is sealed under a key outside the database, of a key there is
-- the public half only, of printed and bypass codes and remembered devices a
-- hash. Times are unix milliseconds, 0 where there is none.
--
-- factors:       authenticator apps and security keys.
-- factor_codes:  backup codes that a person printed, and bypass codes that
--                helpdesk gave out. A used one stays until new ones are made.
-- factor_setups: what one session has been shown and not answered yet: the
--                challenge of a key, the secret of an app that is being set up.
-- devices:       browsers that are asked for the password only.
-- people:        who has logged in since this table is there, as the portal
--                knew them then: for helpdesk's search and for the enrolment.

-- +goose Up
CREATE TABLE factors (
    id         TEXT   NOT NULL PRIMARY KEY,
    account_id TEXT   NOT NULL,
    kind       TEXT   NOT NULL, -- app, key
    name       TEXT   NOT NULL,
    secret     TEXT   NOT NULL,
    credential TEXT   NOT NULL, -- a key's id; empty of an app
    last_step  BIGINT NOT NULL, -- the app's time step that was used last
    added_at   BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX factors_account ON factors (account_id, kind);
CREATE UNIQUE INDEX factors_credential ON factors (credential) WHERE credential <> '';

CREATE TABLE factor_codes (
    account_id TEXT   NOT NULL,
    kind       TEXT   NOT NULL, -- backup, bypass
    hash       TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    made_by    TEXT   NOT NULL, -- the agent's account id; empty: the person
    expires_at BIGINT NOT NULL, -- 0: does not
    used_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, hash)
);

CREATE TABLE factor_setups (
    session_id TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    data       TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, kind)
);

CREATE TABLE devices (
    id          TEXT   NOT NULL PRIMARY KEY,
    account_id  TEXT   NOT NULL,
    secret_hash TEXT   NOT NULL,
    user_agent  TEXT   NOT NULL,
    address     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    used_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX devices_account ON devices (account_id);

CREATE TABLE people (
    account_id   TEXT   NOT NULL PRIMARY KEY,
    domain       TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    display_name TEXT   NOT NULL,
    mail         TEXT   NOT NULL,
    phone        TEXT   NOT NULL, -- E.164; empty: no usable one
    phone_source TEXT   NOT NULL,
    factors      TEXT   NOT NULL, -- sms,app,key,backup
    policy       TEXT   NOT NULL, -- off, voluntary, required
    policy_from  BIGINT NOT NULL, -- when voluntary becomes required
    last_factor  TEXT   NOT NULL,
    last_login   BIGINT NOT NULL,
    search       TEXT   NOT NULL  -- what people look for, in lower case, a line each
);
CREATE INDEX people_domain ON people (domain, name);

-- +goose Down
DROP TABLE people;
DROP TABLE devices;
DROP TABLE factor_setups;
DROP TABLE factor_codes;
DROP TABLE factors;
