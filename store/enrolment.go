package store

import (
	"context"
	"database/sql"
	"time"
)

// Holding is somebody who has logged in, with what they could prove themselves
// with now; Person.Factors is what they could at their last login.
type Holding struct {
	Person
	Number, App, Key, Backup bool
}

// Holdings goes through the people of a domain ("": of all), who logged in last
// first. An error of each ends it and comes back. each must not use the store.
func (s *Store) Holdings(ctx context.Context, domain string, now time.Time, each func(Holding) error) error {
	var stopped error
	err := s.read.rows(ctx, func(rows *sql.Rows) error {
		var h Holding
		if err := scanPerson(rows, &h.Person, &h.Number, &h.App, &h.Key, &h.Backup); err != nil {
			return err
		}
		stopped = each(h)
		return stopped
	}, `SELECT `+personColumns+`,
			CASE WHEN phone <> '' OR EXISTS (SELECT 1 FROM phones WHERE phones.account_id = people.account_id AND own = 1 AND phones.phone <> '') THEN 1 ELSE 0 END,
			CASE WHEN EXISTS (SELECT 1 FROM factors AS f WHERE f.account_id = people.account_id AND kind = 'app') THEN 1 ELSE 0 END,
			CASE WHEN EXISTS (SELECT 1 FROM factors AS f WHERE f.account_id = people.account_id AND kind = 'key') THEN 1 ELSE 0 END,
			CASE WHEN EXISTS (SELECT 1 FROM factor_codes AS c WHERE c.account_id = people.account_id AND kind = 'backup'
				AND used_at = 0 AND (expires_at = 0 OR expires_at > $2)) THEN 1 ELSE 0 END
		FROM people WHERE $1 = '' OR domain = $1 ORDER BY last_login DESC, domain, name`, domain, millis(now))
	if stopped != nil {
		return stopped
	}
	return fault("holdings", err)
}
