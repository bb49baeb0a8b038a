-- What helpdesk's rules need to know of people.
--
-- people.lang:     the language of a person's last login: what an agent sends them
--                  is written in it, and not in the agent's. '': not known.
-- factor_removals: that an agent has taken a second factor from an account. For
--                  the cool-down that agent gives no bypass code for it on their
--                  word alone, and nobody alone a first number.

-- +goose Up
ALTER TABLE people ADD COLUMN lang TEXT NOT NULL DEFAULT '';

CREATE TABLE factor_removals (
    account_id TEXT   NOT NULL,
    by_id      TEXT   NOT NULL,
    at         BIGINT NOT NULL, -- the last time; 0: never, the row is a lock only
    PRIMARY KEY (account_id, by_id)
);

-- +goose Down
DROP TABLE factor_removals;
ALTER TABLE people DROP COLUMN lang;
