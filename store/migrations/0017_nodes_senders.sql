-- How the senders of codes do on each node: its breakers are its own, and an
-- administrator's page is another node's two times out of three.

-- +goose Up
ALTER TABLE nodes ADD COLUMN senders TEXT NOT NULL DEFAULT '[]'; -- JSON, of store.SenderHealth

-- +goose Down
ALTER TABLE nodes DROP COLUMN senders;
