package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// pool is a set of connections with its prepared statements. A statement is
// prepared at its first use and kept: parsing costs more than most of the
// statements here. Only constant SQL may go through it.
type pool struct {
	db       *sql.DB
	patience time.Duration
	mu       sync.Mutex
	prepared map[string]*sql.Stmt
}

// openPool connects at the first use.
func openPool(dsn string, connections int) (*pool, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fault("open", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return &pool{db: db, patience: busyTimeout, prepared: map[string]*sql.Stmt{}}, nil
}

func (p *pool) close() error { return p.db.Close() }

func (p *pool) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	p.mu.Lock()
	stmt := p.prepared[text]
	p.mu.Unlock()
	if stmt != nil {
		return stmt, nil
	}
	// Not under the lock: with all connections in use this waits for one.
	err := p.whileBusy(ctx, func() (err error) {
		stmt, err = p.db.PrepareContext(ctx, text)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.prepared[text]; other != nil {
		return other, stmt.Close()
	}
	p.prepared[text] = stmt
	return stmt, nil
}

// exec runs a statement that returns no rows and counts those it changed.
func (p *pool) exec(ctx context.Context, text string, args ...any) (int64, error) {
	stmt, err := p.statement(ctx, text)
	if err != nil {
		return 0, err
	}
	var result sql.Result
	err = p.whileBusy(ctx, func() error {
		result, err = stmt.ExecContext(ctx, args...)
		return err
	})
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// one reads the only row into dest; sql.ErrNoRows where there is none.
func (p *pool) one(ctx context.Context, text string, args []any, dest ...any) error {
	stmt, err := p.statement(ctx, text)
	if err != nil {
		return err
	}
	return p.whileBusy(ctx, func() error {
		return scanOne(func() (*sql.Rows, error) { return stmt.QueryContext(ctx, args...) }, dest)
	})
}

// strings reads one text column.
func (p *pool) strings(ctx context.Context, text string, args ...any) (found []string, err error) {
	stmt, err := p.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	err = p.whileBusy(ctx, func() error {
		found, err = scanStrings(ctx, stmt, args)
		return err
	})
	return found, err
}

// rows reads rows of several columns, one call of scan for each.
func (p *pool) rows(ctx context.Context, scan func(*sql.Rows) error, text string, args ...any) error {
	stmt, err := p.statement(ctx, text)
	if err != nil {
		return err
	}
	var rows *sql.Rows
	err = p.whileBusy(ctx, func() error {
		rows, err = stmt.QueryContext(ctx, args...)
		return err
	})
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func scanStrings(ctx context.Context, stmt *sql.Stmt, args []any) ([]string, error) {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, rows.Err()
}

// scanOne reads the only row. It goes on to the end of the result, since
// UPDATE ... RETURNING commits there, and a full disk is told there and not
// by QueryRow, which stops after the first row.
func scanOne(query func() (*sql.Rows, error), dest []any) error {
	rows, err := query()
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	if rows.Next() {
		return errors.New("more than one row")
	}
	return rows.Err()
}

// transact runs work in one transaction, which on the write pool holds the
// write lock from its first moment (BEGIN IMMEDIATE). Any error of work rolls
// all of it back. work must use the transaction only: the write pool has one
// connection, and asking it for another would wait for ever.
func (p *pool) transact(ctx context.Context, work func(*sql.Tx) error) error {
	var tx *sql.Tx
	err := p.whileBusy(ctx, func() (err error) {
		tx, err = p.db.BeginTx(ctx, nil)
		return err
	})
	if err != nil {
		return err
	}
	if err := work(tx); err != nil {
		if rollback := tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
			return errors.Join(err, rollback)
		}
		return err
	}
	return tx.Commit()
}

// txOne is one within a transaction.
func txOne(ctx context.Context, tx *sql.Tx, text string, args []any, dest ...any) error {
	return scanOne(func() (*sql.Rows, error) { return tx.QueryContext(ctx, text, args...) }, dest)
}

// whileBusy tries until no other process holds the write lock, ctx ends, or
// patience has run out. A statement that found the database busy has changed
// nothing. SQLite's own busy handler sleeps up to 100 ms between two tries, and
// a process that writes without a pause lets the lock go for less than that:
// the other one starved for more than 5 s. Trying each 1 to 3 ms, it does not.
func (p *pool) whileBusy(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(p.patience)
	for {
		err := try()
		var failure *sqlite.Error
		if !errors.As(err, &failure) || failure.Code()&0xff != lib.SQLITE_BUSY || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond + rand.N(2*time.Millisecond)):
		}
	}
}

// fault says in words what failed, and marks what no caller can mend as
// ErrUnavailable.
func fault(operation string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, ErrNotFound) {
		return ErrNotFound
	}
	var failure *sqlite.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("store: %s: %w", operation, err)
	case !errors.As(err, &failure): // the pool's own: closed, no connection
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, operation, err)
	}
	switch failure.Code() & 0xff {
	case lib.SQLITE_FULL, lib.SQLITE_READONLY, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM,
		lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_PROTOCOL, lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_NOMEM:
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, operation, err)
	}
	return fmt.Errorf("store: %s: %w", operation, err)
}
