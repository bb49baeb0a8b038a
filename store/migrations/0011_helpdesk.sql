-- What helpdesk leaves behind beside the audit.
--
-- verified_callers: an agent's session has found out, by a code read back over
--                   the telephone, that a caller has the phone of an account.
-- cleared_at:       messages before it count no more toward the hour's and the
--                   day's limits of an account and its number: an agent lifted them.

-- +goose Up
CREATE TABLE verified_callers (
    session_id TEXT   NOT NULL, -- the agent's
    account_id TEXT   NOT NULL,
    until      BIGINT NOT NULL,
    PRIMARY KEY (session_id, account_id)
);
CREATE INDEX verified_callers_until ON verified_callers (until);

ALTER TABLE code_accounts ADD COLUMN cleared_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE code_accounts DROP COLUMN cleared_at;
DROP TABLE verified_callers;
