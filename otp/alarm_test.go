package otp

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/store"
	"stagedoor/store/storetest"
)

// Each breaker alarms once in its window, and says so for as long as it stops
// messages; two nodes on one database alarm once between them.
func TestAlarms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stagedoor.db")
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	var raised []Alarm
	nodes := make([]*Codes, 2)
	for i := range nodes {
		nodes[i] = &Codes{
			Store: storetest.Open(t, path, now), Sender: NewOutbox(1, now), Key: make([]byte, 32), Now: now,
			PerPrefix: 2, PerCountry: 3, Total: 5,
			OnAlarm: func(_ context.Context, alarm Alarm) error { raised = append(raised, alarm); return nil },
		}
	}
	n := 0
	ask := func(phone Phone) string {
		n++
		_, err := nodes[n%2].Start(t.Context(), Request{SessionID: fmt.Sprint("s", n), AccountID: fmt.Sprint("a", n), Phone: phone})
		var wait *WaitError
		if errors.As(err, &wait) {
			return wait.Rule
		}
		if err != nil {
			t.Fatal(err)
		}
		return ""
	}
	wantAlarms := func(want ...Alarm) {
		t.Helper()
		got, err := nodes[0].Alarms(t.Context())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s %v", diff, err)
		}
	}
	wantAlarms()
	for _, step := range []struct {
		phone Phone
		want  string
	}{
		{"+46701234001", ""}, {"+46701234002", ""}, {"+46701234003", "prefix"}, {"+46701234004", "prefix"},
		{"+46702234001", ""}, {"+46703234001", "country"}, {"+46704234001", "country"},
		{"+4791234567", ""}, {"+4792234567", ""}, {"+4793234567", "total"}, {"+358401234567", "total"},
	} {
		if got := ask(step.phone); got != step.want {
			t.Errorf("%s: rule %q, want %q", step.phone, got, step.want)
		}
	}
	if diff := cmp.Diff([]Alarm{{Rule: "prefix", Subject: "+46701234•••"}, {Rule: "country", Subject: "SE"}, {Rule: "total"}}, raised); diff != "" {
		t.Errorf("raised: %s", diff)
	}
	wantAlarms(Alarm{Rule: "total", Sent: 5}, Alarm{Rule: "country", Subject: "SE", Sent: 3}, Alarm{Rule: "prefix", Subject: "+46701234•••", Sent: 2})
	at = at.Add(10 * time.Minute)
	wantAlarms()
	if got := ask("+46701234003"); got != "" {
		t.Errorf("after 10 minutes: %q", got)
	}
}

// Every prefix and country that is attacked is told of, once in its window, by
// two nodes on one database; of more than ten within an hour quietly.
func TestAlarmPerSubject(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stagedoor.db")
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	var loud, quiet []string
	nodes := make([]*Codes, 2)
	for i := range nodes {
		nodes[i] = &Codes{
			Store: storetest.Open(t, path, now), Sender: NewOutbox(1, now), Key: make([]byte, 32), Now: now,
			PerPrefix: 1, PerCountry: 12, Total: 14,
			OnAlarm: func(_ context.Context, alarm Alarm) error {
				if alarm.Quiet {
					quiet = append(quiet, alarm.Rule+" "+alarm.Subject)
				} else {
					loud = append(loud, alarm.Rule+" "+alarm.Subject)
				}
				return nil
			},
		}
	}
	n := 0
	ask := func(phone string) {
		n++
		_, err := nodes[n%2].Start(t.Context(), Request{SessionID: fmt.Sprint("s", n), AccountID: fmt.Sprint("a", n), Phone: Phone(phone)})
		if err != nil && !errors.As(err, new(*WaitError)) {
			t.Fatal(err)
		}
	}
	var want []string
	for i := range 12 {
		for last := range 5 { // the first is sent, and both nodes refuse two
			ask(fmt.Sprintf("+467012%02d00%d", i, last))
		}
		want = append(want, fmt.Sprintf("prefix +467012%02d•••", i))
	}
	ask("+46702234001") // the country's
	ask("+46702234002")
	ask("+4791234567")
	ask("+4792234567")
	ask("+4793234567") // the portal's
	ask("+4794234567")
	if diff := cmp.Diff(append(slices.Clone(want[:10]), "total "), loud); diff != "" {
		t.Errorf("loud: %s", diff)
	}
	if diff := cmp.Diff(append(slices.Clone(want[10:]), "country SE"), quiet); diff != "" {
		t.Errorf("quiet: %s", diff)
	}
	at = at.Add(time.Hour)
	loud, quiet = nil, nil
	ask("+46701200001")
	ask("+46701200002")
	if len(loud) != 1 || len(quiet) > 0 {
		t.Errorf("an hour later: loud %q, quiet %q", loud, quiet)
	}
}

