package helpdesk_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stagedoor/directory"
	"stagedoor/directory/directorytest"
	"stagedoor/gateway/factor"
	"stagedoor/gateway/helpdesk"
	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/store/storetest"
)

// rig is a desk on real parts, and as many further processes' stores as wanted.
type rig struct {
	helpdesk.Desk
	people *directorytest.Server
	outbox *otp.Outbox
	file   string
	agent  helpdesk.Agent
}

func open(t *testing.T) *rig {
	t.Helper()
	people, err := directorytest.Start(directorytest.Config{MayUnlock: true, Users: []directorytest.User{
		{Name: "hanna", Password: "x", Groups: []string{"Helpdesk"}},
		{Name: "henrik", Password: "x", Groups: []string{"Inner"}},
		{Name: "sara", Password: "x", Groups: []string{"Portal-Admins"}},
		{Name: "cecilia", Password: "x", Mobile: "070-174 06 07", Mail: "cecilia@amido.example", Locked: true},
	}, Groups: []directorytest.Group{{Name: "Helpdesk"}, {Name: "Inner", Groups: []string{"Helpdesk"}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = people.Stop() })
	domain := people.Domain()
	domain.Timeout = 10 * time.Second // a machine at work on much else; one that is down refuses at once
	accounts, err := directory.Open([]directory.Domain{domain})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(accounts.Close)
	r := &rig{people: people, outbox: otp.NewOutbox(20, time.Now), file: filepath.Join(t.TempDir(), "db")}
	r.Desk = helpdesk.Desk{Directory: accounts, Now: time.Now, News: tellNobody, Settings: helpdesk.Settings{
		AgentGroups: []string{`AMIDO\Helpdesk`}, AdministratorGroups: []string{`AMIDO\Portal-Admins`},
		Country: map[string]string{"AMIDO": "SE"}, Countries: []string{"SE"},
	}}
	r.Desk = r.process(t)
	r.agent = helpdesk.Agent{AccountID: r.id(t, "hanna"), Name: `AMIDO\hanna`, SessionID: "session"}
	return r
}

// codeOnly are the words of a message that has nothing but the code.
func codeOnly(string) string { return "{code}" }

func tellNobody(context.Context, directory.Account, string, factor.News, factor.Kind) (store.Trace, error) {
	return store.Trace{}, nil
}

// process is the desk of one more process on the same database.
func (r *rig) process(t *testing.T) helpdesk.Desk {
	t.Helper()
	db := storetest.Open(t, r.file, time.Now)
	d := r.Desk
	d.Store = db
	d.Codes = &otp.Codes{Store: db, Sender: r.outbox, Key: bytes.Repeat([]byte{7}, 32)}
	d.Numbers = &otp.Numbers{Store: db, Notices: otp.NewNotices(d.Codes), Key: bytes.Repeat([]byte{7}, 32)}
	d.Record = func(ctx context.Context, e store.Event) error { _, err := db.AppendEvent(ctx, e); return err }
	return d
}

func (r *rig) id(t *testing.T, name string) string {
	t.Helper()
	a, err := r.Directory.Lookup(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func rule(err error) helpdesk.Rule {
	var refused *helpdesk.RefusedError
	if errors.As(err, &refused) {
		return refused.Rule
	}
	return ""
}

// Agents and administrators, nested groups too, are nobody's to act on; and
// without the directory nobody is.
func TestWhomToActOn(t *testing.T) {
	r := open(t)
	ids := map[string]string{}
	for _, name := range []string{"hanna", "henrik", "sara", "cecilia"} {
		ids[name] = r.id(t, name)
	}
	for name, want := range map[string]helpdesk.Rule{
		"hanna": helpdesk.RuleSelf, "henrik": helpdesk.RuleColleague, "sara": helpdesk.RuleColleague, "cecilia": "",
	} {
		if err := r.Unlock(t.Context(), r.agent, ids[name], "ringde in"); rule(err) != want {
			t.Errorf("unlock %s: %v, want %q", name, err, want)
		}
	}
	if err := r.Unlock(t.Context(), helpdesk.Agent{Name: "cli:root", Server: true}, ids["sara"], "locked out"); err != nil {
		t.Errorf("an administrator, from the server: %v", err)
	}
	if err := r.Unlock(t.Context(), r.agent, "00000000-0000-0000-0000-000000000000", "ringde in"); rule(err) != helpdesk.RuleUnknown {
		t.Errorf("nobody: %v", err)
	}
	if err := r.people.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := r.ClearCodes(t.Context(), r.agent, ids["cecilia"], "ringde in"); rule(err) != helpdesk.RuleDirectory {
		t.Errorf("with the directory out: %v", err)
	}
}

// What cannot be recorded is not done.
func TestNothingWithoutRecord(t *testing.T) {
	r := open(t)
	full := errors.New("the disk is full")
	r.Record = func(context.Context, store.Event) error { return full }
	if err := r.Unlock(t.Context(), r.agent, r.id(t, "cecilia"), "ringde in"); !errors.Is(err, full) {
		t.Fatalf("unlock: %v", err)
	}
	if s, err := r.Directory.State(t.Context(), "cecilia"); err != nil || !s.Locked {
		t.Errorf("it was done all the same: %+v, %v", s, err)
	}
}

// Parallel acts in several processes never pass the limit of a day.
func TestActsPerDay(t *testing.T) {
	r := open(t)
	r.ActsPerDay = 5
	cecilia := r.id(t, "cecilia")
	var done, refused atomic.Int64
	var all sync.WaitGroup
	for range 3 {
		d := r.process(t)
		d.ActsPerDay = 5
		for range 6 {
			all.Go(func() {
				switch err := d.ClearCodes(t.Context(), r.agent, cecilia, "ringde in"); {
				case err == nil:
					done.Add(1)
				case rule(err) == helpdesk.RuleQuota:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if done.Load() != 5 || refused.Load() != 13 {
		t.Errorf("%d acts were done and %d refused, want 5 and 13", done.Load(), refused.Load())
	}
	if left, err := r.ActsLeft(t.Context(), r.agent); err != nil || left != 0 {
		t.Errorf("%d acts are left, %v", left, err)
	}
}

// The limit is over any 24 hours: what was done late yesterday counts today.
func TestActsRoll(t *testing.T) {
	r := open(t)
	cecilia := r.id(t, "cecilia")
	var ahead time.Duration
	db, err := store.Open(t.Context(), r.file, func() time.Time { return time.Now().Add(ahead) })
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r.Store, r.ActsPerDay = db, 2
	act := func() error { return r.ClearPasswords(t.Context(), r.agent, cecilia, "ringde in") }
	first := act()
	ahead = 23 * time.Hour
	second := act()
	if err := act(); first != nil || second != nil || rule(err) != helpdesk.RuleQuota {
		t.Errorf("%v, %v, %v", first, second, err)
	}
	ahead = 24*time.Hour + time.Minute
	third := act()
	var refused *helpdesk.RefusedError
	if err := act(); third != nil || !errors.As(err, &refused) || time.Until(refused.Until).Round(time.Hour) != 47*time.Hour {
		t.Errorf("%v, %v", third, err)
	}
}

// A number that was mistyped is none of the day's acts, nor a code for whom
// nobody has verified.
func TestASlipIsNoAct(t *testing.T) {
	r := open(t)
	if _, err := r.CorrectNumber(t.Context(), r.agent, r.id(t, "cecilia"), "070-1", "ringde in"); rule(err) != helpdesk.RuleBadNumber {
		t.Fatal(err)
	}
	if _, _, err := r.IssueBypass(t.Context(), r.agent, r.id(t, "cecilia"), "ringde in", false); rule(err) != helpdesk.RuleUnverified {
		t.Fatal(err)
	}
	if left, err := r.ActsLeft(t.Context(), r.agent); err != nil || left != 20 {
		t.Errorf("%d acts are left, %v", left, err)
	}
}

// Looking is recorded once an hour for each person, and is no act.
func TestLookIsRecordedOnce(t *testing.T) {
	r := open(t)
	cecilia := r.id(t, "cecilia")
	for range 3 {
		facts, err := r.Look(t.Context(), r.agent, cecilia)
		if err != nil {
			t.Fatal(err)
		}
		if facts.Why[0].Key != helpdesk.WhyLocked || facts.Phone.Masked != "••• 0607" || facts.ActsLeft != 20 {
			t.Errorf("%+v", facts)
		}
	}
	events, err := r.Store.Events(t.Context(), store.EventFilter{Kind: "helpdesk-look"})
	if err != nil || len(events) != 1 || events[0].Detail["person"] != `AMIDO\cecilia` {
		t.Errorf("%+v, %v", events, err)
	}
}

func TestSearchesAreLimited(t *testing.T) {
	r := open(t)
	for i := range 61 {
		_, err := r.Find(t.Context(), r.agent, "cecilia")
		if want := map[bool]helpdesk.Rule{true: helpdesk.RuleSearches}[i == 60]; rule(err) != want {
			t.Fatalf("search %d: %v", i+1, err)
		}
	}
}

// The tries at a caller's code are the code's: five, whoever types.
func TestCallerTries(t *testing.T) {
	r := open(t)
	cecilia := r.id(t, "cecilia")
	if err := r.CheckCaller(t.Context(), r.agent, cecilia, "123456"); rule(err) != helpdesk.RuleNoCode {
		t.Errorf("without a code: %v", err)
	}
	if err := r.AskCaller(t.Context(), r.agent, cecilia, "ringde in", codeOnly, codeOnly); err != nil {
		t.Fatal(err)
	}
	right := r.outbox.Messages("+46701740607")[0].Text
	other := r.agent
	other.SessionID = "another"
	if err := r.CheckCaller(t.Context(), other, cecilia, right); rule(err) != helpdesk.RuleNoCode {
		t.Errorf("another agent's session: %v", err)
	}
	wrong := "000000"
	if right == wrong {
		wrong = "000001"
	}
	for i := range 5 {
		want := helpdesk.RuleWrongCode
		if i == 4 {
			want = helpdesk.RuleUsedUp
		}
		if err := r.CheckCaller(t.Context(), r.agent, cecilia, wrong); rule(err) != want {
			t.Errorf("try %d: %v, want %s", i+1, err, want)
		}
	}
	if err := r.CheckCaller(t.Context(), r.agent, cecilia, right); rule(err) != helpdesk.RuleUsedUp {
		t.Errorf("the right code after five wrong ones: %v", err)
	}
	if caller, err := r.Store.Caller(t.Context(), r.agent.SessionID, cecilia); err != nil || !caller.Until.IsZero() {
		t.Errorf("the caller is verified until %v, %v", caller.Until, err)
	}
}

func TestUnlock(t *testing.T) {
	r := open(t)
	if err := r.Unlock(t.Context(), r.agent, r.id(t, "cecilia"), "ringde in"); err != nil {
		t.Fatal(err)
	}
	if s, err := r.Directory.State(t.Context(), "cecilia"); err != nil || s.Locked {
		t.Errorf("%+v, %v", s, err)
	}
	want := `begun  AMIDO\cecilia: ringde in, ok  AMIDO\cecilia: ringde in`
	if got := strings.Join(r.recorded(t, "helpdesk-unlock"), ", "); got != want {
		t.Errorf("recorded %q, want %q", got, want)
	}
}
