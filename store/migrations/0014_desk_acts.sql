-- What agents have done for others, in the last 24 hours: how many that may be
-- is a limit over any 24 hours. It was counted in a window that began with the
-- first act (throttle), and so twice as many fitted around the window's end.

-- +goose Up
CREATE TABLE desk_acts (
    agent_id TEXT   NOT NULL,
    nth      BIGINT NOT NULL, -- of the agent: of two that are counted at one moment the key lets one in
    at       BIGINT NOT NULL,
    PRIMARY KEY (agent_id, nth)
);
CREATE INDEX desk_acts_at ON desk_acts (at);

-- +goose Down
DROP TABLE desk_acts;
