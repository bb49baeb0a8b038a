package store

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestAppendEvent(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	given := Event{Kind: "login", Result: "refused", Reason: "wrong-password", AccountID: "a", Name: `AMIDO\anna`,
		SessionID: "s", Target: "m5", Address: "192.0.2.1", RequestID: "R7K2", Detail: map[string]string{"b": "2", "a": "1"}}
	written, err := s.AppendEvent(t.Context(), given)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := uuid.Parse(written.ID); err != nil || id.Version() != 7 {
		t.Errorf("id %q is no UUIDv7", written.ID)
	}
	events, err := s.Events(t.Context(), EventFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Event{written}, events); diff != "" {
		t.Errorf("read back (-written +read):\n%s", diff)
	}
	given.ID, given.At, given.Hash = written.ID, clock.now(), written.Hash
	if diff := cmp.Diff(given, written); diff != "" {
		t.Errorf("written (-given +written):\n%s", diff)
	}
}

func TestEventsStayInOrderWhenTheClockGoesBack(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	var last Event
	for range 5 {
		event, err := s.AppendEvent(t.Context(), Event{Kind: "login"})
		if err != nil {
			t.Fatal(err)
		}
		if event.At.Before(last.At) {
			t.Errorf("%v comes after %v", event.At, last.At)
		}
		last = event
		clock.forward(-time.Minute)
	}
}

func TestEventTextIsMadeSafe(t *testing.T) {
	s := openNew(t, time.Now)
	event, err := s.AppendEvent(t.Context(), Event{Name: "a\x00b\xff", Reason: strings.Repeat("å", 1000), Target: "x" + strings.Repeat("😀", 300)})
	if err != nil {
		t.Fatal(err)
	}
	if event.Name != "a\ufffdb\ufffd" {
		t.Errorf("name is %q", event.Name)
	}
	for _, text := range []string{event.Reason, event.Target} {
		if len(text) > maxEventText || len(text) < maxEventText-4 || !utf8.ValidString(text) || strings.Contains(text, "\ufffd") {
			t.Errorf("text was cut wrongly: %d bytes", len(text))
		}
	}
	if _, err := s.VerifyEvents(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestEventFilter(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	start := clock.now()
	for _, event := range []Event{
		{Kind: "login", Result: "ok", Name: "anna", AccountID: "1", RequestID: "r1"},
		{Kind: "login", Result: "refused", Name: "anna", AccountID: "1", RequestID: "r2"},
		{Kind: "desktop-open", Result: "ok", Name: "bertil", AccountID: "2", Target: "m5", RequestID: "r3"},
	} {
		if _, err := s.AppendEvent(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		clock.forward(time.Hour)
	}
	for _, test := range []struct {
		name   string
		filter EventFilter
		want   []string
	}{
		{"all, newest first", EventFilter{}, []string{"r3", "r2", "r1"}},
		{"limit", EventFilter{Limit: 2}, []string{"r3", "r2"}},
		{"name", EventFilter{Name: "anna"}, []string{"r2", "r1"}},
		{"account", EventFilter{AccountID: "2"}, []string{"r3"}},
		{"target", EventFilter{Target: "m5"}, []string{"r3"}},
		{"kind and result", EventFilter{Kind: "login", Result: "ok"}, []string{"r1"}},
		{"support id", EventFilter{RequestID: "r2"}, []string{"r2"}},
		{"since", EventFilter{Since: start.Add(time.Hour)}, []string{"r3", "r2"}},
		{"until", EventFilter{Until: start.Add(time.Hour)}, []string{"r1"}},
		{"no such", EventFilter{Name: "' OR 1=1 --"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, err := s.Events(t.Context(), test.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, event := range events {
				got = append(got, event.RequestID)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	for _, test := range []struct {
		name, statement, want string
	}{
		{"nothing", `SELECT 1`, ""},
		{"altered text", `UPDATE audit_events SET result = 'ok' WHERE seq = 3`, "event 3"},
		{"altered detail", `UPDATE audit_events SET detail = '{}' WHERE seq = 3`, "event 3"},
		{"altered time", `UPDATE audit_events SET at = at + 1 WHERE seq = 1`, "event 1"},
		{"text moved to the next field", `UPDATE audit_events SET result = 'refusedw', reason = 'rong' WHERE seq = 2`, "event 2"},
		{"deleted in the middle", `DELETE FROM audit_events WHERE seq = 3`, "event 3 is missing"},
		{"deleted at the start", `DELETE FROM audit_events WHERE seq = 1`, "event 1 is missing"},
		{"deleted at the end", `DELETE FROM audit_events WHERE seq = 5`, "newest"},
		{"all deleted", `DELETE FROM audit_events`, "newest"},
		{"deleted and closed up", `DELETE FROM audit_events WHERE seq = 3; UPDATE audit_events SET seq = 3 WHERE seq = 4;
			UPDATE audit_events SET seq = 4 WHERE seq = 5; UPDATE audit_head SET seq = 4`, "event 3"},
		{"reordered", `UPDATE audit_events SET seq = 99 WHERE seq = 2; UPDATE audit_events SET seq = 2 WHERE seq = 3;
			UPDATE audit_events SET seq = 3 WHERE seq = 99`, "event 2"},
		{"inserted", `INSERT INTO audit_events SELECT 6, 'id', at, kind, result, reason, account_id, name, session_id,
			target, address, request_id, detail, hash, hash FROM audit_events WHERE seq = 5`, "event 6"},
		{"head removed", `DELETE FROM audit_head`, "head"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := openNew(t, time.Now)
			for range 5 {
				event := Event{Kind: "login", Result: "refused", Reason: "wrong", Detail: map[string]string{"a": "b"}}
				if _, err := s.AppendEvent(t.Context(), event); err != nil {
					t.Fatal(err)
				}
			}
			raw(t, s, test.statement)
			n, err := s.VerifyEvents(t.Context())
			if test.want == "" {
				if err != nil || n != 5 {
					t.Errorf("%d events, %v; want 5", n, err)
				}
				return
			}
			if !errors.Is(err, ErrChain) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want ErrChain with %q", err, test.want)
			}
		})
	}
}

func TestParallelAppendsMakeOneChain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stagedoor.db")
	stores := []*Store{open(t, path, time.Now), open(t, path, time.Now)}
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 50 {
				if _, err := stores[i%2].AppendEvent(t.Context(), Event{Kind: "login"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	n, err := stores[0].VerifyEvents(t.Context())
	if n != 200 || err != nil {
		t.Errorf("%d events, %v; want 200", n, err)
	}
}
