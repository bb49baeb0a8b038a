package otp

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stagedoor/store"
	"stagedoor/store/storetest"
)

// recorded is what a page records of a number that was changed in the directory.
var recorded = store.Trace{Event: store.Event{Kind: "phone-changed", Result: "ok", Reason: "by-directory", AccountID: cecilia.AccountID, Name: cecilia.Name}}

// withMobile is cecilia as the directory has her with these numbers.
func withMobile(numbers ...string) Person {
	person := cecilia
	person.Directory = numbers
	return person
}

// sees is a login, after which the history has so many lines and so many were told.
func (d desk) sees(t *testing.T, person Person, phone Phone, lines, told int) {
	t.Helper()
	got, err := d.See(t.Context(), person, recorded)
	if err != nil && !(phone == "" && errors.Is(err, ErrNoPhone)) || got.Phone != phone {
		t.Fatalf("got %+v, %v; want %s", got, err, phone)
	}
	history, err := d.History(t.Context(), person.AccountID)
	if err != nil || len(history) != lines {
		t.Errorf("%d lines of history, want %d: %+v, %v", len(history), lines, history, err)
	}
	if n, err := d.Notices.Deliver(t.Context()); n != told || err != nil {
		t.Errorf("%d were told, want %d: %v", n, told, err)
	}
}

// The directory's number is another at a login: the history has it, and the old
// number, the new one and the mail address are told, once.
func TestDirectoryChangesNumber(t *testing.T) {
	d := newDesk(t)
	d.sees(t, cecilia, oldPhone, 0, 0) // a first login tells nobody
	d.sees(t, withMobile("+46 70 174 06 07"), oldPhone, 0, 0)
	if d.ended.Load() != 0 {
		t.Error("devices were forgotten")
	}
	changed := withMobile("070-174 06 08")
	d.sees(t, changed, newPhone, 1, 3)
	if d.ended.Load() != 1 {
		t.Errorf("devices were forgotten %d times", d.ended.Load())
	}
	d.world.at = d.world.at.Add(time.Hour)
	d.sees(t, changed, newPhone, 1, 0)

	line := must(d.History(t.Context(), cecilia.AccountID))[0]
	if line.Act != "directory-changed" || line.Old != string(oldPhone) || line.New != string(newPhone) || line.By != "" || line.How != "" || line.ChangeID != "" {
		t.Errorf("%+v", line)
	}
	says := " old=07 new=08 name=" + cecilia.Name + " portal=Backstage" // and no link: it is the directory's to take back
	for _, phone := range []Phone{oldPhone, newPhone} {
		if got := d.world.outbox.Messages(phone)[0].Text; got != "sv phone.notice.directory.sms"+says {
			t.Errorf("%s was told %q", phone, got)
		}
	}
	if len(*d.told) != 1 || (*d.told)[0].To != cecilia.Mail || (*d.told)[0].Text != "sv phone.notice.directory.mail"+says {
		t.Errorf("by mail: %+v", *d.told)
	}
	events := must(d.Store.Events(t.Context(), store.EventFilter{Kind: "phone-changed"}))
	if len(events) != 1 || events[0].Reason != "by-directory" || events[0].AccountID != cecilia.AccountID || events[0].Detail["old"] != "•• 07" || events[0].Detail["phone"] != "•• 08" {
		t.Errorf("%+v", events)
	}
	// Nothing waits: codes go to the new number at once, and it is not verified.
	if got := d.has(t, changed, newPhone, FromDirectory); got.Verified {
		t.Errorf("%+v", got)
	}
}

// What is not in use is not told of; what comes back in use is.
func TestDirectoryNumberThatIsNotInUse(t *testing.T) {
	d := newDesk(t)
	d.sees(t, cecilia, oldPhone, 0, 0)
	d.sees(t, withMobile(), "", 0, 0)
	d.sees(t, withMobile("later"), "", 0, 0)
	d.sees(t, withMobile("08-465 004 99", "0701740608"), newPhone, 1, 3) // in the place of the first, which was taken away meanwhile
	d.world.at = d.world.at.Add(time.Hour)
	if _, err := d.Change(t.Context(), withMobile("0701740608"), otherPhone, Act{Name: "cli:root", How: HowCLI}); err != nil {
		t.Fatal(err)
	}
	d.sees(t, withMobile("0701740607"), otherPhone, 3, 3) // of the change; the portal's own number is in use
	d.Numbers.Order = []string{FromDirectory, FromVerified}
	d.sees(t, withMobile("0701740608"), newPhone, 3, 0) // as the directory had it last
	d.world.at = d.world.at.Add(time.Hour)
	d.sees(t, withMobile("0701740607"), oldPhone, 4, 3)
}

// Many logins on several nodes see one change once.
func TestDirectoryChangeIsSeenOnce(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "shared.db")
	var done atomic.Int32
	trace := recorded
	trace.Done = func(store.Event, bool) { done.Add(1) }
	nodes := make([]*Numbers, 4)
	for i := range nodes {
		one, notices := *d.Numbers, *d.Notices
		notices.Store = storetest.Open(t, path, func() time.Time { return d.world.at })
		one.Store, one.Notices = notices.Store, &notices
		nodes[i] = &one
	}
	for _, person := range []Person{cecilia, withMobile("0701740608")} {
		together(16, func(i int) {
			if got, err := nodes[i%4].See(t.Context(), person, trace); err != nil || got.Source != FromDirectory {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	if n, err := nodes[0].Notices.Deliver(t.Context()); n != 3 || err != nil || done.Load() != 1 {
		t.Errorf("%d were told, %d recorded, %v", n, done.Load(), err)
	}
	if lines := must(nodes[1].History(t.Context(), cecilia.AccountID)); len(lines) != 1 {
		t.Errorf("%+v", lines)
	}
}

// Who has been told of too much today logs in all the same, and it is recorded;
// where devices cannot be forgotten, or nothing recorded, nobody does.
func TestDirectoryChangeUntold(t *testing.T) {
	d := newDesk(t)
	d.sees(t, cecilia, oldPhone, 0, 0)
	d.Notices.PerDay = 2
	for i := range 2 {
		if err := d.Notices.Tell(t.Context(), Notice{AccountID: cecilia.AccountID, Mail: cecilia.Mail, Key: fmt.Sprint("x", i)}); err != nil {
			t.Fatal(err)
		}
	}
	untold := false
	trace := recorded
	trace.Done = func(_ store.Event, is bool) { untold = is }
	changed := withMobile("0701740608")

	d.Numbers.Changed = func(context.Context, string) error { return errors.New("no database") }
	if _, err := d.See(t.Context(), changed, trace); err == nil {
		t.Error("the devices stay, and the number counts all the same")
	}
	d.Numbers.Changed = nil
	if got, err := d.See(t.Context(), changed, trace); err != nil || got.Phone != newPhone || !untold {
		t.Errorf("%+v, %v, untold %v", got, err, untold)
	}
	if n := must(d.Notices.Deliver(t.Context())); n != 4 { // the two, and the two numbers
		t.Errorf("%d were told", n)
	}
	if slices.ContainsFunc(*d.told, func(m mailed) bool { return strings.Contains(m.Text, "directory") }) {
		t.Error("a third mail went out")
	}
	if lines := must(d.History(t.Context(), cecilia.AccountID)); len(lines) != 1 {
		t.Errorf("%+v", lines)
	}
}

// must is a value that there has to be.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
