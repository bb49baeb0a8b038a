package store

import (
	"context"
	"database/sql"
)

// SeeDirectoryNumber notes the number of the directory that an account's codes go
// to from now on, event.New, and leaves the trace. Where there was another,
// event.Old, the history gets a line of it. ErrNumberMoved where the one before is
// not event.Old: another node has seen the change already.
func (s *Store) SeeDirectoryNumber(ctx context.Context, event NumberEvent, trace Trace) error {
	return s.traced(ctx, "see directory number", trace, func(tx *sql.Tx) error {
		current, err := lockNumber(ctx, tx, event.AccountID)
		if err != nil {
			return err
		}
		if current.Directory != event.Old {
			return ErrNumberMoved
		}
		_, err = tx.ExecContext(ctx, `UPDATE phones SET directory_phone = $1 WHERE account_id = $2`, event.New, event.AccountID)
		if err != nil || event.Old == "" {
			return err
		}
		change := NumberChange{AccountID: event.AccountID, Old: event.Old, New: event.New}
		return addHistory(ctx, tx, "directory-changed", event.At, change, event)
	})
}
