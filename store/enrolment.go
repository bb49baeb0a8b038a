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

// DomainEnrolment is how far a domain has come with second factors, of those who
// have ever logged in.
type DomainEnrolment struct {
	Domain               string
	People               int
	Lately               int // of them who logged in lately
	Codes, Apps, Keys    int // who have a number for codes, an authenticator app, a passkey
	Backups              int // who have backup codes
	Without              int // who have none of codes, apps and keys
	MustNow              int // of those without, who must have one already
	MustFrom             time.Time
	MustLater, NeverMust int // of those without: from a day on, MustFrom being the first; and not at all
}

// withoutFactor are people who have nothing to log in with besides a password:
// backup codes stand in for something that one has.
const withoutFactor = `(factors = '' OR factors = 'backup')`

// EnrolmentByDomain counts the people of each domain; lately is from when on a
// login is a late one, now what dates are held against.
func (s *Store) EnrolmentByDomain(ctx context.Context, lately, now time.Time) (found []DomainEnrolment, err error) {
	err = s.read.rows(ctx, func(rows *sql.Rows) error {
		var e DomainEnrolment
		var from int64
		err := rows.Scan(&e.Domain, &e.People, &e.Lately, &e.Codes, &e.Apps, &e.Keys, &e.Backups, &e.Without, &e.MustNow, &e.MustLater, &from)
		e.MustFrom, e.NeverMust = fromMillis(from), e.Without-e.MustNow-e.MustLater
		found = append(found, e)
		return err
	}, `SELECT domain, COUNT(*),
			SUM(CASE WHEN last_login >= $1 THEN 1 ELSE 0 END),
			SUM(CASE WHEN ',' || factors || ',' LIKE '%,sms,%' THEN 1 ELSE 0 END),
			SUM(CASE WHEN ',' || factors || ',' LIKE '%,app,%' THEN 1 ELSE 0 END),
			SUM(CASE WHEN ',' || factors || ',' LIKE '%,key,%' THEN 1 ELSE 0 END),
			SUM(CASE WHEN ',' || factors || ',' LIKE '%,backup,%' THEN 1 ELSE 0 END),
			SUM(CASE WHEN `+withoutFactor+` THEN 1 ELSE 0 END),
			SUM(CASE WHEN `+withoutFactor+` AND (policy = 'required' OR policy_from > 0 AND policy_from <= $2) THEN 1 ELSE 0 END),
			SUM(CASE WHEN `+withoutFactor+` AND policy <> 'required' AND policy_from > $2 THEN 1 ELSE 0 END),
			COALESCE(MIN(CASE WHEN `+withoutFactor+` AND policy <> 'required' AND policy_from > $2 THEN policy_from END), 0)
		FROM people GROUP BY domain ORDER BY domain`, millis(lately), millis(now))
	return found, fault("enrolment", err)
}

// PeopleWithout are those of a domain ("": of all) who have no second factor,
// who logged in last first, at most limit.
func (s *Store) PeopleWithout(ctx context.Context, domain string, limit int) ([]Person, error) {
	found, err := s.people(ctx, `SELECT `+personColumns+` FROM people WHERE ($1 = '' OR domain = $1) AND `+withoutFactor+`
		ORDER BY last_login DESC, domain, name LIMIT $2`, domain, limit)
	return found, fault("people without", err)
}
