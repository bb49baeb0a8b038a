package otp

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/store"
	"stagedoor/store/storetest"
)

const (
	oldPhone   = Phone("+46701740607")
	newPhone   = Phone("+46701740608")
	otherPhone = Phone("+46701740609")
)

var cecilia = Person{AccountID: "account-cecilia", Name: `AMIDO\cecilia`, Lang: "sv", Mail: "cecilia@amido.example",
	Directory: []string{"070-174 06 07"}, Country: "SE", Allowed: []string{"SE", "NO"}}

// desk is a portal's Numbers, with everything around it real but the people.
type desk struct {
	*Numbers
	world *world
	told  *[]mailed
	ended *atomic.Int32
}

func newDesk(t *testing.T) desk {
	t.Helper()
	w := newWorld(t)
	now := func() time.Time { return w.at }
	d := desk{world: w, told: &[]mailed{}, ended: &atomic.Int32{}}
	notices := NewNotices(w.Codes)
	notices.Key, notices.Portal, notices.Address, notices.Now = w.Key, "Backstage", "https://portal.example", now
	notices.Text = func(lang, key string, args ...any) string { return words(lang, key, args) }
	notices.Mail = func(_ context.Context, to, subject, text string) error {
		*d.told = append(*d.told, mailed{To: to, Subject: subject, Text: text})
		return nil
	}
	d.Numbers = &Numbers{Store: w.Store, Notices: notices, Key: w.Key, SelfEnrol: true, Now: now,
		Changed: func(context.Context, string) error { d.ended.Add(1); return nil }}
	return d
}

type mailed struct{ To, Subject, Text string }

// words is a text that shows all that it was given.
func words(lang, key string, args []any) string {
	var b strings.Builder
	b.WriteString(lang + " " + key)
	for i := 0; i+1 < len(args); i += 2 {
		b.WriteString(" " + args[i].(string) + "=")
		switch value := args[i+1].(type) {
		case string:
			b.WriteString(value)
		case int:
			b.WriteString(strings.Repeat("I", value))
		}
	}
	return b.String()
}

// proven is a code from a number, typed rightly.
func (d desk) proven(t *testing.T, person Person, phone Phone, purpose string) string {
	t.Helper()
	c, err := d.world.Codes.Start(t.Context(), Request{SessionID: "session", AccountID: person.AccountID, Phone: phone, Purpose: purpose})
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(d.world.outbox.Messages(phone)[0].Text, "#")
	if err := d.world.Check(t.Context(), c.ID, "session", code); err != nil {
		t.Fatal(err)
	}
	d.world.at = d.world.at.Add(2 * time.Minute) // past the longest cooldown
	return c.ID
}

// bySelf is a person's own act, with a code from each number.
func (d desk) bySelf(t *testing.T, person Person, old, fresh Phone) Act {
	t.Helper()
	act := Act{By: person.AccountID, Name: person.Name, Address: "192.0.2.7", Session: "session"}
	purpose := PurposeEnrol
	if old != "" {
		purpose = PurposeChange
		act.OldCode = d.proven(t, person, old, purpose)
	}
	act.NewCode = d.proven(t, person, fresh, purpose)
	return act
}