func TestAnAlarmThatCannotBeRecordedFails(t *testing.T) {
	w := newWorld(t)
	w.Total = 1
	w.OnAlarm = func(context.Context, Alarm) error { return errors.New("disk full") }
	w.start("s")
	_, err := w.Start(t.Context(), Request{SessionID: "t", AccountID: "other", Phone: "+46707654321"})
	if err == nil || errors.As(err, new(*WaitError)) {
		t.Errorf("error is %v", err)
	}
}

// Whoever has logged in before is not kept out by what strangers' numbers do.
func TestProvenNumbersPassTheCountryLimit(t *testing.T) {
	w := newWorld(t)
	w.PerCountry = 1
	if err := w.check(w.start("s"), "s", w.sentCode()); err != nil {
		t.Fatal(err)
	}
	w.at = w.at.Add(time.Hour)
	ask := func(account string, phone Phone) error {
		_, err := w.Start(t.Context(), Request{SessionID: account, AccountID: account, Phone: phone})
		return err
	}
	if err := ask("b", "+46707654321"); err != nil {
		t.Fatal(err)
	}
	w.wantWait(ask("c", "+46707654322"), "country", 10*time.Minute)
	if err := ask(anna, annasPhone); err != nil {
		t.Error(err)
	}
}

func TestLimitsInForce(t *testing.T) {
	w := newWorld(t)
	w.Total, w.LockAfter = 1, 1
	challenge := w.start("s")
	if err := w.check(challenge, "s", w.wrong()); !errors.Is(err, ErrWrong) {
		t.Fatal(err)
	}
	got, err := w.LimitsInForce(t.Context(), anna, annasMail, annasPhone, "+46707654321")
	want := []Limit{
		{"locked", "", "", w.at.Add(15 * time.Minute)},
		{"cooldown", annasPhone, "", w.at.Add(30 * time.Second)},
		{"total", annasPhone, "", w.at.Add(10 * time.Minute)},
		{"cooldown", "+46707654321", "", w.at.Add(30 * time.Second)}, // the account's
		{"total", "+46707654321", "", w.at.Add(10 * time.Minute)},
		{"cooldown", "", annasMail, w.at.Add(30 * time.Second)},
		{"total", "", annasMail, w.at.Add(10 * time.Minute)},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
	if got, err := w.LimitsInForce(t.Context(), "nobody", ""); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// receiptFor is a provider's word about the newest message of anna.
func (w *world) receiptFor(state store.SendState, reason string) {
	w.t.Helper()
	receipt := store.SendReceipt{Sender: "outbox", Reference: w.outbox.Messages(annasPhone)[0].ID, State: state, Reason: reason, At: w.at}
	if _, err := w.Store.TakeReceipt(w.t.Context(), receipt); err != nil {
		w.t.Fatal(err)
	}
}

func TestDelivery(t *testing.T) {
	w := newWorld(t)
	challenge := w.start("s")
	sentAt := w.at
	want := func(want Delivery) {
		t.Helper()
		got, err := w.Delivery(t.Context(), challenge.ID, "s")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s %v", diff, err)
		}
	}
	want(Delivery{State: store.SendSent, QueuedAt: sentAt, HandedAt: sentAt})
	w.at = w.at.Add(3 * time.Second)
	w.receiptFor(store.SendUndelivered, "30003: Unreachable destination handset")
	want(Delivery{State: store.SendUndelivered, QueuedAt: sentAt, HandedAt: sentAt, EndedAt: w.at, Cause: "unreachable"})
	if shown, err := w.Get(t.Context(), challenge.ID, "s"); err != nil || shown.ResendAt.After(w.at) {
		t.Errorf("not to be sent again at once: %+v, %v", shown, err)
	}
	w.receiptFor(store.SendDelivered, "")
	want(Delivery{State: store.SendDelivered, QueuedAt: sentAt, HandedAt: sentAt, EndedAt: w.at})
	if _, err := w.Delivery(t.Context(), challenge.ID, "other"); !errors.Is(err, ErrExpired) {
		t.Errorf("another session: %v", err)
	}
}

func TestCause(t *testing.T) {
	for reason, want := range map[string]string{
		"": "", "30005": "number", "stat:EXPIRED err:000": "unreachable", "REJECTD": "blocked", "30008 Unknown error": "unreachable", "err 999": "", "130003": "",
	} {
		if got := Cause(reason); got != want {
			t.Errorf("%q means %q, want %q", reason, got, want)
		}
	}
}
