-- What the policy of factors goes by besides the domain, so that who has not
-- enrolled what it asks can be told by the policy of today: what was noted at
-- the last login (people.policy) was true then. Empty until the next login.

-- +goose Up
ALTER TABLE people ADD COLUMN policy_groups TEXT NOT NULL DEFAULT ''; -- of the policy's, those that the person is in, a line each
ALTER TABLE people ADD COLUMN strong BIGINT NOT NULL DEFAULT 0; -- 1: helps others or administers

-- +goose Down
ALTER TABLE people DROP COLUMN strong;
ALTER TABLE people DROP COLUMN policy_groups;
