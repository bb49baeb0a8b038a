-- A caller who has no number may read back a code that went to their mail. That
-- is worth less than one from their phone, as the mailbox often has the same
-- password: what was read back from where is remembered.

-- +goose Up
ALTER TABLE verified_callers ADD COLUMN way TEXT NOT NULL DEFAULT 'sms'; -- or 'mail'

-- +goose Down
DELETE FROM verified_callers WHERE way <> 'sms';
ALTER TABLE verified_callers DROP COLUMN way;
