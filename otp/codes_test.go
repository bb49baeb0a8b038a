package otp

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/store/storetest"
)

const anna, annasPhone = "account-anna", Phone("+46701234567")

// world is a portal's Codes with an outbox and a clock that the test moves.
type world struct {
	*Codes
	t      *testing.T
	outbox *Outbox
	at     time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, at: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.at }
	w.outbox = NewOutbox(1000, now)
	w.Codes = &Codes{Sender: w.outbox, Key: []byte(strings.Repeat("k", 32)), Portal: "Backstage", Host: "portal.example", Now: now}
	w.Store = storetest.Open(t, filepath.Join(t.TempDir(), "stagedoor.db"), now)
	return w
}

func (w *world) start(session string) Challenge {
	w.t.Helper()
	challenge, err := w.Start(w.t.Context(), Request{SessionID: session, AccountID: anna, Phone: annasPhone, Words: swedish})
	if err != nil {
		w.t.Fatal(err)
	}
	return challenge
}

// sentCode is the code of the newest message.
func (w *world) sentCode() string {
	w.t.Helper()
	messages := w.outbox.Messages(annasPhone)
	if len(messages) == 0 {
		w.t.Fatal("no message was sent")
	}
	_, code, ok := strings.Cut(messages[0].Text, "#")
	if !ok {
		w.t.Fatalf("no code in %q", messages[0].Text)
	}
	return code
}

// wrong is a code that is not the sent one.
func (w *world) wrong() string {
	if w.sentCode() == "000000" {
		return "000001"
	}
	return "000000"
}

func (w *world) check(challenge Challenge, session, code string) error {
	return w.Check(w.t.Context(), challenge.ID, session, code)
}

// wantWait demands a *WaitError with this rule, so much later.
func (w *world) wantWait(err error, rule string, later time.Duration) {
	w.t.Helper()
	var wait *WaitError
	if !errors.As(err, &wait) || wait.Rule != rule {
		w.t.Errorf("error is %v, want rule %q", err, rule)
		return
	}
	if got := wait.Until.Sub(w.at); got != later {
		w.t.Errorf("%s: wait %v, want %v", rule, got, later)
	}
}

func TestACodeOnce(t *testing.T) {
	w := newWorld(t)
	challenge := w.start("s")
	want := Challenge{ID: challenge.ID, Phone: annasPhone, Purpose: "login", ExpiresAt: w.at.Add(5 * time.Minute), SentAt: w.at,
		ResendAt: w.at.Add(30 * time.Second), Left: 5}
	if diff := cmp.Diff(want, challenge); diff != "" {
		t.Error(diff)
	}
	code := w.sentCode()
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		t.Errorf("code is %q", code)
	}
	if err := w.check(challenge, "s", " "+code[:3]+"-\u00a0"+code[3:]+"\n"); err != nil {
		t.Errorf("the right code: %v", err)
	}
	if err := w.check(challenge, "s", code); !errors.Is(err, ErrExpired) {
		t.Errorf("the same code again: %v", err)
	}
	if _, err := w.Get(t.Context(), challenge.ID, "s"); !errors.Is(err, ErrExpired) {
		t.Errorf("a used challenge: %v", err)
	}
}

func TestCodesDependOnKeyAndChallenge(t *testing.T) {
	codes := Codes{Key: []byte(strings.Repeat("k", 32))}
	other := Codes{Key: []byte(strings.Repeat("x", 32))}
	seen := map[string]bool{}
	same := 0
	for i := range 200 {
		id := fmt.Sprint("challenge", i)
		a, errA := codes.code(id)
		b, errB := other.code(id)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		seen[a] = true
		if a == b {
			same++
		}
	}
	if len(seen) < 195 || same > 3 {
		t.Errorf("%d different codes of 200, %d the same under another key", len(seen), same)
	}
}

func TestAShortKeyIsRefused(t *testing.T) {
	w := newWorld(t)
	w.Key = w.Key[:31]
	if _, err := w.Start(t.Context(), Request{SessionID: "s", AccountID: anna, Phone: annasPhone}); err == nil {
		t.Error("Start took a short key")
	}
	if err := w.Check(t.Context(), "c", "s", "123456"); err == nil {
		t.Error("Check took a short key")
	}
	if phones := w.outbox.Phones(); phones != nil {
		t.Errorf("sent to %v", phones)
	}
}