func byAgent(name string) Act {
	return Act{By: "account-" + name, Name: `AMIDO\` + name, Address: "192.0.2.8", Reason: "new phone"}
}

// has fails the test unless it is the person's number.
func (d desk) has(t *testing.T, person Person, phone Phone, source string) Number {
	t.Helper()
	got, err := d.Of(t.Context(), person)
	if err != nil && !(phone == "" && errors.Is(err, ErrNoPhone)) || got.Phone != phone || phone != "" && got.Source != source {
		t.Fatalf("got %+v, %v; want %s from %s", got, err, phone, source)
	}
	return got
}

func want(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// The order of the sources, and the first usable one of several attributes.
func TestNumberOf(t *testing.T) {
	for _, c := range []struct {
		name      string
		own       bool
		order     []string
		directory []string
		phone     Phone
		source    string
		reason    string
	}{
		{"directory", false, nil, []string{"070-174 06 07"}, oldPhone, FromDirectory, ""},
		{"the second attribute", false, nil, []string{"08-465 004 99", "0701740607"}, oldPhone, FromDirectory, ""},
		{"none", false, nil, nil, "", "", "empty"},
		{"unreadable", false, nil, []string{"", "later"}, "", "", "unreadable"},
		{"abroad", false, nil, []string{"+1 202 555 0143"}, "", "", "country"},
		{"own before directory", true, nil, []string{"070-174 06 07"}, newPhone, FromVerified, ""},
		{"own alone", true, nil, nil, newPhone, FromVerified, ""},
		{"directory before own", true, []string{FromDirectory, FromVerified}, []string{"070-174 06 07"}, oldPhone, FromDirectory, ""},
		{"own where the directory has none", true, []string{FromDirectory, FromVerified}, []string{"x"}, newPhone, FromVerified, ""},
		{"directory only", true, []string{FromDirectory}, nil, "", "", "empty"},
		{"own only", false, []string{FromVerified}, []string{"070-174 06 07"}, "", "", "empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			person := cecilia
			person.Directory = nil
			if c.own {
				if _, err := d.Enrol(t.Context(), person, newPhone, d.bySelf(t, person, "", newPhone)); err != nil {
					t.Fatal(err)
				}
			}
			person.Directory, d.Order = c.directory, c.order
			got, err := d.Of(t.Context(), person)
			var why *NoPhoneError
			if errors.As(err, &why); c.reason != "" && (why == nil || why.Reason != c.reason) || c.reason == "" && err != nil {
				t.Fatalf("error %v, want reason %q", err, c.reason)
			}
			if got.Phone != c.phone || got.Source != c.source || got.Verified != (c.source == FromVerified) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestEnrolByOneself(t *testing.T) {
	d := newDesk(t)
	person := cecilia
	person.Directory = nil
	act := d.bySelf(t, person, "", newPhone)
	d.SelfEnrol = false
	_, err := d.Enrol(t.Context(), person, newPhone, act)
	want(t, err, ErrNotAllowed)
	d.SelfEnrol = true
	_, err = d.Enrol(t.Context(), person, otherPhone, act) // proven was another one
	want(t, err, ErrUnproven)
	stolen := act
	stolen.Session = "another"
	_, err = d.Enrol(t.Context(), person, newPhone, stolen)
	want(t, err, ErrUnproven)
	late := d.world.at
	d.world.at = late.Add(31 * time.Minute)
	_, err = d.Enrol(t.Context(), person, newPhone, act)
	want(t, err, ErrUnproven)
	d.world.at = late
	if _, err = d.Enrol(t.Context(), person, "+12025550143", act); !errors.Is(err, ErrNoPhone) {
		t.Fatalf("a country that is not allowed: %v", err)
	}
	if _, err = d.Enrol(t.Context(), person, newPhone, act); err != nil {
		t.Fatal(err)
	}
	number := d.has(t, person, newPhone, FromVerified)
	if !number.Verified || number.How != HowCode || number.By != person.AccountID {
		t.Errorf("verified: %+v", number)
	}
	_, err = d.Enrol(t.Context(), person, otherPhone, act)
	want(t, err, ErrHasNumber)
	if d.ended.Load() == 0 {
		t.Error("nobody was told that devices are to be forgotten")
	}
}

// A code vouches once: the same proof does not change the number twice.
func TestProofIsSpent(t *testing.T) {
	d := newDesk(t)
	act := d.bySelf(t, cecilia, oldPhone, newPhone)
	if _, err := d.Change(t.Context(), cecilia, newPhone, act); err != nil {
		t.Fatal(err)
	}
	back := d.bySelf(t, cecilia, newPhone, oldPhone)
	if _, err := d.Change(t.Context(), cecilia, oldPhone, back); err != nil {
		t.Fatal(err)
	}
	_, err := d.Change(t.Context(), cecilia, newPhone, act)
	want(t, err, ErrUnproven)
}

func TestChangeByOneself(t *testing.T) {
	d := newDesk(t)
	act := d.bySelf(t, cecilia, oldPhone, newPhone)
	withoutOld := act
	withoutOld.OldCode = ""
	_, err := d.Change(t.Context(), cecilia, newPhone, withoutOld)
	want(t, err, ErrUnproven)
	withoutOld.OldCode = act.NewCode
	_, err = d.Change(t.Context(), cecilia, newPhone, withoutOld)
	want(t, err, ErrUnproven)
	_, err = d.Change(t.Context(), cecilia, oldPhone, act)
	want(t, err, ErrSameNumber)
	change, err := d.Change(t.Context(), cecilia, newPhone, act)
	if err != nil || change.State != store.NumberApplied || change.Old != string(oldPhone) {
		t.Fatalf("%+v, %v", change, err)
	}
	d.has(t, cecilia, newPhone, FromVerified)
	d.Order = []string{FromDirectory, FromVerified}
	_, err = d.Change(t.Context(), cecilia, otherPhone, byAgent("hanna"))
	want(t, err, ErrElsewhere)
}

// Helpdesk's change waits for the cool-down, or for a second agent.
func TestChangeByHelpdesk(t *testing.T) {
	d := newDesk(t)
	change, err := d.Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
	if err != nil || change.State != store.NumberPending || !change.DueAt.Equal(d.world.at.Add(24*time.Hour)) {
		t.Fatalf("%+v, %v", change, err)
	}
	d.has(t, cecilia, oldPhone, FromDirectory)
	_, err = d.Change(t.Context(), cecilia, otherPhone, byAgent("holger"))
	want(t, err, ErrPending)
	_, err = d.Change(t.Context(), cecilia, otherPhone, d.bySelf(t, cecilia, oldPhone, otherPhone))
	want(t, err, ErrPending)
	for _, who := range []string{"hanna", "cecilia"} {
		_, err = d.Confirm(t.Context(), cecilia.AccountID, change.ID, byAgent(who))
		want(t, err, ErrSecondAgent)
	}
	_, err = d.Confirm(t.Context(), "account-other", change.ID, byAgent("holger"))
	want(t, err, ErrNoChange)
	if _, err = d.Confirm(t.Context(), cecilia.AccountID, change.ID, byAgent("holger")); err != nil {
		t.Fatal(err)
	}
	if got := d.has(t, cecilia, newPhone, FromVerified); got.How != HowAgents || got.By != "account-hanna" {
		t.Errorf("%+v", got)
	}
	_, err = d.Confirm(t.Context(), cecilia.AccountID, change.ID, byAgent("holger"))
	want(t, err, ErrNoChange)

	if change, err = d.Change(t.Context(), cecilia, otherPhone, byAgent("hanna")); err != nil {
		t.Fatal(err)
	}
	d.world.at = change.DueAt.Add(-time.Millisecond)
	d.has(t, cecilia, newPhone, FromVerified)
	d.world.at = change.DueAt
	d.has(t, cecilia, otherPhone, FromVerified)
	if applied, err := d.Run(t.Context()); applied != 0 || err != nil {
		t.Errorf("applied again: %d, %v", applied, err)
	}
}

func TestPeriodicRun(t *testing.T) {
	d := newDesk(t)
	d.CoolDown = time.Hour
	for i, phone := range []Phone{newPhone, otherPhone} {
		person := cecilia
		person.AccountID = []string{"one", "two"}[i]
		if _, err := d.Change(t.Context(), person, phone, byAgent("hanna")); err != nil {
			t.Fatal(err)
		}
	}
	if applied, err := d.Run(t.Context()); applied != 0 || err != nil {
		t.Fatalf("too early: %d, %v", applied, err)
	}
	d.world.at = d.world.at.Add(time.Hour)
	if applied, err := d.Run(t.Context()); applied != 2 || err != nil {
		t.Fatalf("%d, %v", applied, err)
	}
	own, err := d.Store.Number(t.Context(), "two")
	if err != nil || own.Phone != string(otherPhone) {
		t.Errorf("%+v, %v", own, err)
	}
}

func (d desk) tokenOf(change Change) string { return freezeToken(d.Key, change.ID) }

func TestFreeze(t *testing.T) {
	d := newDesk(t)
	change, err := d.Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"", "x", d.tokenOf(Change{ID: "other"}), strings.Repeat("A", 22)} {
		_, err = d.Freeze(t.Context(), change.ID, token, "192.0.2.9", nil)
		want(t, err, ErrLink)
	}
	if _, err = d.Freezable(t.Context(), change.ID, d.tokenOf(change)); err != nil {
		t.Fatal(err)
	}
	if _, err = d.Freeze(t.Context(), change.ID, d.tokenOf(change), "192.0.2.9", nil); err != nil {
		t.Fatal(err)
	}
	_, err = d.Freeze(t.Context(), change.ID, d.tokenOf(change), "192.0.2.9", nil)
	want(t, err, ErrNoChange)
	d.world.at = d.world.at.Add(25 * time.Hour)
	if !d.has(t, cecilia, oldPhone, FromDirectory).Frozen {
		t.Error("the number is not frozen")
	}

	// By oneself: no. By one agent: it waits for ever. By two: done, and thawed.
	_, err = d.Change(t.Context(), cecilia, otherPhone, d.bySelf(t, cecilia, oldPhone, otherPhone))
	want(t, err, ErrFrozen)
	second, err := d.Change(t.Context(), cecilia, otherPhone, byAgent("hanna"))
	if err != nil || !second.DueAt.IsZero() {
		t.Fatalf("%+v, %v", second, err)
	}
	d.world.at = d.world.at.Add(48 * time.Hour)
	d.has(t, cecilia, oldPhone, FromDirectory)
	if _, err = d.Confirm(t.Context(), cecilia.AccountID, second.ID, byAgent("holger")); err != nil {
		t.Fatal(err)
	}
	if d.has(t, cecilia, otherPhone, FromVerified).Frozen {
		t.Error("still frozen")
	}
	// What two agents have settled no old link undoes.
	_, err = d.Freeze(t.Context(), second.ID, d.tokenOf(second), "192.0.2.9", nil)
	want(t, err, ErrNoChange)
}

// Of two who press at the same moment, each with a notice of their own, both hear
// that it is stopped.
func TestFreezeTwice(t *testing.T) {
	d := newDesk(t)
	change, err := d.Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
	if err != nil {
		t.Fatal(err)
	}
	quicker := *d.Numbers
	d.Changed = func(ctx context.Context, _ string) error { // the later one has just looked
		_, err := quicker.Freeze(ctx, change.ID, d.tokenOf(change), "192.0.2.8", nil)
		return err
	}
	stopped, err := d.Freeze(t.Context(), change.ID, d.tokenOf(change), "192.0.2.9", nil)
	want(t, err, ErrStopped)
	if stopped.ID != change.ID {
		t.Errorf("stopped was %+v", stopped)
	}
}

// Somebody who got hold of the telephone changes the number, and then changes it
// on: the link that the old number got takes all of it back.
func TestFreezeTakesBack(t *testing.T) {
	d := newDesk(t)
	first, err := d.Change(t.Context(), cecilia, newPhone, d.bySelf(t, cecilia, oldPhone, newPhone))
	if err != nil {
		t.Fatal(err)
	}
	d.world.at = d.world.at.Add(time.Hour)
	if _, err = d.Change(t.Context(), cecilia, otherPhone, d.bySelf(t, cecilia, newPhone, otherPhone)); err != nil {
		t.Fatal(err)
	}
	d.has(t, cecilia, otherPhone, FromVerified)
	if _, err = d.Freeze(t.Context(), first.ID, d.tokenOf(first), "192.0.2.9", nil); err != nil {
		t.Fatal(err)
	}
	if !d.has(t, cecilia, oldPhone, FromDirectory).Frozen {
		t.Error("not frozen")
	}
	want(t, d.Unfreeze(t.Context(), cecilia.AccountID, byAgent("cecilia")), ErrSelf)
	if err := d.Unfreeze(t.Context(), cecilia.AccountID, byAgent("holger")); err != nil {
		t.Fatal(err)
	}
	want(t, d.Unfreeze(t.Context(), cecilia.AccountID, byAgent("holger")), ErrNoChange)
}

func TestFreezeIsTooLate(t *testing.T) {
	d := newDesk(t)
	change, err := d.Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
	if err != nil {
		t.Fatal(err)
	}
	d.world.at = change.DueAt
	d.has(t, cecilia, newPhone, FromVerified)
	d.world.at = change.DueAt.Add(7*24*time.Hour - time.Millisecond)
	if _, err := d.Freezable(t.Context(), change.ID, d.tokenOf(change)); err != nil {
		t.Fatal(err)
	}
	d.world.at = change.DueAt.Add(7 * 24 * time.Hour)
	_, err = d.Freeze(t.Context(), change.ID, d.tokenOf(change), "192.0.2.9", nil)
	want(t, err, ErrNoChange)
	d.has(t, cecilia, newPhone, FromVerified)
}

// Whose change was frozen does not thaw the account.
func TestUnfreezeBySecondAgent(t *testing.T) {
	d := newDesk(t)
	change, err := d.Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Freeze(t.Context(), change.ID, d.tokenOf(change), "", nil); err != nil {
		t.Fatal(err)
	}
	want(t, d.Unfreeze(t.Context(), cecilia.AccountID, byAgent("hanna")), ErrSecondAgent)
	if err := d.Unfreeze(t.Context(), cecilia.AccountID, byAgent("holger")); err != nil {
		t.Fatal(err)
	}
}

func TestCancel(t *testing.T) {
	d := newDesk(t)
	change, err := d.Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = d.Cancel(t.Context(), cecilia.AccountID, change.ID, byAgent("hanna")); err != nil {
		t.Fatal(err)
	}
	d.world.at = change.DueAt
	if d.has(t, cecilia, oldPhone, FromDirectory).Frozen {
		t.Error("a withdrawn change freezes nothing")
	}
	_, err = d.Pending(t.Context(), cecilia.AccountID)
	want(t, err, ErrNoChange)
}

func TestOnTheMachine(t *testing.T) {
	d := newDesk(t)
	change, err := d.Change(t.Context(), cecilia, newPhone, Act{Name: "root", How: HowCLI, Reason: "locked out"})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.has(t, cecilia, newPhone, FromVerified); got.How != HowCLI {
		t.Errorf("%+v", got)
	}
	_, err = d.Freeze(t.Context(), change.ID, d.tokenOf(change), "", nil)
	want(t, err, ErrNoChange)
}

func TestConfirmDirectory(t *testing.T) {
	d := newDesk(t)
	_, err := d.ConfirmDirectory(t.Context(), cecilia, byAgent("cecilia"))
	want(t, err, ErrSelf)
	got, err := d.ConfirmDirectory(t.Context(), cecilia, byAgent("hanna"))
	if err != nil || !got.Verified || got.How != HowConfirmed || got.Source != FromDirectory {
		t.Fatalf("%+v, %v", got, err)
	}
	moved := cecilia
	moved.Directory = []string{string(otherPhone)}
	if got := d.has(t, moved, otherPhone, FromDirectory); got.Verified {
		t.Error("another number of the directory is verified too")
	}
}

// What was done stands in the history, the newest first, and what is refused
// does not.
func TestHistory(t *testing.T) {
	d := newDesk(t)
	change, err := d.Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = d.Change(t.Context(), cecilia, otherPhone, byAgent("hanna"))
	if _, err = d.Confirm(t.Context(), cecilia.AccountID, change.ID, byAgent("holger")); err != nil {
		t.Fatal(err)
	}
	if _, err = d.Freeze(t.Context(), change.ID, d.tokenOf(change), "192.0.2.9", nil); err != nil {
		t.Fatal(err)
	}
	events, err := d.History(t.Context(), cecilia.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, strings.Join([]string{e.Act, e.ByName, e.Address, e.Reason, e.How, e.Old, e.New}, "|"))
	}
	between := "agents|" + string(oldPhone) + "|" + string(newPhone)
	if diff := cmp.Diff([]string{
		"frozen||192.0.2.9|link|" + between,
		`applied|AMIDO\hanna|||` + between,
		`confirmed|AMIDO\holger|192.0.2.8|new phone|` + between,
		`asked|AMIDO\hanna|192.0.2.8|new phone|` + between,
	}, got); diff != "" {
		t.Error(diff)
	}
}

// Everybody is told at once, and the queue holds no token.
func TestTold(t *testing.T) {
	d := newDesk(t)
	change, err := d.Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := d.Notices.Deliver(t.Context()); n != 3 || err != nil {
		t.Fatalf("%d messages, %v", n, err)
	}
	link := "https://portal.example/freeze/" + change.ID + "?t=" + d.tokenOf(change)
	for _, phone := range []Phone{oldPhone, newPhone} {
		messages := d.world.outbox.Messages(phone)
		if len(messages) != 1 || messages[0].Text != "sv phone.notice.pending.sms hours="+strings.Repeat("I", 24)+" old=07 new=08 name="+cecilia.Name+" portal=Backstage link="+link {
			t.Errorf("%s was told %+v", phone, messages)
		}
	}
	if len(*d.told) != 1 || (*d.told)[0].To != cecilia.Mail || !strings.Contains((*d.told)[0].Text, link) {
		t.Errorf("by mail: %+v", *d.told)
	}
	if n, err := d.Notices.Deliver(t.Context()); n != 0 || err != nil {
		t.Errorf("told again: %d, %v", n, err)
	}
	// What was said to come in a day has come: that is said too, with the link.
	if _, err := d.Confirm(t.Context(), cecilia.AccountID, change.ID, byAgent("holger")); err != nil {
		t.Fatal(err)
	}
	d.wantTold(t, "phone.notice.changed", link)
	// What two agents have settled no link undoes: none is sent.
	if _, err := d.Freeze(t.Context(), change.ID, d.tokenOf(change), "192.0.2.9", nil); err != nil {
		t.Fatal(err)
	}
	if change, err = d.Change(t.Context(), cecilia, otherPhone, byAgent("hanna")); err != nil {
		t.Fatal(err)
	}
	d.wantTold(t, "phone.notice.second", "/freeze/"+change.ID)
	if _, err := d.Confirm(t.Context(), cecilia.AccountID, change.ID, byAgent("holger")); err != nil {
		t.Fatal(err)
	}
	d.wantTold(t, "phone.notice.final", "!link")
}

// wantTold delivers what is queued, and looks at the newest mail and SMS.
func (d desk) wantTold(t *testing.T, key, link string) {
	t.Helper()
	if n, err := d.Notices.Deliver(t.Context()); n != 3 || err != nil {
		t.Fatalf("%s: %d messages, %v", key, n, err)
	}
	mail, sms := (*d.told)[len(*d.told)-1].Text, d.world.outbox.Messages(oldPhone)[0].Text
	for text, want := range map[string]string{mail: key + ".mail", sms: key + ".sms"} {
		if !strings.Contains(text, want) || strings.Contains(text, "link=") == (link == "!link") || link != "!link" && !strings.Contains(text, link) {
			t.Errorf("told %q, want %s with %s", text, want, link)
		}
	}
}

// A change of which nobody could be told does not happen.
func TestTooManyNotices(t *testing.T) {
	d := newDesk(t)
	d.Notices.PerDay = 3
	for i := range 3 {
		change, err := d.Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
		if i == 1 { // two messages each, and the fourth is too many
			want(t, err, ErrTooMany)
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Cancel(t.Context(), cecilia.AccountID, change.ID, byAgent("hanna")); err != nil {
			t.Fatal(err)
		}
	}
	_, err := d.Pending(t.Context(), cecilia.AccountID)
	want(t, err, ErrNoChange)
}

func TestChangedMustSucceed(t *testing.T) {
	d := newDesk(t)
	d.Numbers.Changed = func(context.Context, string) error { return errors.New("no database") }
	if _, err := d.Change(t.Context(), cecilia, newPhone, d.bySelf(t, cecilia, oldPhone, newPhone)); err == nil {
		t.Fatal("the devices stay, and the number changed all the same")
	}
	d.has(t, cecilia, oldPhone, FromDirectory)
}

// Two nodes and many requests on one database: one change waits, it ends in one
// way, and it is in force at most once.
func TestNumbersRace(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "shared.db")
	now := func() time.Time { return d.world.at }
	nodes := make([]*Numbers, 2)
	for i := range nodes {
		one := *d.Numbers
		one.Store, one.Notices = storetest.Open(t, path, now), nil
		nodes[i] = &one
	}
	for round := range 8 {
		person := cecilia
		person.AccountID = "account-" + string(rune('a'+round))
		var asked, confirmed, frozen atomic.Int32
		var id atomic.Value
		together(16, func(i int) {
			change, err := nodes[i%2].Change(t.Context(), person, newPhone, byAgent("hanna"))
			if err == nil {
				asked.Add(1)
				id.Store(change)
			} else if !errors.Is(err, ErrPending) {
				t.Errorf("change: %v", err)
			}
		})
		if asked.Load() != 1 {
			t.Fatalf("%d changes of one account", asked.Load())
		}
		change := id.Load().(Change)
		if round%2 == 1 {
			d.world.at = change.DueAt
		}
		together(24, func(i int) {
			n := nodes[i%2]
			switch i % 4 {
			case 0:
				if _, err := n.Confirm(t.Context(), person.AccountID, change.ID, byAgent("holger")); err == nil {
					confirmed.Add(1)
				} else if !errors.Is(err, ErrNoChange) {
					t.Errorf("confirm: %v", err)
				}
			case 1:
				if _, err := n.Freeze(t.Context(), change.ID, d.tokenOf(change), "", nil); err == nil {
					frozen.Add(1)
				} else if !errors.Is(err, ErrNoChange) {
					t.Errorf("freeze: %v", err)
				}
			default:
				if _, err := n.Of(t.Context(), person); err != nil {
					t.Errorf("of: %v", err)
				}
			}
		})
		if confirmed.Load() > 1 || frozen.Load() != 1 {
			t.Errorf("confirmed %d times, frozen %d times", confirmed.Load(), frozen.Load())
		}
		number, err := nodes[0].Of(t.Context(), person)
		if err != nil || number.Phone != oldPhone || !number.Frozen {
			t.Errorf("in the end %+v, %v", number, err)
		}
		events, err := nodes[1].History(t.Context(), person.AccountID)
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, e := range events {
			count[e.Act]++
		}
		if count["asked"] != 1 || count["applied"] > 1 || count["frozen"] != 1 {
			t.Errorf("history: %v", count)
		}
	}
}

// together runs work so many times at once.
func together(times int, work func(i int)) {
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() { work(i) })
	}
	all.Wait()
}

// A first number by helpdesk counts at once only where nothing else protects the
// account; else it waits, and the mail address is told with a link that stops it.
func TestFirstNumberOfAGuardedAccount(t *testing.T) {
	d := newDesk(t)
	bare := cecilia
	bare.Directory = nil
	agent := Act{By: "agent", Name: `AMIDO\hanna`, Reason: "ny mobil"}
	change, err := d.Enrol(t.Context(), bare, newPhone, agent)
	if err != nil || change.State != store.NumberApplied {
		t.Errorf("nothing else: %+v, %v", change, err)
	}
	guarded := bare
	guarded.AccountID, guarded.Guarded = "account-guarded", true
	if change, err = d.Enrol(t.Context(), guarded, otherPhone, agent); err != nil || change.State != store.NumberPending || change.DueAt.Sub(change.At) != 24*time.Hour {
		t.Fatalf("guarded: %+v, %v", change, err)
	}
	if _, err := d.Of(t.Context(), guarded); !errors.Is(err, ErrNoPhone) {
		t.Errorf("before its time: %v", err)
	}
	if _, err := d.Notices.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(*d.told, func(m mailed) bool {
		return m.To == guarded.Mail && strings.Contains(m.Text, "phone.notice.first.mail") && strings.Contains(m.Text, "link=https://portal.example/freeze/"+change.ID)
	}) {
		t.Errorf("the mails: %+v", *d.told)
	}
	if _, err := d.Confirm(t.Context(), guarded.AccountID, change.ID, agent); !errors.Is(err, ErrSecondAgent) {
		t.Errorf("confirmed by who asked: %v", err)
	}
	d.world.at = d.world.at.Add(24 * time.Hour)
	if number, err := d.Of(t.Context(), guarded); err != nil || number.Phone != otherPhone {
		t.Errorf("after the cool-down: %+v, %v", number, err)
	}
	if _, err := d.Notices.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(*d.told, func(m mailed) bool {
		return strings.Contains(m.Text, "phone.notice.enrolled.mail") && strings.Contains(m.Text, change.ID)
	}) {
		t.Errorf("nobody is told that it counts now: %+v", *d.told)
	}
	// On the machine it counts at once, whoever has what.
	own := guarded
	own.AccountID = "account-own"
	if change, err := d.Enrol(t.Context(), own, otherPhone, Act{How: HowCLI, Name: "cli:root", Reason: "test"}); err != nil || change.State != store.NumberApplied {
		t.Errorf("on the machine: %+v, %v", change, err)
	}
}
