package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// EventFilter narrows Events and FindEvents; zero fields do not.
type EventFilter struct {
	Name      string   // canonical user name, whatever its case: who did it, or whom it is about
	Names     []string // any of them
	AccountID string   // likewise
	NoAccount bool     // of those that name no account
	Target    string
	Kind      string
	Kinds     []string // any of them
	Result    string
	RequestID string // the support id
	SessionID string
	Since     time.Time // Since <= At
	Until     time.Time // At < Until
	Before    int64     // the place in the chain that the page before this one ended at
	Limit     int       // 0 means 1,000
}

// eventConditions collects conditions and their arguments.
type eventConditions struct {
	parts []string
	args  []any
}

// add appends a condition in which %s stands for the argument.
func (c *eventConditions) add(set bool, condition string, arg any) {
	if set {
		c.args = append(c.args, arg)
		c.parts = append(c.parts, strings.ReplaceAll(condition, "%s", fmt.Sprintf("$%d", len(c.args))))
	}
}

// any appends a condition that one of the arguments has to meet.
func (c *eventConditions) any(condition string, values []string) {
	var either []string
	for _, value := range values {
		c.args = append(c.args, value)
		either = append(either, strings.ReplaceAll(condition, "%s", fmt.Sprintf("$%d", len(c.args))))
	}
	if len(either) > 0 {
		c.parts = append(c.parts, "("+strings.Join(either, " OR ")+")")
	}
}

// where is the filter as conditions and their arguments. Events are in the order
// of time, so a time is looked up once and becomes a place in the chain: the
// other indexes then do.
func (f EventFilter) where() (string, []any) {
	c := eventConditions{parts: []string{"1 = 1"}}
	names := f.Names
	if f.Name != "" {
		names = append(names[:len(names):len(names)], f.Name)
	}
	const about = `seq IN (SELECT seq FROM audit_about WHERE `
	c.any(`lower(name) = lower(%s) OR `+about+`name = lower(%s))`, names)
	c.add(f.AccountID != "", `(account_id = %s OR `+about+`account_id = %s))`, f.AccountID)
	if f.NoAccount {
		c.parts = append(c.parts, "account_id = ''")
	}
	c.add(f.Target != "", "target = %s", f.Target)
	c.add(f.Kind != "", "kind = %s", f.Kind)
	c.any("kind = %s", f.Kinds)
	c.add(f.Result != "", "result = %s", f.Result)
	c.add(f.RequestID != "", "request_id = %s", f.RequestID)
	c.add(f.SessionID != "", "session_id = %s", f.SessionID)
	const place = `(SELECT seq FROM audit_events WHERE at >= %s ORDER BY at, seq LIMIT 1)`
	c.add(!f.Since.IsZero(), "seq >= "+place, millis(f.Since)) // none: NULL, and nothing is found
	c.add(!f.Until.IsZero(), "seq < COALESCE("+place+", 9223372036854775807)", millis(f.Until))
	c.add(f.Before > 0, "seq < %s", f.Before)
	return strings.Join(c.parts, " AND "), c.args
}

// Events are the newest first.
func (s *Store) Events(ctx context.Context, filter EventFilter) ([]Event, error) {
	events, _, err := s.FindEvents(ctx, filter)
	return events, err
}

// FindEvents are the newest first, with where to go on: older is the Before of
// the next page, 0 where there is none.
func (s *Store) FindEvents(ctx context.Context, filter EventFilter) (events []Event, older int64, err error) {
	limit := filter.Limit
	if limit <= 0 {
		limit = 1000
	}
	where, args := filter.where()
	// One more than wanted tells whether there are any older ones.
	rows, err := s.read.db.QueryContext(ctx, fmt.Sprintf(`SELECT %s FROM audit_events WHERE %s ORDER BY seq DESC LIMIT %d`,
		linkColumns, where, limit+1), args...)
	if err != nil {
		return nil, 0, fault("events", err)
	}
	defer rows.Close()
	last := int64(0)
	for rows.Next() {
		if len(events) == limit {
			return events, last, nil
		}
		link, err := scanLink(rows)
		if err != nil {
			return nil, 0, fault("events", err)
		}
		if err := json.Unmarshal([]byte(link.detail), &link.event.Detail); err != nil {
			return nil, 0, fmt.Errorf("store: events: detail of event %s: %w", link.event.ID, err)
		}
		events, last = append(events, link.event), link.seq
	}
	return events, 0, fault("events", rows.Err())
}
