-- Sessions. The database holds only the SHA-256 of the secret in the browser's
-- cookie, and what is sealed in a session opens only with a key that only the
-- browser has: whoever copies the file can be nobody. Rows of ended sessions
-- stay a day, so that the portal can say why somebody was logged out.
-- Times are unix milliseconds, 0 where there is none.

-- +goose Up
CREATE TABLE sessions (
    id          TEXT   NOT NULL PRIMARY KEY,
    secret_hash TEXT   NOT NULL,
    step        TEXT   NOT NULL,
    account_id  TEXT   NOT NULL,
    account     TEXT   NOT NULL,
    sealed      TEXT   NOT NULL, -- base64
    challenge   TEXT   NOT NULL,
    return_to   TEXT   NOT NULL,
    address     TEXT   NOT NULL,
    user_agent  TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL,
    end_reason  TEXT   NOT NULL
);

-- The sweep and the limits per account look at live sessions only; the partial
-- index keeps them fast whatever the number of ended ones.
CREATE INDEX sessions_live ON sessions (account_id, created_at) WHERE ended_at = 0;
CREATE INDEX sessions_ended ON sessions (ended_at);

-- +goose Down
DROP TABLE sessions;
