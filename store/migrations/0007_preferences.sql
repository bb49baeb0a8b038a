-- What a person has chosen and finds again on any computer: the keyboard, how
-- large a desktop is shown. It is the account's, since logging out empties what
-- the browser keeps.

-- +goose Up
CREATE TABLE preferences (
    account_id TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, name)
);

-- +goose Down
DROP TABLE preferences;
