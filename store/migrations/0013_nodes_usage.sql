-- What administrators see of the portal's own: its nodes, each of which writes
-- its row every ten seconds, since there is no other way that they know of each
-- other; and what was used, as sums a day, so that a year of it stays small. The
-- audit has every single desktop.

-- +goose Up
CREATE TABLE nodes (
    id                TEXT   PRIMARY KEY, -- random, of one process
    host              TEXT   NOT NULL,
    version           TEXT   NOT NULL,
    started_at        BIGINT NOT NULL,
    seen_at           BIGINT NOT NULL,
    stopped_at        BIGINT NOT NULL, -- 0: it has not said goodbye
    targets_digest    TEXT   NOT NULL,
    targets_loaded_at BIGINT NOT NULL,
    targets_error     TEXT   NOT NULL, -- empty: the newest list was taken
    desktops          BIGINT NOT NULL
);

CREATE TABLE usage (
    day        TEXT   NOT NULL, -- 2026-11-22, as the node's clock on the wall has it
    target     TEXT   NOT NULL,
    account_id TEXT   NOT NULL,
    desktops   BIGINT NOT NULL, -- that were opened on the day
    seconds    BIGINT NOT NULL, -- that they were shown for
    PRIMARY KEY (target, day, account_id)
);
CREATE INDEX usage_day ON usage (day);

-- +goose Down
DROP TABLE usage;
DROP TABLE nodes;
