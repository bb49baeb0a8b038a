-- The cookie of a remembered device is signed under the server key over the
-- device's id, account and end: what stands here neither holds a secret nor lets
-- anybody make such a cookie. Devices whose cookie held a secret are forgotten.

-- +goose Up
DELETE FROM devices;
ALTER TABLE devices DROP COLUMN secret_hash;

-- +goose Down
DELETE FROM devices;
ALTER TABLE devices ADD COLUMN secret_hash TEXT NOT NULL DEFAULT '';
