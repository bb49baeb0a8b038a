package otp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"stagedoor/store"
	"stagedoor/store/storetest"
)

// moody is a Sender that fails as long as it is told to.
type moody struct {
	mu    sync.Mutex
	fails bool
	texts []string
}

func (m *moody) Name() string                { return "moody" }
func (m *moody) Check(context.Context) error { return nil }
func (m *moody) Send(_ context.Context, message Message) (Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails {
		return Receipt{}, errors.New("out of order")
	}
	m.texts = append(m.texts, string(message.To)+" "+message.Text)
	return Receipt{}, nil
}

// queue is a Notices on a file of its own, and a clock that the test moves.
type queue struct {
	*Notices
	sender *moody
	path   string
	at     time.Time
	failed []string
}

func newQueue(t *testing.T) *queue {
	t.Helper()
	q := &queue{sender: &moody{}, path: filepath.Join(t.TempDir(), "stagedoor.db"), at: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
	q.Notices = q.node(t)
	return q
}

// node is one more program on the same database.
func (q *queue) node(t *testing.T) *Notices {
	now := func() time.Time { return q.at }
	n := NewNotices(&Codes{Store: storetest.Open(t, q.path, now), Sender: q.sender, Now: now})
	n.Key, n.Portal, n.Address, n.Now = []byte(strings.Repeat("k", 32)), "Back\nstage", "https://portal.example", now
	n.Text = func(lang, key string, args ...any) string { return words(lang, key, args) }
	n.Failed = func(notice store.Notice, err error) { q.failed = append(q.failed, fmt.Sprint(notice.Tries, " ", err)) }
	return n
}

var notice = Notice{AccountID: anna, Name: `AMIDO\anna`, Lang: "fi", Phones: []Phone{annasPhone, annasPhone, "", "nonsense"},
	Mail: "anna@amido.example", Key: "factor.notice.added", Args: []any{"n", 2, "what", "app"}, Freeze: "CHANGE"}

// A sender that fails is tried again, later and later, and then it works once.
func TestNoticeRetries(t *testing.T) {
	q := newQueue(t)
	q.sender.fails = true
	if err := q.Tell(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	for i, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute} {
		if n, err := q.Deliver(t.Context()); n != 1 || err != nil {
			t.Fatalf("try %d: %d, %v", i, n, err)
		}
		q.at = q.at.Add(wait - time.Millisecond)
		if n, err := q.Deliver(t.Context()); n != 0 || err != nil {
			t.Fatalf("too early after try %d: %d, %v", i, n, err)
		}
		q.at = q.at.Add(time.Millisecond)
	}
	q.sender.fails = false
	if n, err := q.Deliver(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	q.at = q.at.Add(48 * time.Hour)
	if n, err := q.Deliver(t.Context()); n != 0 || err != nil {
		t.Fatalf("sent again: %d, %v", n, err)
	}
	want := string(annasPhone) + ` fi factor.notice.added.sms n=II what=app name=AMIDO\anna portal=Back stage link=` + q.FreezeLink("CHANGE")
	if len(q.sender.texts) != 1 || q.sender.texts[0] != want {
		t.Errorf("sent %q, want %q", q.sender.texts, want)
	}
	if len(q.failed) != 4 || q.failed[3] != "4 out of order" {
		t.Errorf("told of %q", q.failed)
	}
}

// Notices.Told says how near to its limit the fuller way is, for the account and for the
// recipient, and when there is room again: also after more than the limit.
func TestHowMuchWasTold(t *testing.T) {
	q := newQueue(t)
	q.PerDay = 3
	begin := q.at
	want := func(count int, until time.Time) {
		t.Helper()
		told, err := q.Told(t.Context(), anna, annasPhone, "anna@amido.example")
		if err != nil || told.Count != count || told.Most != 3 || !told.Until.Equal(until) || told.Full() != (count >= 3) {
			t.Errorf("%+v, %v; want %d until %v", told, err, count, until)
		}
	}
	tell := func(account string, phone Phone) {
		t.Helper()
		if err := q.Tell(t.Context(), Notice{AccountID: account, Phones: []Phone{phone}, Key: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	want(0, time.Time{})
	tell(anna, annasPhone)
	q.at = q.at.Add(time.Hour)
	tell("somebody with the same telephone", annasPhone)
	want(2, begin.Add(24*time.Hour))
	tell(anna, "+46701740699")
	tell(anna, "+46701740699")
	want(3, begin.Add(24*time.Hour))
	if err := q.Tell(t.Context(), Notice{AccountID: anna, Phones: []Phone{"+46701740698"}, Key: "k"}); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	// A change that takes effect is told whatever the limit.
	rows, err := q.rows(Notice{AccountID: anna, Phones: []Phone{"+46701740697"}, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Store.QueueNotices(t.Context(), rows, store.NoticeLimits{PerDay: 100}); err != nil {
		t.Fatal(err)
	}
	want(4, begin.Add(25*time.Hour))
	q.at = begin.Add(24 * time.Hour)
	want(3, begin.Add(25*time.Hour))
	q.at = begin.Add(25 * time.Hour)
	want(0, time.Time{})
	tell(anna, "+46701740698")
}

// After a day a notice is news no more.
func TestNoticeIsGivenUp(t *testing.T) {
	q := newQueue(t)
	q.sender.fails = true
	if err := q.Tell(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	tries := 0
	for range 24 * 60 * 2 {
		n, err := q.Deliver(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tries += n
		q.at = q.at.Add(30 * time.Second)
	}
	if tries < 8 || tries > noticeTries {
		t.Errorf("%d tries in a day", tries)
	}
	q.sender.fails = false
	q.at = q.at.Add(48 * time.Hour)
	if n, err := q.Deliver(t.Context()); n != 0 || err != nil || len(q.sender.texts) > 0 {
		t.Errorf("an old notice was sent: %d, %v", n, err)
	}
}

func TestNoticeTooOld(t *testing.T) {
	q := newQueue(t)
	if err := q.Tell(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	q.at = q.at.Add(24 * time.Hour) // the portal was down
	if n, err := q.Deliver(t.Context()); n != 1 || err != nil || len(q.sender.texts) > 0 {
		t.Errorf("%d, %v, sent %q", n, err, q.sender.texts)
	}
}

// Two nodes send at once, and nobody is told twice.
func TestNoticesOfTwoNodes(t *testing.T) {
	q := newQueue(t)
	for i := range 20 {
		one := notice
		one.AccountID = fmt.Sprint("account-", i)
		one.Phones = []Phone{Phone(fmt.Sprintf("+467017406%02d", i))}
		if err := q.Tell(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	nodes := []*Notices{q.Notices, q.node(t), q.node(t)}
	for _, n := range nodes {
		n.Failed = nil
	}
	together(len(nodes), func(i int) {
		if _, err := nodes[i].Deliver(t.Context()); err != nil {
			t.Error(err)
		}
	})
	// Who lost a race went away; nothing is left behind all the same.
	if _, err := q.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, text := range q.sender.texts {
		to, _, _ := strings.Cut(text, " ")
		if seen[to] {
			t.Errorf("%s was told twice", to)
		}
		seen[to] = true
	}
	if len(seen) != 20 {
		t.Errorf("%d of 20 were told", len(seen))
	}
}

// A node that dies while it sends leaves the notice to the others, later.
func TestNoticeLease(t *testing.T) {
	q := newQueue(t)
	if err := q.Tell(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	held, err := q.Store.LeaseNotice(t.Context(), "dead", q.at, q.at.Add(noticeLease))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := q.Deliver(t.Context()); n != 0 || err != nil {
		t.Fatalf("sent under somebody's lease: %d, %v", n, err)
	}
	q.at = q.at.Add(noticeLease)
	if n, err := q.Deliver(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if err := q.Store.FinishNotice(t.Context(), held, "queued", q.at, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("who lost the lease still decides: %v", err)
	}
}

// Nobody is told without end.
func TestNoticeLimits(t *testing.T) {
	q := newQueue(t)
	q.PerDay = 3
	tell := func(account string, phone Phone) error {
		one := notice
		one.AccountID, one.Phones = account, []Phone{phone}
		return q.Tell(t.Context(), one)
	}
	for i := range 3 {
		if err := tell(anna, Phone(fmt.Sprint("+4670174060", i))); err != nil {
			t.Fatal(err)
		}
	}
	want(t, tell(anna, "+46701740609"), ErrTooMany)
	if err := tell("b", "+46701740600"); err != nil {
		t.Fatal(err)
	}
	if err := tell("c", "+46701740600"); err != nil {
		t.Fatal(err)
	}
	want(t, tell("d", "+46701740600"), ErrTooMany) // the number's
	if err := tell("d", "+46701740608"); err != nil {
		t.Fatal(err)
	}
	q.at = q.at.Add(24 * time.Hour)
	if err := tell(anna, "+46701740609"); err != nil {
		t.Fatal(err)
	}
	// In parallel too.
	var told sync.Map
	together(10, func(i int) {
		if err := tell("e", Phone(fmt.Sprint("+4670174061", i))); err == nil {
			told.Store(i, true)
		} else if !errors.Is(err, ErrTooMany) {
			t.Error(err)
		}
	})
	count := 0
	told.Range(func(any, any) bool { count++; return true })
	if count != 3 {
		t.Errorf("%d at once, 3 are allowed", count)
	}
}

// Notices are no way to pump messages out of the portal: they and codes count
// together, on every node. What waits goes later, and by mail at once.
func TestNoticesWaitForTheLimitsOfAll(t *testing.T) {
	for _, test := range []struct {
		rule  string
		limit func(*Codes)
	}{
		{"total", func(c *Codes) { c.Total = 3 }},
		{"country", func(c *Codes) { c.PerCountry = 3 }},
	} {
		t.Run(test.rule, func(t *testing.T) {
			q := newQueue(t)
			nodes := []*Notices{q.Notices, q.node(t)}
			var alarms []string
			mails := 0
			for _, n := range nodes {
				test.limit(n.codes)
				n.codes.Key = n.Key
				n.codes.OnAlarm = func(_ context.Context, alarm Alarm) error { alarms = append(alarms, alarm.Rule); return nil }
				n.Mail = func(context.Context, string, string, string) error { mails++; return nil }
			}
			code := func(account string, phone Phone) error {
				_, err := nodes[0].codes.Start(t.Context(), Request{SessionID: account, AccountID: account, Phone: phone})
				return err
			}
			if err := code(anna, annasPhone); err != nil {
				t.Fatal(err)
			}
			for i := range 4 {
				one := notice
				one.AccountID, one.Phones = fmt.Sprint("account-", i), []Phone{Phone(fmt.Sprint("+4670174060", i))}
				if err := q.Tell(t.Context(), one); err != nil {
					t.Fatal(err)
				}
			}
			deliver := func() {
				for _, n := range nodes {
					if _, err := n.Deliver(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			deliver()
			deliver()
			if texts := len(q.sender.texts); texts != 3 || mails != 4 {
				t.Errorf("%d text messages and %d mails, want the code, two notices and all four mails", texts, mails)
			}
			var wait *WaitError
			if err := code("b", "+46709999999"); !errors.As(err, &wait) || wait.Rule != test.rule {
				t.Errorf("a code beyond them: %v", err)
			}
			if fmt.Sprint(alarms) != "["+test.rule+"]" {
				t.Errorf("alarms %q", alarms)
			}
			q.at = q.at.Add(10 * time.Minute)
			for range 2 * noticeTries { // held for long; that is no failure
				held, err := q.Store.LeaseNotice(t.Context(), "l", q.at, q.at.Add(noticeLease))
				if err != nil || held.Tries != 1 {
					t.Fatalf("%+v, %v", held, err)
				}
				if err := q.Store.PostponeNotice(t.Context(), held, q.at, "limit"); err != nil {
					t.Fatal(err)
				}
			}
			deliver()
			if texts := len(q.sender.texts); texts != 5 || len(q.failed) > 0 {
				t.Errorf("%d text messages in the end; failures %q", texts, q.failed)
			}
		})
	}
}

// The link's token stands nowhere in the database.
func TestQueueHoldsNoSecret(t *testing.T) {
	q := newQueue(t)
	if err := q.Tell(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{q.path, q.path + "-wal"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), freezeToken(q.Key, "CHANGE")) {
			t.Errorf("%s holds the token", name)
		}
	}
}

// Watch wakes for what this node queues, long before its 30 seconds.
func TestWatchWakes(t *testing.T) {
	q := newQueue(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	sent := make(chan struct{}, 1)
	q.Mail = func(context.Context, string, string, string) error { sent <- struct{}{}; return nil }
	go func() { q.Watch(ctx); close(done) }()
	if err := q.Tell(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	select {
	case <-sent:
	case <-time.After(20 * time.Second):
		t.Error("nothing was sent")
	}
	cancel()
	<-done
}
