package store

import (
	"context"
	"database/sql"
	"time"
)

// keepUsage is how long the sums of a day are kept: a year, and a month to look
// back from its end.
const keepUsage = 400 * 24 * time.Hour

// dayForm is a day as it stands in the rows, which also sorts them.
const dayForm = time.DateOnly

// Use is how much something was used.
type Use struct {
	Desktops int // that were opened
	Seconds  int // that they were shown for
	People   int // different ones
}

// DayUse is the use of a day: of one target, or (Target empty) of all.
type DayUse struct {
	Day    string // 2026-11-22
	Target string
	Use
}

// NoteUsage adds to the sums of each day that a desktop was shown on, from one
// time to the other; opened counts it on the day that it began. The days are
// those of the zone of from.
func (s *Store) NoteUsage(ctx context.Context, accountID, target string, from, to time.Time, opened bool) error {
	to = to.In(from.Location())
	for begin := from; ; {
		y, m, d := begin.Date()
		midnight := time.Date(y, m, d+1, 0, 0, 0, 0, begin.Location())
		end := to
		if midnight.Before(to) {
			end = midnight
		}
		if err := s.addUsage(ctx, accountID, target, begin.Format(dayForm), max(end.Sub(begin), 0), opened); err != nil {
			return err
		}
		if !end.Before(to) {
			return nil
		}
		begin, opened = end, false
	}
}

func (s *Store) addUsage(ctx context.Context, accountID, target, day string, shown time.Duration, opened bool) error {
	desktops := 0
	if opened {
		desktops = 1
	}
	_, err := s.write.exec(ctx, `
		INSERT INTO usage (day, target, account_id, desktops, seconds) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (target, day, account_id) DO UPDATE SET
			desktops = usage.desktops + excluded.desktops, seconds = usage.seconds + excluded.seconds`,
		day, target, accountID, desktops, int64(shown.Round(time.Second)/time.Second))
	return fault("note usage", err)
}

// UsageByDay is the use of each day from first to last ("2026-11-22", both
// included) that has any, of one target or, where target is empty, of all.
func (s *Store) UsageByDay(ctx context.Context, first, last, target string) ([]DayUse, error) {
	return s.usage(ctx, `
		SELECT day, '', SUM(desktops), SUM(seconds), COUNT(DISTINCT account_id) FROM usage
		WHERE day >= $1 AND day <= $2 AND ($3 = '' OR target = $3) GROUP BY day ORDER BY day`, first, last, target)
}

// UsageByTarget is the use of each target over the days, the most used first.
func (s *Store) UsageByTarget(ctx context.Context, first, last string) ([]DayUse, error) {
	return s.usage(ctx, `
		SELECT '', target, SUM(desktops), SUM(seconds), COUNT(DISTINCT account_id) FROM usage
		WHERE day >= $1 AND day <= $2 GROUP BY target ORDER BY SUM(seconds) DESC, target`, first, last)
}

// UsageByTargetAndDay is the use of each target on each day that has any.
func (s *Store) UsageByTargetAndDay(ctx context.Context, first, last, target string) ([]DayUse, error) {
	return s.usage(ctx, `
		SELECT day, target, SUM(desktops), SUM(seconds), COUNT(DISTINCT account_id) FROM usage
		WHERE day >= $1 AND day <= $2 AND ($3 = '' OR target = $3) GROUP BY day, target ORDER BY day, target`, first, last, target)
}

// UsageOver is the use over all the days, of one target or (empty) of all.
// People is how many different ones there were, which is not the sum of the days.
func (s *Store) UsageOver(ctx context.Context, first, last, target string) (Use, error) {
	var u Use
	err := s.read.one(ctx, `
		SELECT COALESCE(SUM(desktops), 0), COALESCE(SUM(seconds), 0), COUNT(DISTINCT account_id) FROM usage
		WHERE day >= $1 AND day <= $2 AND ($3 = '' OR target = $3)`, []any{first, last, target}, &u.Desktops, &u.Seconds, &u.People)
	return u, fault("usage", err)
}

func (s *Store) usage(ctx context.Context, query string, args ...any) (uses []DayUse, err error) {
	err = s.read.rows(ctx, func(rows *sql.Rows) error {
		var u DayUse
		err := rows.Scan(&u.Day, &u.Target, &u.Desktops, &u.Seconds, &u.People)
		uses = append(uses, u)
		return err
	}, query, args...)
	return uses, fault("usage", err)
}

// PurgeUsage deletes the sums of days before a day.
func (s *Store) PurgeUsage(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.write.exec(ctx, `DELETE FROM usage WHERE day < $1`, before.Format(dayForm))
	return n, fault("purge usage", err)
}
