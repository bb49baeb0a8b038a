-- What people keep at the top of their list: the targets they marked, and those
-- they opened lately. By account, not by session, so that it is the same on every
-- machine; without a key to anything else, since the list of targets is a file.

-- +goose Up
CREATE TABLE favourites (
    account_id TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    added_at   BIGINT NOT NULL,
    PRIMARY KEY (account_id, target)
);
CREATE TABLE recents (
    account_id TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    used_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, target)
);
CREATE INDEX recents_used_at ON recents (used_at);

-- +goose Down
DROP TABLE recents;
DROP TABLE favourites;
