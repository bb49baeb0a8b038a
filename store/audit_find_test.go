package store

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// found are the ids of events by their target, which the test numbers.
func found(t *testing.T, s *Store, filter EventFilter) (targets string, older int64) {
	t.Helper()
	events, older, err := s.FindEvents(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range events {
		all = append(all, e.Target)
	}
	return strings.Join(all, " "), older
}

func TestFindEvents(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	start := clock.now()
	for i, e := range []Event{
		{Kind: "login", Result: "refused", Name: `AMIDO\anna`},
		{Kind: "login", Result: "ok", Name: `AMIDO\Anna`, AccountID: "a", RequestID: "R7K2", SessionID: "s1"},
		{Kind: "desktop-open", Result: "ok", Name: `AMIDO\anna`, AccountID: "a", RequestID: "Q1", SessionID: "s1"},
		{Kind: "login", Result: "ok", Name: `AMIDO\hanna`, AccountID: "h"},
		{Kind: "desktop-order-end", Result: "ok", Name: `AMIDO\hanna`, AccountID: "h", Detail: map[string]string{AboutAccount: "a", AboutPerson: `AMIDO\anna`}},
		{Kind: "session-end", Result: "ok", Name: "cli", Detail: map[string]string{AboutPerson: `AMIDO\Anna`}},
	} {
		e.Target = fmt.Sprint(i)
		if _, err := s.AppendEvent(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		clock.forward(time.Minute)
	}
	at := func(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }
	for name, c := range map[string]struct {
		filter EventFilter
		want   string
	}{
		"all":                    {EventFilter{}, "5 4 3 2 1 0"},
		"who did it or is meant": {EventFilter{Name: `amido\ANNA`}, "5 4 2 1 0"},
		"any of the names":       {EventFilter{Names: []string{"cli", `AMIDO\hanna`}}, "5 4 3"},
		"name and names":         {EventFilter{Name: "cli", Names: []string{"x"}}, "5"},
		"account":                {EventFilter{AccountID: "a"}, "4 2 1"},
		"target":                 {EventFilter{Target: "2"}, "2"},
		"kind":                   {EventFilter{Kind: "login"}, "3 1 0"},
		"kinds":                  {EventFilter{Kinds: []string{"login", "desktop-open"}}, "3 2 1 0"},
		"result":                 {EventFilter{Result: "refused"}, "0"},
		"support id":             {EventFilter{RequestID: "R7K2"}, "1"},
		"session":                {EventFilter{SessionID: "s1"}, "2 1"},
		"from":                   {EventFilter{Since: at(3)}, "5 4 3"},
		"to":                     {EventFilter{Until: at(3)}, "2 1 0"},
		"from and to":            {EventFilter{Since: at(1), Until: at(3)}, "2 1"},
		"from the future":        {EventFilter{Since: at(99)}, ""},
		"to the future":          {EventFilter{Until: at(99)}, "5 4 3 2 1 0"},
		"to before all":          {EventFilter{Until: at(-9)}, ""},
		"all together":           {EventFilter{Name: `AMIDO\anna`, Kinds: []string{"login"}, Result: "ok", Since: at(1), Until: at(2)}, "1"},
		"SQL in a name":          {EventFilter{Name: `' OR 1=1 --`}, ""},
		"a percent sign":         {EventFilter{Name: `AMIDO\%`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, older := found(t, s, c.filter); got != c.want || older != 0 {
				t.Errorf("found %q, want %q (older %d)", got, c.want, older)
			}
		})
	}
	if _, err := s.VerifyEvents(t.Context()); err != nil {
		t.Error(err)
	}
}

// Pages follow one another without a gap or an event twice, while others write.
func TestFindEventsPages(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	write := func(n int) {
		t.Helper()
		for range n {
			if _, err := s.AppendEvent(t.Context(), Event{Kind: "login", Target: "t"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(25)
	seen := map[string]bool{}
	sizes := []int{}
	for before := int64(0); ; {
		events, older, err := s.FindEvents(t.Context(), EventFilter{Kind: "login", Before: before, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if seen[e.ID] {
				t.Errorf("%s twice", e.ID)
			}
			seen[e.ID] = true
		}
		sizes = append(sizes, len(events))
		write(3)
		if before = older; older == 0 {
			break
		}
	}
	if fmt.Sprint(sizes) != "[10 10 5]" || len(seen) != 25 {
		t.Errorf("pages of %v, %d events", sizes, len(seen))
	}
}

// What helpdesk searches by is found by an index, not by reading all there is.
func TestSearchesHaveIndexes(t *testing.T) {
	s := openNew(t, time.Now)
	for name, filter := range map[string]EventFilter{
		"name": {Name: "a"}, "account": {AccountID: "a"}, "target": {Target: "a"}, "kind": {Kind: "a"}, "support id": {RequestID: "a"},
		"session": {SessionID: "a"}, "time": {Since: time.Now(), Until: time.Now()},
	} {
		where, args := filter.where()
		rows, err := s.read.db.QueryContext(t.Context(), `EXPLAIN QUERY PLAN SELECT seq FROM audit_events WHERE `+where+` ORDER BY seq DESC LIMIT 10`, args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
			if strings.HasPrefix(detail, "SCAN audit_events") && !strings.Contains(detail, "USING") {
				t.Errorf("%s reads all: %q", name, detail)
			}
		}
		if err := rows.Close(); err != nil || len(plan) == 0 {
			t.Error(name, plan, err)
		}
		t.Logf("%s: %s", name, strings.Join(plan, "; "))
	}
}
