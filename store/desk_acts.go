package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// keepActs is how long acts of agents count.
const keepActs = 24 * time.Hour

// TakeAct counts an act of an agent if fewer than max were counted in the last
// 24 hours, in one statement. Where it is not, room is when there is room again.
func (s *Store) TakeAct(ctx context.Context, agentID string, max int) (ok bool, room time.Time, err error) {
	now := s.now()
	since := millis(now.Add(-keepActs))
	var nth int64
	err = s.write.one(ctx, `
		INSERT INTO desk_acts (agent_id, nth, at)
		SELECT $1, (SELECT COALESCE(MAX(nth), 0) + 1 FROM desk_acts WHERE agent_id = $1), $2
		WHERE (SELECT COUNT(*) FROM desk_acts WHERE agent_id = $1 AND at > $3) < $4
		RETURNING nth`, []any{agentID, millis(now), since, max}, &nth)
	if err == nil {
		return true, time.Time{}, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return false, time.Time{}, fault("take act", err)
	}
	if max < 1 {
		return false, now.Add(keepActs), nil
	}
	var at int64
	err = s.read.one(ctx, `SELECT at FROM desk_acts WHERE agent_id = $1 AND at > $2 ORDER BY at DESC LIMIT 1 OFFSET $3`,
		[]any{agentID, since, max - 1}, &at)
	if err != nil {
		return false, time.Time{}, fault("take act", err)
	}
	return false, fromMillis(at).Add(keepActs), nil
}

// GiveBackAct uncounts an agent's newest act: it came to nothing.
func (s *Store) GiveBackAct(ctx context.Context, agentID string) error {
	_, err := s.write.exec(ctx, `DELETE FROM desk_acts WHERE agent_id = $1 AND nth = (SELECT MAX(nth) FROM desk_acts WHERE agent_id = $1)`, agentID)
	return fault("give back act", err)
}

// Acts is how many acts of an agent count now.
func (s *Store) Acts(ctx context.Context, agentID string) (n int, err error) {
	err = s.read.one(ctx, `SELECT COUNT(*) FROM desk_acts WHERE agent_id = $1 AND at > $2`,
		[]any{agentID, millis(s.now().Add(-keepActs))}, &n)
	return n, fault("acts", err)
}

// PurgeActs forgets acts that were done before a time.
func (s *Store) PurgeActs(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.write.exec(ctx, `DELETE FROM desk_acts WHERE at <= $1`, millis(before))
	return n, fault("purge acts", err)
}