func TestCodeIsBound(t *testing.T) {
	w := newWorld(t)
	challenge := w.start("s")
	code := w.sentCode()
	for _, test := range []struct{ name, id, session string }{
		{"another session", challenge.ID, "t"},
		{"no session", challenge.ID, ""},
		{"another challenge", "x", "s"},
		{"no challenge", "", "s"},
	} {
		if err := w.Check(t.Context(), test.id, test.session, code); !errors.Is(err, ErrExpired) {
			t.Errorf("%s: %v", test.name, err)
		}
		if _, err := w.Get(t.Context(), test.id, test.session); !errors.Is(err, ErrExpired) {
			t.Errorf("Get of %s: %v", test.name, err)
		}
		if _, err := w.Resend(t.Context(), test.id, test.session, swedish, ""); !errors.Is(err, ErrExpired) {
			t.Errorf("Resend of %s: %v", test.name, err)
		}
	}
	if err := w.check(challenge, "s", code); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

func TestCodeExpires(t *testing.T) {
	w := newWorld(t)
	challenge := w.start("s")
	code := w.sentCode()
	w.at = w.at.Add(5*time.Minute - time.Millisecond)
	if _, err := w.Get(t.Context(), challenge.ID, "s"); err != nil {
		t.Errorf("just before: %v", err)
	}
	w.at = w.at.Add(time.Millisecond)
	if err := w.check(challenge, "s", code); !errors.Is(err, ErrExpired) {
		t.Errorf("after 5 minutes: %v", err)
	}
	if _, err := w.Resend(t.Context(), challenge.ID, "s", swedish, ""); !errors.Is(err, ErrExpired) {
		t.Errorf("Resend after 5 minutes: %v", err)
	}
}

func TestFiveTries(t *testing.T) {
	w := newWorld(t)
	challenge := w.start("s")
	for left := 4; left >= 0; left-- {
		err := w.check(challenge, "s", w.wrong())
		var wrong *WrongError
		if !errors.As(err, &wrong) || wrong.Left != left || !errors.Is(err, ErrWrong) || errors.Is(err, ErrUsedUp) != (left == 0) {
			t.Errorf("error is %v, want %d left", err, left)
		}
	}
	if err := w.check(challenge, "s", w.sentCode()); !errors.Is(err, ErrUsedUp) || errors.Is(err, ErrWrong) {
		t.Errorf("the right code as a sixth try: %v", err)
	}
	w.at = w.at.Add(time.Minute)
	if _, err := w.Resend(t.Context(), challenge.ID, "s", swedish, ""); !errors.Is(err, ErrUsedUp) {
		t.Errorf("Resend: %v", err)
	}
}

func TestWhatIsNoGuessTakesNoTry(t *testing.T) {
	w := newWorld(t)
	challenge := w.start("s")
	for _, code := range []string{"", "12345", "1234567", "abcdef", "12345\x00", "١٢٣٤٥٦", "+12345", "12 34", strings.Repeat("1", 300), strings.Repeat(" ", 300), "😀😀", "\xff123456"} {
		var wrong *WrongError
		if err := w.check(challenge, "s", code); !errors.As(err, &wrong) || wrong.Left != 5 {
			t.Errorf("%q: %v", code, err)
		}
	}
	if err := w.check(challenge, "s", w.sentCode()); err != nil {
		t.Error(err)
	}
}

func TestWrongCodesFollowTheAccount(t *testing.T) {
	w := newWorld(t)
	for i := range 2 { // two sessions with five wrong codes each
		session := fmt.Sprint("s", i)
		challenge := w.start(session)
		for range 5 {
			if err := w.check(challenge, session, w.wrong()); !errors.Is(err, ErrWrong) {
				t.Fatal(err)
			}
		}
		w.at = w.at.Add(time.Minute)
	}
	w.at = w.at.Add(-time.Minute)
	_, err := w.Start(t.Context(), Request{SessionID: "new", AccountID: anna, Phone: annasPhone})
	w.wantWait(err, "locked", 15*time.Minute)
	// Another account at the same number is not locked.
	w.at = w.at.Add(2 * time.Minute)
	if _, err := w.Start(t.Context(), Request{SessionID: "b", AccountID: "bertil", Phone: "+46707654321"}); err != nil {
		t.Errorf("another account: %v", err)
	}
	w.at = w.at.Add(13 * time.Minute)
	challenge := w.start("after")
	if err := w.check(challenge, "after", w.wrong()); !errors.Is(err, ErrWrong) {
		t.Errorf("after the lock: %v", err)
	}
	if err := w.check(challenge, "after", w.sentCode()); err != nil {
		t.Errorf("after the lock: %v", err)
	}
	if lock, err := w.Store.CodeLock(t.Context(), anna); lock.Wrong != 0 || err != nil {
		t.Errorf("a right code leaves %+v, %v", lock, err)
	}
}

func TestTheTenthWrongCodeLocksAnOpenChallenge(t *testing.T) {
	w := newWorld(t)
	w.Tries, w.LockAfter = 100, 3
	challenge := w.start("s")
	for range 3 {
		if err := w.check(challenge, "s", w.wrong()); !errors.Is(err, ErrWrong) {
			t.Fatal(err)
		}
	}
	w.wantWait(w.check(challenge, "s", w.sentCode()), "locked", 15*time.Minute)
	w.at = w.at.Add(time.Minute)
	_, err := w.Resend(t.Context(), challenge.ID, "s", swedish, "")
	w.wantWait(err, "locked", 14*time.Minute)
}

func TestHardStopAndUnlock(t *testing.T) {
	w := newWorld(t)
	w.Tries, w.LockAfter, w.Stop = 100, 1000, 20
	challenge := w.start("s")
	for range 20 {
		if err := w.check(challenge, "s", w.wrong()); !errors.Is(err, ErrWrong) {
			t.Fatal(err)
		}
	}
	var wait *WaitError
	if err := w.check(challenge, "s", w.sentCode()); !errors.As(err, &wait) || wait.Rule != "blocked" || !wait.Until.IsZero() {
		t.Errorf("error is %v, want blocked for good", err)
	}
	if err := w.Unlock(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	if err := w.check(challenge, "s", w.sentCode()); err != nil {
		t.Errorf("after Unlock: %v", err)
	}
}

func TestParallelTries(t *testing.T) {
	w := newWorld(t)
	challenge := w.start("s")
	other := *w.Codes
	var wrong, used atomic.Int64
	var group sync.WaitGroup
	for i := range 20 {
		codes := []*Codes{w.Codes, &other}[i%2]
		group.Go(func() {
			switch err := codes.Check(t.Context(), challenge.ID, "s", w.wrong()); {
			case errors.Is(err, ErrWrong):
				wrong.Add(1)
			case errors.Is(err, ErrUsedUp):
				used.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if wrong.Load() != 5 || used.Load() != 15 {
		t.Errorf("%d looked at, %d refused; want 5 and 15", wrong.Load(), used.Load())
	}
}

func TestParallelRightCodesSucceedOnce(t *testing.T) {
	w := newWorld(t)
	challenge := w.start("s")
	var right atomic.Int64
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			err := w.check(challenge, "s", w.sentCode())
			if err == nil {
				right.Add(1)
			} else if !errors.Is(err, ErrExpired) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if right.Load() != 1 {
		t.Errorf("%d succeeded", right.Load())
	}
}

func TestResendSendsTheSameCode(t *testing.T) {
	w := newWorld(t)
	challenge := w.start("s")
	code := w.sentCode()
	_, err := w.Resend(t.Context(), challenge.ID, "s", "{code} is your code for {portal}.", "")
	w.wantWait(err, "cooldown", 30*time.Second)
	w.at = challenge.ResendAt
	again, err := w.Resend(t.Context(), challenge.ID, "s", "{code} is your code for {portal}.", "")
	if err != nil {
		t.Fatal(err)
	}
	want := challenge
	want.SentAt, want.ResendAt = w.at, w.at.Add(time.Minute)
	if diff := cmp.Diff(want, again); diff != "" {
		t.Error(diff)
	}
	if w.sentCode() != code || len(w.outbox.Messages(annasPhone)) != 2 || !strings.Contains(w.outbox.Messages(annasPhone)[0].Text, "is your code") {
		t.Errorf("messages: %v", w.outbox.Messages(annasPhone))
	}
	got, err := w.Get(t.Context(), challenge.ID, "s")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Get: %s %v", diff, err)
	}
	if n := len(w.outbox.Messages(annasPhone)); n != 2 {
		t.Errorf("Get sent something: %d messages", n)
	}
}

func TestASecondLoginIsNoWayAround(t *testing.T) {
	w := newWorld(t)
	first := w.start("first")
	firstCode := w.sentCode()
	second, err := w.Start(t.Context(), Request{SessionID: "second", AccountID: anna, Phone: annasPhone})
	w.wantWait(err, "cooldown", 30*time.Second)
	if second.ID == "" || !second.SentAt.IsZero() || !second.ResendAt.Equal(first.ResendAt) {
		t.Errorf("the second login has no challenge to wait with: %+v", second)
	}
	if n := len(w.outbox.Messages(annasPhone)); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	w.at = second.ResendAt
	if _, err := w.Resend(t.Context(), second.ID, "second", swedish, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.check(second, "second", w.sentCode()); err != nil {
		t.Errorf("the second login: %v", err)
	}
	if err := w.check(first, "first", firstCode); err != nil {
		t.Errorf("the first login: %v", err)
	}
}

// Whoever has typed a code need not wait for the next one: to log in again, or to
// change one's number. How many there may be in an hour holds all the same.
func TestNoPauseAfterARightCode(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		if err := w.check(w.start("session"), "session", w.sentCode()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Start(t.Context(), Request{SessionID: "session", AccountID: anna, Phone: annasPhone, Words: swedish})
	w.wantWait(err, "hour", time.Hour)
}

func TestStartAgainInOneSession(t *testing.T) {
	w := newWorld(t)
	first := w.start("s")
	again, err := w.Start(t.Context(), Request{SessionID: "s", AccountID: anna, Phone: annasPhone})
	w.wantWait(err, "cooldown", 30*time.Second)
	if again.ID != first.ID {
		t.Error("a second challenge would make the sent code wrong")
	}
	if err := w.check(again, "s", w.sentCode()); err != nil {
		t.Error(err)
	}
}

func TestParallelStartsSendOneMessage(t *testing.T) {
	w := newWorld(t)
	var sent atomic.Int64
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			_, err := w.Start(t.Context(), Request{SessionID: fmt.Sprint("s", i), AccountID: anna, Phone: annasPhone})
			var wait *WaitError
			if err == nil {
				sent.Add(1)
			} else if !errors.As(err, &wait) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if sent.Load() != 1 || len(w.outbox.Messages(annasPhone)) != 1 {
		t.Errorf("%d starts, %d messages; want 1", sent.Load(), len(w.outbox.Messages(annasPhone)))
	}
}

func TestSendLimitsByDefault(t *testing.T) {
	w := newWorld(t)
	var rules []string
	for i := range 40 { // a new login every five minutes
		challenge, err := w.Start(t.Context(), Request{SessionID: fmt.Sprint("s", i), AccountID: anna, Phone: annasPhone})
		var wait *WaitError
		if errors.As(err, &wait) {
			rules = append(rules, wait.Rule)
		} else if err != nil {
			t.Fatal(err)
		} else if err := w.check(challenge, fmt.Sprint("s", i), w.sentCode()); err != nil {
			t.Fatal(err)
		}
		w.at = w.at.Add(5 * time.Minute)
	}
	if n := len(w.outbox.Messages(annasPhone)); n != 10 {
		t.Errorf("%d messages in a day, want 10", n)
	}
	if rules[0] != "hour" || rules[len(rules)-1] != "day" {
		t.Errorf("rules %v", rules)
	}
}

func TestBreakersByDefault(t *testing.T) {
	w := newWorld(t)
	ask := func(i int, phone string) error {
		_, err := w.Start(t.Context(), Request{SessionID: fmt.Sprint("s", i), AccountID: fmt.Sprint("a", i), Phone: Phone(phone)})
		return err
	}
	for i := range 10 {
		if err := ask(i, fmt.Sprintf("+46701234%03d", i)); err != nil {
			t.Fatal(err)
		}
	}
	w.wantWait(ask(10, "+46701234010"), "prefix", 10*time.Minute)
	for i := 11; i <= 200; i++ {
		number := fmt.Sprintf("+46702%03d456", i)
		if i > 100 {
			number = fmt.Sprintf("+47912%03d45", i)
		}
		if err := ask(i, number); err != nil {
			t.Fatal(err)
		}
		if i == 100 {
			w.wantWait(ask(i, "+46703000000"), "country", 10*time.Minute)
		}
	}
	w.wantWait(ask(201, "+358401234567"), "total", 10*time.Minute)
}

// badSender fails as told.
type badSender struct{ err error }

func (badSender) Name() string                { return "bad" }
func (badSender) Check(context.Context) error { return nil }
func (b badSender) Send(ctx context.Context, _ Message) (Receipt, error) {
	if b.err == nil {
		<-ctx.Done() // hangs
		return Receipt{}, ctx.Err()
	}
	return Receipt{}, b.err
}

func TestAFailedSendCanBeTriedAgain(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want string // rule after five failures
	}{
		{"not accepted", fmt.Errorf("%w: status 402", ErrNotAccepted), ""},
		{"who knows", errors.New("connection reset"), "hour"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.Sender = badSender{test.err}
			w.Lifetime = time.Hour
			w.Cooldowns = []time.Duration{time.Minute}
			challenge, err := w.Start(t.Context(), Request{SessionID: "s", AccountID: anna, Phone: annasPhone})
			if !errors.Is(err, ErrNotSent) || challenge.ID == "" || !challenge.SentAt.IsZero() || !challenge.ResendAt.Equal(w.at.Add(time.Minute)) {
				t.Fatalf("%+v, %v", challenge, err)
			}
			for range 4 {
				w.at = w.at.Add(time.Minute)
				if _, err := w.Resend(t.Context(), challenge.ID, "s", swedish, ""); !errors.Is(err, ErrNotSent) {
					t.Fatal(err)
				}
			}
			w.at = w.at.Add(time.Minute)
			w.Sender = w.outbox
			_, err = w.Resend(t.Context(), challenge.ID, "s", swedish, "")
			if test.want != "" {
				w.wantWait(err, test.want, 55*time.Minute)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := w.check(challenge, "s", w.sentCode()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAHangingSenderIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.Sender = badSender{}
	w.Timeout = time.Millisecond
	_, err := w.Start(t.Context(), Request{SessionID: "s", AccountID: anna, Phone: annasPhone})
	if !errors.Is(err, ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

// leavingSender sends while the browser goes away.
type leavingSender struct {
	*Outbox
	leave context.CancelFunc
}

func (l leavingSender) Send(ctx context.Context, message Message) (Receipt, error) {
	l.leave()
	if err := ctx.Err(); err != nil {
		return Receipt{}, err
	}
	return l.Outbox.Send(ctx, message)
}

func TestABrowserThatLeavesDoesNotHalfSend(t *testing.T) {
	w := newWorld(t)
	ctx, leave := context.WithCancel(t.Context())
	w.Sender = leavingSender{w.outbox, leave}
	challenge, err := w.Start(ctx, Request{SessionID: "s", AccountID: anna, Phone: annasPhone})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Get(t.Context(), challenge.ID, "s")
	if err != nil || got.SentAt.IsZero() {
		t.Errorf("%+v, %v; want it recorded as sent", got, err)
	}
}

func TestStartRefusesBadPhones(t *testing.T) {
	w := newWorld(t)
	for _, phone := range []Phone{"", "0701234567", "+46", "+0701234567", "+46701234567890123", "+4670123456x", "+46701234567\n"} {
		if _, err := w.Start(t.Context(), Request{SessionID: "s", AccountID: anna, Phone: phone}); !errors.Is(err, ErrNoPhone) {
			t.Errorf("%q: %v", phone, err)
		}
	}
}

func TestAClosedDatabaseFailsClosed(t *testing.T) {
	w := newWorld(t)
	challenge := w.start("s")
	code := w.sentCode()
	if err := w.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.check(challenge, "s", code); err == nil || errors.Is(err, ErrWrong) || errors.Is(err, ErrExpired) {
		t.Errorf("Check: %v", err)
	}
	if _, err := w.Start(t.Context(), Request{SessionID: "t", AccountID: anna, Phone: annasPhone}); err == nil || errors.Is(err, ErrNotSent) {
		t.Errorf("Start: %v", err)
	}
	if n := len(w.outbox.Messages(annasPhone)); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func FuzzReadCode(f *testing.F) {
	for _, seed := range []string{"123456", "123 456", "12-34-56", "", "\xff", "１２３４５６", "123456\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := readCode(typed)
		if ok && (len(code) != 6 || strings.Trim(code, "0123456789") != "") {
			t.Fatalf("%q was read as %q", typed, code)
		}
	})
}
