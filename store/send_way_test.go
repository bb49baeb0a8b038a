package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noLimits = SendLimits{PerPrefix: -1, Total: -1}

// claimed claims a message of anna's.
func claimed(t *testing.T, s *Store, id string, at time.Time) Send {
	t.Helper()
	send := Send{ID: id, ChallengeID: "c", AccountID: "anna", Phone: "+46701234567", Prefix: "+46701234", Country: "SE", At: at}
	if wait, err := s.ClaimSend(t.Context(), send, noLimits); err != nil || wait.Rule != "" {
		t.Fatal(wait, err)
	}
	return send
}

func finish(t *testing.T, s *Store, send Send, end SendEnd) {
	t.Helper()
	if err := s.FinishSend(t.Context(), send, end); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, s *Store, receipt SendReceipt) (known bool) {
	t.Helper()
	known, err := s.TakeReceipt(t.Context(), receipt)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// Whatever order the answer and the receipts come in, a message only moves on.
func TestReceiptsInAnyOrder(t *testing.T) {
	const answer = SendState("answer")
	for _, test := range []struct {
		name string
		come []SendState // in this order: the answer to the hand-over, and receipts
		want SendState
	}{
		{"as it should be", []SendState{answer, SendDelivered}, SendDelivered},
		{"no receipt", []SendState{answer}, SendSent},
		{"twice", []SendState{answer, SendDelivered, SendDelivered}, SendDelivered},
		{"failed", []SendState{answer, SendUndelivered}, SendUndelivered},
		{"failed twice", []SendState{answer, SendUndelivered, SendUndelivered}, SendUndelivered},
		{"late and wrong", []SendState{answer, SendDelivered, SendUndelivered}, SendDelivered},
		{"arrived after all", []SendState{answer, SendUndelivered, SendDelivered}, SendDelivered},
		{"before the answer", []SendState{SendDelivered, answer}, SendDelivered},
		{"failed before the answer", []SendState{SendUndelivered, answer}, SendUndelivered},
		{"twice before the answer", []SendState{SendDelivered, SendUndelivered, answer}, SendDelivered},
		{"arrived after all, before the answer", []SendState{SendUndelivered, SendDelivered, answer}, SendDelivered},
		{"on both sides of the answer", []SendState{SendDelivered, answer, SendUndelivered}, SendDelivered},
	} {
		for _, reference := range []string{"theirs", "m"} {
			t.Run(test.name+" "+reference, func(t *testing.T) {
				clock := newClock()
				s := openNew(t, clock.now)
				send := claimed(t, s, "m", clock.now())
				for _, comes := range test.come {
					clock.forward(time.Second)
					if comes == answer {
						finish(t, s, send, SendEnd{State: SendSent, Sender: "elks", Reference: "theirs", At: clock.now()})
						continue
					}
					receive(t, s, SendReceipt{Sender: "elks", Reference: reference, State: comes, At: clock.now()})
				}
				last, err := s.LastSend(t.Context(), "c")
				if err != nil || last.State != test.want {
					t.Errorf("%+v, %v; want %s", last, err, test.want)
				}
			})
		}
	}
}

func TestReceiptsOfOthers(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	finish(t, s, claimed(t, s, "m", clock.now()), SendEnd{State: SendSent, Sender: "elks", Reference: "r", At: clock.now()})
	finish(t, s, claimed(t, s, "failed", clock.now()), SendEnd{State: SendFailed, At: clock.now()})
	for _, receipt := range []SendReceipt{
		{Sender: "other", Reference: "r", State: SendDelivered},
		{Sender: "other", Reference: "m", State: SendDelivered},
		{Sender: "elks", Reference: "x", State: SendDelivered},
		{Sender: "elks", Reference: "failed", State: SendDelivered},
	} {
		receipt.At = clock.now()
		if receive(t, s, receipt) {
			t.Errorf("%+v is taken for a message's", receipt)
		}
	}
	for _, receipt := range []SendReceipt{
		{Sender: "elks", Reference: "r", State: SendSent}, {Sender: "elks", Reference: "", State: SendDelivered},
		{Sender: "", Reference: "r", State: SendDelivered}, {Sender: "elks", Reference: "r", State: "claimed"},
	} {
		if _, err := s.TakeReceipt(t.Context(), receipt); err == nil {
			t.Errorf("%+v is taken", receipt)
		}
	}
	records, err := s.SendsOf(t.Context(), "anna", 10)
	if err != nil || len(records) != 2 || records[0].State == SendDelivered || records[1].State == SendDelivered {
		t.Errorf("%+v, %v", records, err)
	}
}

// A hand-over that timed out, and then the receipt tells that it was one.
func TestUnsureThatArrived(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	challengeFor(t, s, "c", "s", clock.now())
	finish(t, s, claimed(t, s, "m", clock.now()), SendEnd{State: SendUnsure, Sender: "elks", Reason: "no answer in time", At: clock.now()})
	if c, err := s.FindChallenge(t.Context(), "c", "s"); err != nil || !c.SentAt.IsZero() {
		t.Errorf("sent at %v, %v", c.SentAt, err)
	}
	clock.forward(time.Second)
	if !receive(t, s, SendReceipt{Sender: "elks", Reference: "m", State: SendDelivered, At: clock.now()}) {
		t.Error("the receipt is of no message")
	}
	if c, err := s.FindChallenge(t.Context(), "c", "s"); err != nil || !c.SentAt.Equal(clock.now()) {
		t.Errorf("sent at %v, %v", c.SentAt, err)
	}
	want := SendRecord{ID: "m", Phone: "+46701234567", Country: "SE", Purpose: "login", State: SendDelivered, Sender: "elks",
		At: clock.now().Add(-time.Second), EndedAt: clock.now()}
	if last, err := s.LastSend(t.Context(), "c"); err != nil || cmp.Diff(want, last) != "" {
		t.Errorf("%v\n%s", err, cmp.Diff(want, last))
	}
	if _, err := s.LastSend(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("no message: %v", err)
	}
}

func TestEarlyReceiptsAreBounded(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	raw(t, s, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO code_receipts SELECT 'elks', 'r' || i, 'delivered', '', i FROM n`, maxReceipts+5))
	receive(t, s, SendReceipt{Sender: "elks", Reference: "new", State: SendUndelivered, Reason: strings.Repeat("å\x00", 300), At: clock.now()})
	count := func() (n, length int) {
		if err := s.read.one(t.Context(), `SELECT COUNT(*), MAX(LENGTH(reason)) FROM code_receipts`, nil, &n, &length); err != nil {
			t.Fatal(err)
		}
		return n, length
	}
	if n, length := count(); n != maxReceipts || length != 200 {
		t.Errorf("%d receipts, the longest reason has %d", n, length)
	}
	clock.forward(time.Hour + time.Second)
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := s.read.one(t.Context(), `SELECT COUNT(*) FROM code_receipts`, nil, &left); err != nil || left != 0 {
		t.Errorf("%d are left after an hour, %v", left, err)
	}
}

// Who has learned that a message did not arrive may have the next at once; it
// counts for the hour all the same.
func TestUndeliveredHasNoCooldown(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	limits := SendLimits{Cooldowns: []time.Duration{time.Minute}, PerHour: 2, PerPrefix: -1, Total: -1}
	for i, want := range []string{"", "hour"} {
		send := claimed(t, s, fmt.Sprint(i), clock.now())
		finish(t, s, send, SendEnd{State: SendSent, Sender: "elks", Reference: fmt.Sprint("r", i), At: clock.now()})
		if wait, err := s.NextSend(t.Context(), send, limits); err != nil || wait.Rule == "" {
			t.Errorf("before the receipt: %+v, %v", wait, err)
		}
		receive(t, s, SendReceipt{Sender: "elks", Reference: fmt.Sprint("r", i), State: SendUndelivered, At: clock.now()})
		if wait, err := s.NextSend(t.Context(), send, limits); err != nil || wait.Rule != want {
			t.Errorf("after message %d: %+v, %v; want %q", i, wait, err, want)
		}
	}
}

func TestClearSends(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	limits := SendLimits{Cooldowns: []time.Duration{time.Minute}, PerHour: 1, PerDay: 1, PerPrefix: 2, PrefixWindow: time.Hour,
		PerCountry: 2, CountryWindow: time.Hour, Total: 2, TotalWindow: time.Hour}
	rules := func(send Send) (rules []string) {
		all, err := s.LimitsInForce(t.Context(), send, limits)
		if err != nil {
			t.Fatal(err)
		}
		for _, wait := range all {
			rules = append(rules, fmt.Sprint(wait.Rule, " ", wait.Until.Sub(clock.now())))
		}
		return rules
	}
	send := claimed(t, s, "1", clock.now())
	want := []string{"cooldown 1m0s", "hour 1h0m0s", "day 24h0m0s", "cooldown 1m0s", "hour 1h0m0s", "day 24h0m0s"}
	if diff := cmp.Diff(want, rules(send)); diff != "" {
		t.Error(diff)
	}
	if n, err := s.ClearSends(t.Context(), "anna"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if got := rules(send); got != nil {
		t.Errorf("still in force: %v", got)
	}
	send = claimed(t, s, "2", clock.now())
	if _, err := s.ClearSends(t.Context(), "anna"); err != nil {
		t.Fatal(err)
	}
	// What is against fraud stays.
	if diff := cmp.Diff([]string{"prefix 1h0m0s", "country 1h0m0s", "total 1h0m0s"}, rules(send)); diff != "" {
		t.Error(diff)
	}
	counts, err := s.SendsWithin(t.Context(), clock.now().Add(-time.Hour), 2, 3)
	if diff := cmp.Diff(SendCounts{Prefixes: map[string]int{"+46701234": 2}, Countries: map[string]int{}, Total: 2}, counts); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
	records, err := s.SendsOf(t.Context(), "anna", 1)
	if err != nil || len(records) != 1 || !records[0].Cleared {
		t.Errorf("%+v, %v", records, err)
	}
}

// An ordinary account and one for administration have codes sent to one number,
// and two to one address. What is lifted for one of them is its own limit and that
// of the recipient, never the other account's own.
func TestClearSendsOfASharedRecipient(t *testing.T) {
	const number, mail = "+46701234567", MailTo + "anna@amido.example"
	limits := SendLimits{Cooldowns: []time.Duration{time.Minute}, PerHour: 2, PerDay: 2, PerPrefix: -1, Total: -1}
	for _, recipient := range []string{number, mail} {
		t.Run(recipient, func(t *testing.T) {
			clock := newClock()
			s := openNew(t, clock.now)
			of := func(account, id string) Send {
				return Send{ID: id, AccountID: account, Phone: recipient, Prefix: recipient, At: clock.now()}
			}
			inForce := func(account string) (rules string) {
				t.Helper()
				all, err := s.LimitsInForce(t.Context(), of(account, ""), limits)
				if err != nil {
					t.Fatal(err)
				}
				for _, wait := range all {
					rules += wait.Rule + " "
				}
				return rules
			}
			want := func(account, rules string) {
				t.Helper()
				if got := inForce(account); got != rules {
					t.Errorf("%s has %q, not %q", account, got, rules)
				}
			}
			for i := range 2 {
				if wait, err := s.ClaimSend(t.Context(), of("adm-anna", fmt.Sprint("m", i)), noLimits); err != nil || wait.Rule != "" {
					t.Fatal(wait, err)
				}
			}
			want("anna", "cooldown hour day ")
			want("adm-anna", "cooldown hour day cooldown hour day ")
			// Without the recipient there is nothing of anna's to lift.
			if n, err := s.ClearSends(t.Context(), "anna", ""); n != 0 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			want("anna", "cooldown hour day ")
			if n, err := s.ClearSends(t.Context(), "anna", recipient); n != 2 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			want("anna", "")
			want("adm-anna", "cooldown hour day ")
			if n, err := s.ClearSends(t.Context(), "anna", recipient); n != 0 || err != nil {
				t.Errorf("twice: %d, %v", n, err)
			}
			if n, err := s.ClearSends(t.Context(), "adm-anna", recipient); n != 2 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			want("adm-anna", "")
			// What is sent from now on counts again, for both.
			if wait, err := s.ClaimSend(t.Context(), of("anna", "new"), limits); err != nil || wait.Rule != "" {
				t.Errorf("%+v, %v", wait, err)
			}
			want("adm-anna", "cooldown ")
		})
	}
}

// A code for one purpose leaves the codes for others alone.
func TestChallengesByPurpose(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	opened := func(id, account, purpose string) Challenge {
		c, err := s.OpenChallenge(t.Context(), Challenge{ID: id, SessionID: "s", AccountID: account, Phone: "p", Purpose: purpose,
			CreatedAt: clock.now(), ExpiresAt: clock.now().Add(5 * time.Minute)}, time.Minute, 5)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	opened("login", "anna", "")
	opened("caller", "anna", "caller")
	opened("other", "bertil", "caller")
	for id, purpose := range map[string]string{"login": "login", "caller": "caller", "other": "caller"} {
		c, err := s.FindChallenge(t.Context(), id, "s")
		if err != nil || c.Purpose != purpose || !c.ExpiresAt.After(clock.now()) {
			t.Errorf("%s: %+v, %v", id, c, err)
		}
	}
	if again := opened("login2", "anna", "login"); again.ID != "login" {
		t.Errorf("a second code for the login: %+v", again)
	}
}

// Who has learned that a message did not arrive need not wait, but gets no more
// messages for it than anybody else: not of the account, the number, the prefix,
// the country or all.
func TestUndeliveredIsNoWayAround(t *testing.T) {
	waits := []time.Duration{time.Hour}
	for _, test := range []struct {
		rule   string
		limits SendLimits
		of     func(id string) Send
		want   int // messages at once
	}{
		{"hour", SendLimits{Cooldowns: waits, PerHour: 5, PerDay: 10, PerPrefix: -1, Total: -1}, oneAccount, 5},
		{"hour", SendLimits{Cooldowns: waits, PerHour: 5, PerDay: 10, PerPrefix: -1, Total: -1}, oneNumber, 5},
		{"day", SendLimits{Cooldowns: waits, PerHour: 50, PerDay: 10, PerPrefix: -1, Total: -1}, oneNumber, 10},
		{"prefix", SendLimits{Cooldowns: waits, PerPrefix: 6, PrefixWindow: time.Hour, Total: -1}, onePrefix, 6},
		{"country", SendLimits{Cooldowns: waits, PerPrefix: -1, PerCountry: 7, CountryWindow: time.Hour, Total: -1}, onePrefix, 7},
		{"total", SendLimits{Cooldowns: waits, PerPrefix: -1, Total: 8, TotalWindow: time.Hour}, nothingInCommon, 8},
		{"cooldown", SendLimits{Cooldowns: waits, PerPrefix: -1, Total: -1}, oneAccount, 1}, // without receipts
	} {
		t.Run(fmt.Sprint(test.rule, test.want), func(t *testing.T) {
			clock := newClock()
			s := openNew(t, clock.now)
			for i := range test.want + 3 {
				clock.forward(time.Millisecond)
				send := test.of(fmt.Sprint(i))
				send.ID, send.At = fmt.Sprint("m", i), clock.now()
				wait, err := s.ClaimSend(t.Context(), send, test.limits)
				if err != nil {
					t.Fatal(err)
				}
				if want := map[bool]string{true: test.rule}[i >= test.want]; wait.Rule != want {
					t.Fatalf("message %d: %+v, want %q", i, wait, want)
				}
				if wait.Rule != "" {
					continue
				}
				finish(t, s, send, SendEnd{State: SendSent, Sender: "elks", Reference: send.ID, At: clock.now()})
				if test.rule != "cooldown" {
					receive(t, s, SendReceipt{Sender: "elks", Reference: send.ID, State: SendUndelivered, At: clock.now()})
				}
			}
		})
	}
}
