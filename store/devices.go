package store

import (
	"context"
	"database/sql"
	"time"
)

// Device is a browser that is asked for the password only.
type Device struct {
	ID        string
	AccountID string
	UserAgent string
	Address   string
	CreatedAt time.Time
	UsedAt    time.Time
	ExpiresAt time.Time
}

// AddDevice remembers a device; the account's oldest beyond max go.
// ErrTooManyNotices.
func (s *Store) AddDevice(ctx context.Context, d Device, max int, trace Trace) error {
	return s.traced(ctx, "add device", trace, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO devices (id, account_id, user_agent, address, created_at, used_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $5, $6)`,
			d.ID, d.AccountID, d.UserAgent, d.Address, millis(d.CreatedAt), millis(d.ExpiresAt))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM devices WHERE account_id = $1 AND id IN (
			SELECT id FROM devices WHERE account_id = $1 ORDER BY used_at DESC, id LIMIT 1000 OFFSET $2)`, d.AccountID, max)
		return err
	})
}

// DeviceExpires is until when an account's device is remembered, whatever the
// time is now. ErrNotFound.
func (s *Store) DeviceExpires(ctx context.Context, id, accountID string) (time.Time, error) {
	var expires int64
	err := s.read.one(ctx, `SELECT expires_at FROM devices WHERE id = $1 AND account_id = $2`, []any{id, accountID}, &expires)
	return fromMillis(expires), fault("device expires", err)
}

// UseDevice records a use of an account's device, whose cookie the caller has
// checked against its end. ErrNotFound where it is another account's, forgotten
// or too old, or ends at another time.
func (s *Store) UseDevice(ctx context.Context, id, accountID, address string, expires, at, madeAfter time.Time) error {
	n, err := s.write.exec(ctx, `UPDATE devices SET used_at = $1, address = $2
		WHERE id = $3 AND account_id = $4 AND expires_at = $5 AND expires_at > $1 AND created_at > $6`,
		millis(at), address, id, accountID, millis(expires), millis(madeAfter))
	return changed("use device", n, err)
}

// Devices are an account's that are still remembered, the last used first.
func (s *Store) Devices(ctx context.Context, accountID string, at time.Time) (found []Device, err error) {
	err = s.read.rows(ctx, func(rows *sql.Rows) error {
		d := Device{AccountID: accountID}
		var created, used, expires int64
		err := rows.Scan(&d.ID, &d.UserAgent, &d.Address, &created, &used, &expires)
		d.CreatedAt, d.UsedAt, d.ExpiresAt = fromMillis(created), fromMillis(used), fromMillis(expires)
		found = append(found, d)
		return err
	}, `SELECT id, user_agent, address, created_at, used_at, expires_at FROM devices
		WHERE account_id = $1 AND expires_at > $2 ORDER BY used_at DESC, id`, accountID, millis(at))
	return found, fault("devices", err)
}

// ForgetDevices forgets one device of an account, or all of them (id "").
func (s *Store) ForgetDevices(ctx context.Context, accountID, id string) (n int64, err error) {
	err = s.traced(ctx, "forget devices", Trace{}, func(tx *sql.Tx) error {
		n, err = forgetDevices(ctx, tx, accountID, id)
		return err
	})
	return n, err
}

// RevokeDevices is ForgetDevices because somebody wants it so: all of them are
// not familiar any more either. ErrNotFound where there is none, and then no
// trace of it.
func (s *Store) RevokeDevices(ctx context.Context, accountID, id string, trace Trace) (n int64, err error) {
	err = s.traced(ctx, "forget devices", trace, func(tx *sql.Tx) error {
		if n, err = forgetDevices(ctx, tx, accountID, id); err == nil && n == 0 {
			return ErrNotFound
		}
		if err == nil && id == "" {
			_, err = tx.ExecContext(ctx, endFamiliar, accountID)
		}
		return err
	})
	return n, err
}

func forgetDevices(ctx context.Context, tx *sql.Tx, accountID, id string) (int64, error) {
	result, err := tx.ExecContext(ctx, `DELETE FROM devices WHERE account_id = $1 AND ($2 = '' OR id = $2)`, accountID, id)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// PurgeFactors deletes devices, setups and bypass codes whose time is over.
func (s *Store) PurgeFactors(ctx context.Context, at time.Time) (deleted int64, err error) {
	for _, text := range []string{
		`DELETE FROM devices WHERE expires_at <= $1`,
		`DELETE FROM factor_setups WHERE expires_at <= $1`,
		`DELETE FROM factor_codes WHERE expires_at > 0 AND expires_at <= $1`,
	} {
		n, err := s.write.exec(ctx, text, millis(at))
		if err != nil {
			return deleted, fault("purge factors", err)
		}
		deleted += n
	}
	return deleted, nil
}
