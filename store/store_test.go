package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func open(t testing.TB, path string, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openNew(t testing.TB, now func() time.Time) *Store {
	t.Helper()
	return open(t, newFile(t), now)
}

// newFile is an empty database, a copy of one: to migrate takes longer than most
// tests.
func newFile(t testing.TB) (path string) {
	t.Helper()
	content, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "stagedoor.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "stagedoor-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "stagedoor.db")
	s, err := Open(context.Background(), path, time.Now)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// raw runs SQL behind the store's back, as somebody with the file could.
func raw(t *testing.T, s *Store, text string, args ...any) {
	t.Helper()
	if _, err := s.write.db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatal(err)
	}
}

func TestOpenMakesPrivateFiles(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "odd ?name%23#.db")
	s := open(t, path, time.Now)
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("mode of the file%s is %o, want 600", suffix, mode)
		}
	}
}

func TestOpenTightensAnExistingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stagedoor.db")
	open(t, path, time.Now)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, path, time.Now)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode is %o, want 600", mode)
	}
}

func TestOpenPragmas(t *testing.T) {
	s := openNew(t, time.Now)
	for name, p := range map[string]*pool{"write": s.write, "read": s.read} {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1",
		} {
			var got string
			if err := p.db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s connection: %s is %s, want %s", name, pragma, got, want)
			}
		}
	}
	if _, err := s.read.exec(t.Context(), `UPDATE audit_head SET seq = 7`); err == nil {
		t.Error("a read connection could write")
	}
}

func TestOpenRefuses(t *testing.T) {
	directory := t.TempDir()
	garbage := filepath.Join(directory, "garbage.db")
	if err := os.WriteFile(garbage, []byte("this is no database, and it is longer than a hundred bytes, which is what SQLite reads as the header of a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(directory, "newer.db")
	s := open(t, newer, time.Now)
	raw(t, s, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)

	for _, test := range []struct {
		name, path string
		want       error
	}{
		{"a missing directory", filepath.Join(directory, "missing", "stagedoor.db"), ErrUnavailable},
		{"no database", garbage, ErrUnavailable},
		{"a newer database", newer, ErrNewer},
	} {
		t.Run(test.name, func(t *testing.T) {
			opened, err := Open(t.Context(), test.path, time.Now)
			if !errors.Is(err, test.want) {
				t.Errorf("error is %v, want %v", err, test.want)
			}
			if opened != nil {
				t.Error("a store was returned as well")
			}
		})
	}
	if _, err := Open(t.Context(), directory, time.Now); err == nil {
		t.Error("a directory was opened as a database")
	}
}

func TestOpenAgainKeepsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stagedoor.db")
	first := open(t, path, time.Now)
	if _, err := first.AppendEvent(t.Context(), Event{Kind: "login"}); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	n, err := open(t, path, time.Now).VerifyEvents(t.Context())
	if n != 1 || err != nil {
		t.Errorf("%d events, %v; want 1", n, err)
	}
}

func TestFaultsAreUnavailable(t *testing.T) {
	t.Run("full", func(t *testing.T) {
		s := openNew(t, time.Now)
		raw(t, s, `PRAGMA max_page_count = 1`) // SQLite raises it to the present size
		wantUnavailableAtLast(t, s)
	})
	t.Run("read-only", func(t *testing.T) {
		s := openNew(t, time.Now)
		raw(t, s, `PRAGMA query_only = 1`)
		wantUnavailableAtLast(t, s)
		if err := s.Ping(t.Context()); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Ping says %v, want ErrUnavailable", err)
		}
	})
	t.Run("locked for too long", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "stagedoor.db")
		s, other := open(t, path, time.Now), open(t, path, time.Now)
		s.write.patience = 10 * time.Millisecond
		err := other.write.transact(t.Context(), func(*sql.Tx) error {
			return s.Ping(t.Context())
		})
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("error is %v, want ErrUnavailable", err)
		}
	})
}

// wantUnavailableAtLast writes until it fails, and checks that what was
// acknowledged is there and the rest is not.
func wantUnavailableAtLast(t *testing.T, s *Store) {
	t.Helper()
	for done := range int64(10_000) {
		_, err := s.AppendEvent(t.Context(), Event{Kind: "login", Name: "somebody with a long enough name to fill pages"})
		if err == nil {
			continue
		}
		if !errors.Is(err, ErrUnavailable) {
			t.Fatalf("error is %v, want ErrUnavailable", err)
		}
		if n, err := s.VerifyEvents(t.Context()); n != done || err != nil {
			t.Errorf("%d events, %v; want %d", n, err, done)
		}
		return
	}
	t.Fatal("no write failed")
}

func TestContextEnds(t *testing.T) {
	s := openNew(t, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.AppendEvent(ctx, Event{Kind: "login"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
	if _, err := s.FindSession(ctx, "a", "b"); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("afterwards Ping says %v", err)
	}
}
