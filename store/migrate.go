package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the database to the newest migration. A lock on the
// directory keeps two processes from doing it at the same time: goose has none
// for SQLite, and without it the slower of two would fail on tables that are there.
func migrate(ctx context.Context, path string) error {
	unlock, err := lockDirectory(ctx, filepath.Dir(path))
	if err != nil {
		return err
	}
	defer unlock()
	db, err := sql.Open("sqlite", dsn(path, "immediate", "off", busyTimeout))
	if err != nil {
		return err
	}
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	current, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > newest {
		return fmt.Errorf("%w: it is at migration %d, this program knows %d: start the newer program, or restore the backup from before its upgrade",
			ErrNewer, current, newest)
	}
	_, err = provider.Up(ctx)
	return err
}

// lockDirectory holds flock(2) on a directory until unlock is called or the
// process ends.
func lockDirectory(ctx context.Context, directory string) (unlock func(), err error) {
	handle, err := os.Open(directory)
	if err != nil {
		return nil, err
	}
	// flock cannot be given a context; a migration takes milliseconds.
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := syscall.Flock(int(handle.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = handle.Close() }, nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			_ = handle.Close()
			return nil, fmt.Errorf("lock %s: %w", directory, err)
		}
		select {
		case <-ctx.Done():
			_ = handle.Close()
			return nil, fmt.Errorf("waiting for another process that upgrades the database: %w", ctx.Err())
		case <-retry.C:
		}
	}
}
