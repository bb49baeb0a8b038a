// Package store is the database: every SQL statement of the product stands
// here, one file a table, and nowhere else.
//
//	db, err := store.Open(ctx, "/var/lib/stagedoor/stagedoor.db", time.Now)
//
// Limits are enforced in the statement that counts (UPDATE ... RETURNING), or
// behind a row that is locked first, never by reading first and writing after.
// The SQL is the subset that SQLite and PostgreSQL share: $1 parameters,
// RETURNING, ON CONFLICT, TEXT and BIGINT (unix milliseconds). Ids are random
// text; audit ids are UUIDv7.
package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// ErrNotFound: there is no such row, or not in that state.
var ErrNotFound = errors.New("store: not found")

// ErrUnavailable: the database cannot be read or written now: the disk is
// full, read-only or failing, the file is damaged or locked by somebody else
// for too long. What was asked has not been recorded, so it must be refused.
var ErrUnavailable = errors.New("store: the database is unavailable")

// ErrNewer: the file was written by a newer version of the program.
var ErrNewer = errors.New("store: the database is from a newer version of the program")

// busyTimeout is how long a statement waits for another process's write. The
// waiting is whileBusy's; SQLite's busy handler is off but while migrating.
const busyTimeout = 5 * time.Second

// readers is the number of read connections. Reads take microseconds, so more
// of them would only add memory.
const readers = 4

// Store is the database. It is safe for concurrent use by several processes.
type Store struct {
	now  func() time.Time
	path string // absolute
	// write has one connection: SQLite has one writer at a time, and a queue in
	// Go is fair and obeys ctx, which SQLite's busy handler is not and does not.
	write *pool
	read  *pool
}

// Open opens the database file, creates it with mode 0600 where it is missing,
// and brings it to the newest migration. ErrNewer, ErrUnavailable.
func Open(ctx context.Context, path string, now func() time.Time) (*Store, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	if err := ownFile(absolute); err != nil {
		return nil, err
	}
	s := &Store{now: now, path: absolute}
	if err := migrate(ctx, absolute); err != nil {
		return nil, fmt.Errorf("store: open %s: %w", path, fault("migrate", err))
	}
	if s.write, err = openPool(dsn(absolute, "immediate", "off", 0), 1); err != nil {
		return nil, err
	}
	if s.read, err = openPool(dsn(absolute, "deferred", "on", 0), readers); err != nil {
		return nil, errors.Join(err, s.write.close())
	}
	return s, nil
}

// ownFile makes sure that the file exists and that nobody else can read it.
// SQLite gives the -wal and -shm files the mode of the file itself. An existing
// file is never opened here: closing it would drop the locks that SQLite holds
// on it in this process (fcntl(2), "record locks").
func ownFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		return file.Close()
	}
	if !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%w: create: %w", ErrUnavailable, err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("store: open %s: not a regular file", name)
		}
		if info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(name, 0o600); err != nil {
			return fmt.Errorf("store: %s can be read by others, and that cannot be changed: %w", name, err)
		}
	}
	return nil
}

// dsn is the driver's address of the file. Durability comes first: FULL syncs
// the log at each commit, so that what was acknowledged survives a power cut.
func dsn(path, lock, queryOnly string, busy time.Duration) string {
	query := url.Values{
		"_txlock":       {lock},
		"_busy_timeout": {fmt.Sprint(busy.Milliseconds())},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"on"},
		"_defensive":    {"1"},
		"_dqs":          {"0"},
		"_error_rc":     {"1"},
		"_query_only":   {queryOnly},
	}
	address := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	return address.String()
}

// Close closes the database.
func (s *Store) Close() error { return errors.Join(s.read.close(), s.write.close()) }

// Ping tells whether the database can be written to: it commits a write that
// changes nothing.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.write.exec(ctx, `UPDATE audit_head SET seq = seq WHERE one = 1`)
	return fault("ping", err)
}

// millis is a time as it stands in the database; 0 is no time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the reverse, in UTC.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
