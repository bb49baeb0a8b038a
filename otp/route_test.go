package otp

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/store/storetest"
)

// post is a sender that does as its test says.
type post struct {
	name string

	mu    sync.Mutex
	err   error
	calls int
}

func (p *post) Name() string { return p.name }

func (p *post) Send(context.Context, Message) (Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	return Receipt{Reference: p.name + fmt.Sprint(p.calls)}, p.err
}

func (p *post) Check(context.Context) error { return p.err }

func (p *post) set(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

var (
	errRefuses = fmt.Errorf("%w: no credit", ErrNotAccepted)
	errHangs   = errors.New("no answer in time")
)

type routeWorld struct {
	*Route
	t             *testing.T
	first, second *post
	at            time.Time
}

func newRouteWorld(t *testing.T) *routeWorld {
	t.Helper()
	w := &routeWorld{t: t, first: &post{name: "first"}, second: &post{name: "second"}, at: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
	var err error
	w.Route, err = NewRoute(RouteSettings{Now: func() time.Time { return w.at }}, Way{Sender: w.first}, Way{Sender: w.second})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// send wants to know which sender had it, and how often each has been tried.
func (w *routeWorld) send(sender string, first, second int) error {
	w.t.Helper()
	receipt, err := w.Send(w.t.Context(), sample)
	if receipt.Sender != sender || w.first.calls != first || w.second.calls != second {
		w.t.Errorf("by %q, tried %d and %d times (%v); want by %q, %d and %d", receipt.Sender, w.first.calls, w.second.calls, err, sender, first, second)
	}
	return err
}

func TestRouteNeverSendsASecond(t *testing.T) {
	for _, test := range []struct {
		name          string
		first, second error
		sender        string
		calls         int // of the second
		notAccepted   bool
	}{
		{"the first takes it", nil, nil, "first", 0, false},
		{"the first refuses", errRefuses, nil, "second", 1, false},
		{"the first hangs", errHangs, nil, "first", 0, false},
		{"both refuse", errRefuses, errRefuses, "", 1, true},
		{"the first refuses, the second hangs", errRefuses, errHangs, "second", 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newRouteWorld(t)
			w.first.set(test.first)
			w.second.set(test.second)
			err := w.send(test.sender, 1, test.calls)
			if errors.Is(err, ErrNotAccepted) != test.notAccepted {
				t.Errorf("not accepted is %v: %v", !test.notAccepted, err)
			}
			if test.second != nil && !strings.Contains(err.Error(), "first: otp: the message was not accepted: no credit") {
				t.Errorf("the error does not say what became of the first try: %v", err)
			}
		})
	}
}

func TestBreaker(t *testing.T) {
	w := newRouteWorld(t)
	w.first.set(errRefuses)
	for i := range 3 {
		_ = w.send("second", i+1, i+1)
	}
	_ = w.send("second", 3, 4) // open: passed over
	health := w.Health()
	want := []SenderHealth{
		{Name: "first", Breaker: BreakerOpen, OpenUntil: w.at.Add(time.Minute), LastFailure: w.at, Failure: errRefuses.Error()},
		{Name: "second", Breaker: BreakerClosed, LastSuccess: w.at},
	}
	if diff := cmp.Diff(want, health); diff != "" {
		t.Error(diff)
	}
	w.at = w.at.Add(time.Minute)
	if got := w.Health()[0].Breaker; got != BreakerHalfOpen {
		t.Errorf("after the pause it is %s", got)
	}
	_ = w.send("second", 4, 5) // half-open: one try, which fails
	_ = w.send("second", 4, 6)
	w.at = w.at.Add(time.Minute)
	w.first.set(nil)
	_ = w.send("first", 5, 6)
	if got := w.Health()[0]; got.Breaker != BreakerClosed || got.LastSuccess != w.at {
		t.Errorf("after a success it is %+v", got)
	}
	// One failure does not open it again: only several in a row do.
	w.first.set(errRefuses)
	_ = w.send("second", 6, 7)
	w.first.set(nil)
	_ = w.send("first", 7, 7)
}

// A sender that hangs costs each person ten seconds: soon the other comes first.
func TestBreakerOpensOnHanging(t *testing.T) {
	w := newRouteWorld(t)
	w.first.set(errHangs)
	for i := range 3 {
		_ = w.send("first", i+1, 0)
	}
	_ = w.send("second", 3, 1)
	// Where all the others refuse, an open one is tried all the same.
	w.first.set(nil)
	w.second.set(errRefuses)
	_ = w.send("first", 4, 2)
}

func TestHalfOpenLetsOneThrough(t *testing.T) {
	at := time.Now()
	b := &breaker{failures: 1, pause: time.Minute}
	b.done(at, errHangs)
	at = at.Add(time.Minute)
	let := 0
	for range 10 {
		if b.admits(at) {
			let++
		}
	}
	if let != 1 {
		t.Errorf("%d were let through", let)
	}
	if b.letGo(); !b.admits(at) {
		t.Error("a try that was not made is lost")
	}
}

func TestRouteByCountry(t *testing.T) {
	sweden, rest := &post{name: "sweden"}, &post{name: "rest"}
	all := &post{name: "all", err: errRefuses}
	route, err := NewRoute(RouteSettings{}, Way{all, nil}, Way{sweden, []string{"SE"}}, Way{rest, []string{"no", "DK"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		to     Phone
		sender string
	}{
		{"+46701234567", "sweden"},
		{"+4791234567", "rest"},
		{"+358401234567", ""},
		{"+99912345678", ""},
	} {
		receipt, err := route.Send(t.Context(), Message{To: test.to})
		if receipt.Sender != test.sender || errors.Is(err, ErrNotAccepted) != (test.sender == "") {
			t.Errorf("%s went by %q, want %q (%v)", test.to, receipt.Sender, test.sender, err)
		}
	}
	if route, err = NewRoute(RouteSettings{}, Way{sweden, []string{"SE"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := route.Send(t.Context(), Message{To: "+4791234567"}); !errors.Is(err, ErrNotAccepted) || !strings.Contains(err.Error(), "no sender serves NO") {
		t.Errorf("no sender for the country: %v", err)
	}
}

func TestRouteChecksAll(t *testing.T) {
	w := newRouteWorld(t)
	w.first.set(errHangs)
	w.second.set(errRefuses)
	err := w.Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "first: no answer in time") || !strings.Contains(err.Error(), "second: ") {
		t.Errorf("error is %v", err)
	}
	if w.Name() != "first, second" || len(w.Senders()) != 2 {
		t.Errorf("name %q", w.Name())
	}
	if _, err := NewRoute(RouteSettings{}); err == nil {
		t.Error("a route without senders")
	}
}

func TestRouteGivesUpWithItsContext(t *testing.T) {
	w := newRouteWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Send(ctx, sample); !errors.Is(err, ErrNotAccepted) || w.first.calls+w.second.calls != 0 {
		t.Errorf("error is %v, %d tries", err, w.first.calls+w.second.calls)
	}
	if health := w.Health(); slices.ContainsFunc(health, func(h SenderHealth) bool { return !h.LastFailure.IsZero() }) {
		t.Errorf("a person who went away is a sender's failure: %+v", health)
	}
}

// The codes tell apart what surely was not sent, over the route too.
func TestCodesOverARoute(t *testing.T) {
	w := newRouteWorld(t)
	codes := &Codes{Sender: w.Route, Key: []byte(strings.Repeat("k", 32)), Now: func() time.Time { return w.at }}
	codes.Store = storetest.Open(t, filepath.Join(t.TempDir(), "stagedoor.db"), codes.Now)
	w.first.set(errRefuses)
	w.second.set(errRefuses)
	_, err := codes.Start(t.Context(), Request{SessionID: "s", AccountID: anna, Phone: annasPhone})
	if !errors.Is(err, ErrNotSent) || !errors.Is(err, ErrNotAccepted) {
		t.Errorf("both refuse: %v", err)
	}
	if len(codes.Senders()) != 2 {
		t.Errorf("senders %v", codes.Senders())
	}
}

// A message without a number goes only to a sender that takes such, and that
// one never gets a message for a phone.
func TestRouteByAddress(t *testing.T) {
	phone, own := &post{name: "phone"}, &ownPost{post{name: "own"}}
	route, err := NewRoute(RouteSettings{}, Way{Sender: phone}, Way{Sender: own})
	if err != nil {
		t.Fatal(err)
	}
	for want, message := range map[string]Message{"phone": {To: annasPhone, Mail: "anna@stage.example"}, "own": {Mail: "anna@stage.example"}} {
		if receipt, err := route.Send(t.Context(), message); err != nil || receipt.Sender != want {
			t.Errorf("%+v, %v; want %s", receipt, err, want)
		}
	}
	phone.set(errRefuses)
	if _, err := route.Send(t.Context(), Message{To: annasPhone, Mail: "anna@stage.example"}); !errors.Is(err, ErrNotAccepted) || own.calls != 1 {
		t.Errorf("%v, and own mail has been tried %d times", err, own.calls)
	}
	route, err = NewRoute(RouteSettings{}, Way{Sender: phone})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := route.Send(t.Context(), Message{Mail: "anna@stage.example"}); !errors.Is(err, ErrNotAccepted) || phone.calls != 2 {
		t.Errorf("%v after %d calls", err, phone.calls)
	}
}

// ownPost is for people's own mail.
type ownPost struct{ post }

func (*ownPost) Carries(message Message) bool { return message.To == "" && message.Mail != "" }
