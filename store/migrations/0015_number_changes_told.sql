-- Whom to tell, and in which language, when a change of number takes effect
-- later: then nobody is there who knows. '' of changes that were asked for before.

-- +goose Up
ALTER TABLE phone_changes ADD COLUMN mail TEXT NOT NULL DEFAULT '';
ALTER TABLE phone_changes ADD COLUMN lang TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE phone_changes DROP COLUMN lang;
ALTER TABLE phone_changes DROP COLUMN mail;
