-- Two accounts may have codes sent to one number or address, and each message
-- counts for the account's limit and for the recipient's.
--
-- code_sends.cleared: 1 when the row counts no more for its account's limits.
-- code_sends.cleared_phone: 1 when it counts no more for its recipient's: also when
--   the helpdesk let the other account be sent a code again.

-- +goose Up
ALTER TABLE code_sends ADD COLUMN cleared_phone BIGINT NOT NULL DEFAULT 0;
UPDATE code_sends SET cleared_phone = cleared;

-- +goose Down
ALTER TABLE code_sends DROP COLUMN cleared_phone;
