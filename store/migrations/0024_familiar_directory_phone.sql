-- people.familiar:        how often the browsers that an account has logged in from
--                         became strangers to it. Their cookies are signed over it.
-- phones.directory_phone: the directory's number that codes went to at the last
--                         login that took it from there, so that the next one
--                         sees another; '': there was none. Who has logged in
--                         before has the one of that time.

-- +goose Up
ALTER TABLE people ADD COLUMN familiar BIGINT NOT NULL DEFAULT 0;
ALTER TABLE phones ADD COLUMN directory_phone TEXT NOT NULL DEFAULT '';
INSERT INTO phones (account_id, phone, own, how, verified_at, by_id, by_name, frozen_at, turn, directory_phone)
SELECT account_id, '', 0, '', 0, '', '', 0, 1, phone FROM people WHERE phone_source = 'directory' AND phone <> ''
ON CONFLICT (account_id) DO UPDATE SET directory_phone = excluded.directory_phone;

-- +goose Down
ALTER TABLE phones DROP COLUMN directory_phone;
ALTER TABLE people DROP COLUMN familiar;
