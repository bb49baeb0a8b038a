-- Why a message was not handed over, in one word (refused, no-answer, number), for
-- the person who waits: the reason beside it is the provider's text, which only
-- helpdesk reads.

-- +goose Up
ALTER TABLE code_sends ADD COLUMN cause TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE code_sends DROP COLUMN cause;
