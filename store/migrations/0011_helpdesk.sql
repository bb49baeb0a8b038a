-- What helpdesk leaves behind beside the audit: an agent's session has found
-- out, by a code read back over the telephone, that a caller has the phone of an
-- account.

-- +goose Up
CREATE TABLE verified_callers (
    session_id TEXT   NOT NULL, -- the agent's
    account_id TEXT   NOT NULL,
    until      BIGINT NOT NULL,
    PRIMARY KEY (session_id, account_id)
);
CREATE INDEX verified_callers_until ON verified_callers (until);

-- +goose Down
DROP TABLE verified_callers;
