package store

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
)

// Who had a number of the directory before the portal noted it is told of another
// one at the next login: the migration takes it from what was known of people.
func TestMigrationKnowsDirectoryNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	db, err := sql.Open("sqlite", dsn(path, "immediate", "off", busyTimeout))
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 23); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`INSERT INTO phones (account_id, phone, own, how, verified_at, by_id, by_name, frozen_at, turn) VALUES ('both', '+46701740608', 1, 'code', 5, 'both', 'B', 0, 7)`,
		`INSERT INTO people (account_id, domain, name, display_name, mail, phone, phone_source, factors, policy, policy_from, last_factor, last_login, search) VALUES
			('dir', 'AMIDO', 'd', '', '', '+46701740607', 'directory', '', '', 0, '', 0, ''), ('none', 'AMIDO', 'n', '', '', '', '', '', '', 0, '', 0, ''),
			('own', 'AMIDO', 'o', '', '', '+46701740609', 'verified', '', '', 0, '', 0, ''), ('both', 'AMIDO', 'b', '', '', '+46701740606', 'directory', '', '', 0, '', 0, '')`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for account, want := range map[string]Number{
		"dir": {Directory: "+46701740607"}, "none": {}, "own": {}, "nobody": {},
		"both": {Phone: "+46701740608", Own: true, How: "code", VerifiedAt: fromMillis(5), By: "both", ByName: "B", Directory: "+46701740606"},
	} {
		want.AccountID = account
		if got, err := s.Number(t.Context(), account); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", account, got, err, want)
		}
	}
}
