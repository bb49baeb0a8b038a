package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Person is somebody who has logged in, as the portal knew them then.
type Person struct {
	AccountID   string
	Domain      string
	Name        string
	DisplayName string
	Mail        string
	Phone       string // E.164; empty: no usable one
	PhoneSource string // where the number comes from: "directory", "store", ...
	Factors     []string
	Policy      string    // "off", "voluntary", "required"
	PolicyFrom  time.Time // when voluntary becomes required; zero: it does not
	LastFactor  string    // what was proven last besides the password
	LastLogin   time.Time // zero: the password was right, and no more
	Lang        string    // of their last login: "sv"; empty: not known
	Groups      []string  // of those that the policy names, the ones that they are in
	Strong      bool      // helps others or administers
}

// PutPerson writes somebody as the password's proof has shown them. LastFactor,
// LastLogin and Lang stay as they are where the new ones are empty.
func (s *Store) PutPerson(ctx context.Context, p Person) error {
	strong := 0
	if p.Strong {
		strong = 1
	}
	_, err := s.write.exec(ctx, `
		INSERT INTO people (account_id, domain, name, display_name, mail, phone, phone_source,
			factors, policy, policy_from, last_factor, last_login, search, policy_groups, strong, lang)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (account_id) DO UPDATE SET
			domain = excluded.domain, name = excluded.name, display_name = excluded.display_name,
			mail = excluded.mail, phone = excluded.phone, phone_source = excluded.phone_source,
			factors = excluded.factors, policy = excluded.policy, policy_from = excluded.policy_from,
			last_factor = CASE WHEN excluded.last_factor = '' THEN people.last_factor ELSE excluded.last_factor END,
			last_login = CASE WHEN excluded.last_login = 0 THEN people.last_login ELSE excluded.last_login END,
			search = excluded.search, policy_groups = excluded.policy_groups, strong = excluded.strong,
			lang = CASE WHEN excluded.lang = '' THEN people.lang ELSE excluded.lang END`,
		p.AccountID, p.Domain, p.Name, p.DisplayName, p.Mail, p.Phone, p.PhoneSource,
		strings.Join(p.Factors, ","), p.Policy, millis(p.PolicyFrom), p.LastFactor, millis(p.LastLogin), searched(p),
		strings.Join(p.Groups, "\n"), strong, p.Lang)
	return fault("put person", err)
}

// RefreshPerson writes the number and the factors of somebody who has logged in
// before, as helpdesk has just left them. Nobody is added by it.
func (s *Store) RefreshPerson(ctx context.Context, p Person) error {
	_, err := s.write.exec(ctx, `UPDATE people SET phone = $1, phone_source = $2, factors = $3, search = $4 WHERE account_id = $5`,
		p.Phone, p.PhoneSource, strings.Join(p.Factors, ","), searched(p), p.AccountID)
	return fault("refresh person", err)
}

// searched is what people look for, in lower case, a line each.
func searched(p Person) string {
	return strings.ToLower(strings.Join([]string{p.Domain + `\` + p.Name, p.DisplayName, p.Mail, p.Phone}, "\n"))
}

const personColumns = `account_id, domain, name, display_name, mail, phone, phone_source, factors, policy, policy_from, last_factor, last_login, policy_groups, strong, lang`

// FindPerson finds somebody by their account's id. ErrNotFound where they have
// never logged in.
func (s *Store) FindPerson(ctx context.Context, accountID string) (Person, error) {
	found, err := s.people(ctx, `SELECT `+personColumns+` FROM people WHERE account_id = $1`, accountID)
	if err == nil && len(found) == 0 {
		return Person{}, ErrNotFound
	}
	if err != nil {
		return Person{}, fault("find person", err)
	}
	return found[0], nil
}

// FindPeople finds those whose DOMAIN\name, display name, mail and number hold
// every word of a text (the first 20), each in any of them and in whatever case;
// at most limit, by name.
func (s *Store) FindPeople(ctx context.Context, text string, limit int) ([]Person, error) {
	words := strings.Fields(strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)))
	query, args := `SELECT `+personColumns+` FROM people WHERE 1 = 1`, []any{limit}
	for i, word := range words[:min(len(words), 20)] {
		query += fmt.Sprintf(` AND search LIKE '%%' || $%d || '%%' ESCAPE '\'`, i+2)
		args = append(args, word)
	}
	found, err := s.people(ctx, query+` ORDER BY name, domain LIMIT $1`, args...)
	return found, fault("find people", err)
}

func (s *Store) people(ctx context.Context, text string, args ...any) (found []Person, err error) {
	err = s.read.rows(ctx, func(rows *sql.Rows) error {
		var p Person
		err := scanPerson(rows, &p)
		found = append(found, p)
		return err
	}, text, args...)
	return found, err
}

// scanPerson reads personColumns, and what comes after them into more.
func scanPerson(rows *sql.Rows, p *Person, more ...any) error {
	var factors, groups string
	var from, login int64
	err := rows.Scan(append([]any{&p.AccountID, &p.Domain, &p.Name, &p.DisplayName, &p.Mail, &p.Phone, &p.PhoneSource,
		&factors, &p.Policy, &from, &p.LastFactor, &login, &groups, &p.Strong, &p.Lang}, more...)...)
	p.Factors, p.PolicyFrom, p.LastLogin, p.Groups = splitList(factors, ","), fromMillis(from), fromMillis(login), splitList(groups, "\n")
	return err
}

// splitList reads what strings.Join wrote.
func splitList(joined, separator string) []string {
	if joined == "" {
		return nil
	}
	return strings.Split(joined, separator)
}
