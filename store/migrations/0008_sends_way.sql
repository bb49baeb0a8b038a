-- The way of a message, so that the person who waits and the helpdesk see what
-- became of it, and so that a country can have a limit of its own.
--
-- code_sends.state: claimed, then sent, unsure or failed by the hand-over, then
--   delivered or undelivered by the provider's receipt. It never goes back.
-- code_sends.cleared: 1 when the helpdesk let the account be sent a code again.
--   The row then counts for the limits of the prefix, the country and all alone.
-- code_receipts: receipts that came before the hand-over had ended, when the
--   provider's reference was not known yet. Purged after an hour.

-- +goose Up
ALTER TABLE code_challenges ADD COLUMN purpose TEXT NOT NULL DEFAULT 'login';
ALTER TABLE code_sends ADD COLUMN purpose TEXT NOT NULL DEFAULT 'login';
ALTER TABLE code_sends ADD COLUMN country TEXT NOT NULL DEFAULT ''; -- ISO 3166
ALTER TABLE code_sends ADD COLUMN sender TEXT NOT NULL DEFAULT '';  -- its name in the configuration
ALTER TABLE code_sends ADD COLUMN handed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE code_sends ADD COLUMN ended_at BIGINT NOT NULL DEFAULT 0; -- delivered, undelivered or failed
ALTER TABLE code_sends ADD COLUMN reason TEXT NOT NULL DEFAULT ''; -- of what went wrong: the sender's or the provider's words
ALTER TABLE code_sends ADD COLUMN cleared BIGINT NOT NULL DEFAULT 0;
CREATE INDEX code_sends_challenge ON code_sends (challenge_id, at);
CREATE INDEX code_sends_country ON code_sends (country, at);
CREATE INDEX code_sends_reference ON code_sends (reference);

CREATE TABLE code_receipts (
    sender    TEXT   NOT NULL,
    reference TEXT   NOT NULL,
    state     TEXT   NOT NULL,
    reason    TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (sender, reference)
);
CREATE INDEX code_receipts_at ON code_receipts (at);

-- +goose Down
DROP TABLE code_receipts;
DROP INDEX code_sends_reference;
DROP INDEX code_sends_country;
DROP INDEX code_sends_challenge;
ALTER TABLE code_sends DROP COLUMN cleared;
ALTER TABLE code_sends DROP COLUMN reason;
ALTER TABLE code_sends DROP COLUMN ended_at;
ALTER TABLE code_sends DROP COLUMN handed_at;
ALTER TABLE code_sends DROP COLUMN sender;
ALTER TABLE code_sends DROP COLUMN country;
ALTER TABLE code_sends DROP COLUMN purpose;
ALTER TABLE code_challenges DROP COLUMN purpose;
