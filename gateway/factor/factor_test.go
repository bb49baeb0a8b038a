package factor

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"stagedoor/store"
	"stagedoor/store/storetest"
)

// desk is two portals on one database, and a clock that tests move.
type desk struct {
	t            *testing.T
	one, another *Factors
	store        *store.Store
	now          atomic.Int64
}

func newDesk(t *testing.T, policy Policy) *desk {
	t.Helper()
	d := &desk{t: t}
	d.now.Store(time.Date(2026, 11, 22, 8, 0, 10, 0, time.UTC).UnixNano())
	path := filepath.Join(t.TempDir(), "stagedoor.db")
	node := func() *Factors {
		db := storetest.Open(t, path, d.clock)
		d.store = db
		f, err := New(Options{Store: db, Key: bytes.Repeat([]byte{7}, 32), Portal: "Amido",
			URL: &url.URL{Scheme: "https", Host: "portal.example.se"}, Policy: policy, Now: d.clock})
		d.must(err)
		return f
	}
	d.one, d.another = node(), node()
	return d
}

func (d *desk) clock() time.Time           { return time.Unix(0, d.now.Load()).UTC() }
func (d *desk) advance(step time.Duration) { d.now.Add(int64(step)) }

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

var anna = Person{AccountID: "anna", Domain: "AMIDO", Name: `AMIDO\anna`, DisplayName: "Anna", Number: true}

// app sets up an app and returns its secret. The code that confirmed it is used.
func (d *desk) app() string {
	d.t.Helper()
	setup, err := d.one.SetUpApp(d.t.Context(), "session", anna)
	d.must(err)
	secret := strings.ReplaceAll(setup.Secret, " ", "")
	d.must(d.one.ConfirmApp(d.t.Context(), "session", anna.AccountID, "Telefon", d.code(secret), store.Trace{}))
	return secret
}

func (d *desk) code(secret string) string {
	d.t.Helper()
	code, err := totp.GenerateCode(secret, d.clock())
	d.must(err)
	return code
}

func wrongFor(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestApp(t *testing.T) {
	d := newDesk(t, nil)
	ctx := t.Context()
	setup, err := d.one.SetUpApp(ctx, "session", anna)
	d.must(err)
	same, err := d.another.SetUpApp(ctx, "session", anna)
	d.must(err)
	other, err := d.one.SetUpApp(ctx, "elsewhere", anna)
	d.must(err)
	if setup.Secret != same.Secret || setup.Secret == other.Secret || setup.QR.Bounds().Dx() != 256 {
		t.Errorf("a page that is loaded again shows another secret, or another session's the same")
	}
	secret := strings.ReplaceAll(setup.Secret, " ", "")
	for name, code := range map[string]string{"wrong": wrongFor(d.code(secret)), "empty": "", "letters": "12345a"} {
		if err := d.one.ConfirmApp(ctx, "session", anna.AccountID, "", code, store.Trace{}); !errors.Is(err, ErrWrong) {
			t.Errorf("confirmed by a code that is %s: %v", name, err)
		}
	}
	if err := d.one.ConfirmApp(ctx, "session", "bertil", "", d.code(secret), store.Trace{}); err == nil {
		t.Error("a secret opens for another account")
	}
	code := d.code(secret)
	d.must(d.one.ConfirmApp(ctx, "session", anna.AccountID, "Telefon", code[:3]+" "+code[3:], store.Trace{}))
	if err := d.one.ConfirmApp(ctx, "session", anna.AccountID, "", code, store.Trace{}); !errors.Is(err, ErrExpired) {
		t.Errorf("confirmed twice: %v", err)
	}
	if err := d.one.CheckApp(ctx, anna.AccountID, code); !errors.Is(err, ErrWrong) {
		t.Errorf("the code that confirmed the app logs in as well: %v", err)
	}
	d.advance(period)
	last := d.code(secret)
	d.must(d.one.CheckApp(ctx, anna.AccountID, last))
	if err := d.another.CheckApp(ctx, anna.AccountID, last); !errors.Is(err, ErrWrong) {
		t.Errorf("one time step was good twice: %v", err)
	}
	d.advance(5 * period)
	for _, c := range []struct {
		name string
		off  time.Duration
		good bool
	}{{"two steps old", -2, false}, {"two steps early", 2, false}, {"a step old", -1, true}, {"older than the last", -1, false}, {"a step early", 1, true}} {
		code, err := totp.GenerateCode(secret, d.clock().Add(c.off*period))
		d.must(err)
		if err := d.one.CheckApp(ctx, anna.AccountID, code); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	rows, err := d.store.Factors(ctx, anna.AccountID)
	d.must(err)
	if len(rows) != 1 || rows[0].Secret == "" || strings.Contains(rows[0].Secret, secret) {
		t.Error("the database holds the secret as it is")
	}
}

func TestAppsAreFew(t *testing.T) {
	d := newDesk(t, nil)
	for range maxApps {
		d.app()
		d.advance(time.Minute)
	}
	setup, err := d.one.SetUpApp(t.Context(), "session", anna)
	d.must(err)
	if err := d.one.ConfirmApp(t.Context(), "session", anna.AccountID, "", d.code(strings.ReplaceAll(setup.Secret, " ", "")), store.Trace{}); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
}

func TestSetupExpires(t *testing.T) {
	d := newDesk(t, nil)
	setup, err := d.one.SetUpApp(t.Context(), "session", anna)
	d.must(err)
	d.advance(setupTime)
	if err := d.one.ConfirmApp(t.Context(), "session", anna.AccountID, "", d.code(strings.ReplaceAll(setup.Secret, " ", "")), store.Trace{}); !errors.Is(err, ErrExpired) {
		t.Errorf("got %v, want ErrExpired", err)
	}
}

func TestBackup(t *testing.T) {
	d := newDesk(t, nil)
	ctx := t.Context()
	codes, err := d.one.MakeBackup(ctx, anna.AccountID, store.Trace{})
	d.must(err)
	seen := map[string]bool{}
	for _, code := range codes {
		seen[code] = true
	}
	if len(seen) != backupCodes || len(codes[0]) != codeLength+1 {
		t.Fatalf("codes: %q", codes)
	}
	kind, err := d.one.CheckCode(ctx, anna, " "+strings.ToLower(codes[0])+" ", Used{})
	d.must(err)
	if kind != Backup {
		t.Errorf("kind %q", kind)
	}
	if _, err := d.another.CheckCode(ctx, anna, codes[0], Used{}); !errors.Is(err, ErrWrong) {
		t.Errorf("a code was good twice: %v", err)
	}
	if _, err := d.one.CheckCode(ctx, Person{AccountID: "bertil"}, codes[1], Used{}); !errors.Is(err, ErrWrong) {
		t.Errorf("a code was good for somebody else: %v", err)
	}
	status, err := d.one.Status(ctx, anna)
	d.must(err)
	if status.BackupLeft != backupCodes-1 {
		t.Errorf("%d left", status.BackupLeft)
	}
	_, err = d.one.MakeBackup(ctx, anna.AccountID, store.Trace{})
	d.must(err)
	if _, err := d.one.CheckCode(ctx, anna, codes[1], Used{}); !errors.Is(err, ErrWrong) {
		t.Errorf("a code was good after new ones were made: %v", err)
	}
	without := newDesk(t, Policy{{Need: Required, Allowed: []Kind{App}}})
	codes, err = without.one.MakeBackup(ctx, anna.AccountID, store.Trace{})
	d.must(err)
	if _, err := without.one.CheckCode(ctx, anna, codes[0], Used{}); !errors.Is(err, ErrWrong) {
		t.Errorf("a code was good where none are allowed: %v", err)
	}
}

func TestBypass(t *testing.T) {
	d := newDesk(t, Policy{{Need: Required, Allowed: []Kind{App}}})
	ctx := t.Context()
	first, expires, err := d.one.IssueBypass(ctx, anna.AccountID, "agent", store.Trace{})
	d.must(err)
	if expires.Sub(d.clock()) != time.Hour || len(strings.ReplaceAll(first, "-", "")) != 10 {
		t.Errorf("code %q until %v", first, expires)
	}
	code, _, err := d.one.IssueBypass(ctx, anna.AccountID, "agent", store.Trace{})
	d.must(err)
	if _, err := d.one.CheckCode(ctx, anna, first, Used{}); !errors.Is(err, ErrWrong) {
		t.Errorf("an older code is still good: %v", err)
	}
	strong := anna
	strong.Strong = true
	if _, err := d.one.CheckCode(ctx, strong, code, Used{}); !errors.Is(err, ErrWrong) {
		t.Errorf("a bypass code let helpdesk in: %v", err)
	}
	status, err := d.one.Status(ctx, anna)
	d.must(err)
	if !status.BypassUntil.Equal(d.clock().Add(time.Hour)) {
		t.Errorf("status tells of a code until %v", status.BypassUntil)
	}
	kind, err := d.one.CheckCode(ctx, anna, code, Used{})
	d.must(err)
	if kind != Bypass {
		t.Errorf("kind %q", kind)
	}
	late, _, err := d.one.IssueBypass(ctx, anna.AccountID, "agent", store.Trace{})
	d.must(err)
	d.advance(time.Hour)
	if _, err := d.one.CheckCode(ctx, anna, late, Used{}); !errors.Is(err, ErrWrong) {
		t.Errorf("a code was good after an hour: %v", err)
	}
}

// Wrong tries of all kinds count in one row on the account, and lock it.
func TestWrongTriesLock(t *testing.T) {
	d := newDesk(t, nil)
	ctx := t.Context()
	secret := d.app()
	codes, err := d.one.MakeBackup(ctx, anna.AccountID, store.Trace{})
	d.must(err)
	d.advance(period)
	for i := range 10 {
		if i%2 == 0 {
			err = d.one.CheckApp(ctx, anna.AccountID, wrongFor(d.code(secret)))
		} else {
			_, err = d.another.CheckCode(ctx, anna, "00000-00000", Used{})
		}
		if !errors.Is(err, ErrWrong) {
			t.Fatalf("try %d: %v", i+1, err)
		}
	}
	var locked *LockedError
	if err := d.one.CheckApp(ctx, anna.AccountID, d.code(secret)); !errors.As(err, &locked) || locked.Until.Sub(d.clock()) != 15*time.Minute {
		t.Fatalf("after ten wrong codes the right one: %v", err)
	}
	if _, err := d.one.CheckCode(ctx, anna, codes[0], Used{}); !errors.As(err, &locked) {
		t.Errorf("after ten wrong codes a backup code: %v", err)
	}
	if err := d.one.CheckApp(ctx, anna.AccountID, "what"); !errors.As(err, &locked) {
		t.Errorf("what is no code at all is not told of the lock: %v", err)
	}
	d.advance(15 * time.Minute)
	d.must(d.one.CheckApp(ctx, anna.AccountID, d.code(secret)))
	lock, err := d.store.CodeLock(ctx, anna.AccountID)
	d.must(err)
	if lock.Wrong != 0 {
		t.Errorf("%d wrong codes after a right one", lock.Wrong)
	}
}

// together calls try on both nodes at once and counts what came back.
func (d *desk) together(n int, try func(context.Context, *Factors) error) (right, wrong, locked int) {
	d.t.Helper()
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range errs {
		node := d.one
		if i%2 == 1 {
			node = d.another
		}
		group.Go(func() { errs[i] = try(d.t.Context(), node) })
	}
	group.Wait()
	for _, err := range errs {
		var lock *LockedError
		switch {
		case err == nil:
			right++
		case errors.As(err, &lock):
			locked++
		case errors.Is(err, ErrWrong):
			wrong++
		default:
			d.t.Error(err)
		}
	}
	return right, wrong, locked
}

// Of parallel tries with one right code one succeeds, and parallel guesses on
// several nodes never pass the limit.
func TestParallelTries(t *testing.T) {
	d := newDesk(t, nil)
	ctx := t.Context()
	secret := d.app()
	d.advance(period)
	code := d.code(secret)
	if right, _, _ := d.together(8, func(ctx context.Context, f *Factors) error { return f.CheckApp(ctx, anna.AccountID, code) }); right != 1 {
		t.Errorf("one code of the app was good %d times", right)
	}
	backup, err := d.one.MakeBackup(ctx, anna.AccountID, store.Trace{})
	d.must(err)
	d.must(d.store.ClearCodeLock(ctx, anna.AccountID))
	check := func(code string) func(context.Context, *Factors) error {
		return func(ctx context.Context, f *Factors) error {
			_, err := f.CheckCode(ctx, anna, code, Used{})
			return err
		}
	}
	if right, _, _ := d.together(8, check(backup[0])); right != 1 {
		t.Errorf("one backup code was good %d times", right)
	}
	bypass, _, err := d.one.IssueBypass(ctx, anna.AccountID, "agent", store.Trace{})
	d.must(err)
	d.must(d.store.ClearCodeLock(ctx, anna.AccountID))
	if right, _, _ := d.together(8, check(bypass)); right != 1 {
		t.Errorf("one bypass code was good %d times", right)
	}
	d.must(d.store.ClearCodeLock(ctx, anna.AccountID))
	right, wrong, locked := d.together(40, check("00000-00000"))
	if right != 0 || wrong != 10 || locked != 30 {
		t.Errorf("of 40 wrong codes %d were looked at, %d not; want 10 and 30", wrong, locked)
	}
}

// What was used last is asked for first; what the policy does not allow, never.
func TestStateOrder(t *testing.T) {
	d := newDesk(t, nil)
	ctx := t.Context()
	firstOf := func(f *Factors) Kind {
		t.Helper()
		state, err := f.State(ctx, anna)
		d.must(err)
		return state.First()
	}
	if got := firstOf(d.one); got != SMS {
		t.Errorf("with a number only: %q", got)
	}
	d.app()
	if got := firstOf(d.one); got != App {
		t.Errorf("with an app: %q", got)
	}
	d.must(d.store.PutPerson(ctx, store.Person{AccountID: anna.AccountID, LastFactor: "sms", LastLogin: d.clock()}))
	if got := firstOf(d.one); got != SMS {
		t.Errorf("after a code by SMS: %q", got)
	}
	only := *d.one
	only.Policy = Policy{{Need: Required, Allowed: []Kind{Key}}}
	if got := firstOf(&only); got != "" {
		t.Errorf("where neither is allowed: %q", got)
	}
}

func TestRemove(t *testing.T) {
	d := newDesk(t, nil)
	ctx := t.Context()
	d.app()
	status, err := d.one.Status(ctx, anna)
	d.must(err)
	id := status.Factors[0].ID
	if _, err := d.one.Remove(ctx, "bertil", id, untraced); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed from somebody else: %v", err)
	}
	removed, err := d.one.Remove(ctx, anna.AccountID, id, untraced)
	d.must(err)
	if removed.Kind != App || removed.Name != "Telefon" {
		t.Errorf("removed %+v", removed)
	}
	if _, err := d.one.Remove(ctx, anna.AccountID, id, untraced); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestShortKey(t *testing.T) {
	if _, err := New(Options{Key: make([]byte, 31)}); err == nil {
		t.Error("a short server key was taken")
	}
}

// A key's answer is parsed from what a browser sent: nothing of it may crash.
func FuzzKeyAnswers(f *testing.F) {
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA"}}`))
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}`))
	f.Add([]byte(``))
	path := filepath.Join(f.TempDir(), "stagedoor.db")
	db, err := store.Open(f.Context(), path, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	factors, err := New(Options{Store: db, Key: bytes.Repeat([]byte{7}, 32), Portal: "Amido",
		URL: &url.URL{Scheme: "https", Host: "portal.example.se"}, Limits: store.TryLimits{LockEvery: 1 << 30, Lock: time.Minute, Stop: 1 << 40}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if _, err := factors.NewKey(t.Context(), "s", anna); err != nil {
			t.Fatal(err)
		}
		if err := factors.AddKey(t.Context(), "s", anna, "", answer, store.Trace{}); err == nil {
			t.Fatal("a key was made of nothing")
		}
		if err := factors.Store.PutSetup(t.Context(), "s", "key", `{"challenge":"AAAAAAAAAAAAAAAAAAAAAA","user_id":"YW5uYQ=="}`, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := factors.CheckKey(t.Context(), "s", anna, answer); err == nil {
			t.Fatal("a key was proven by nothing")
		}
	})
}

func FuzzReadLetters(f *testing.F) {
	f.Add("ABCDE-12345")
	f.Add(" oil01 23456 ")
	f.Fuzz(func(t *testing.T, typed string) {
		if code, ok := readLetters(typed); ok && (len(code) != codeLength || strings.Trim(code, codeAlphabet) != "") {
			t.Errorf("%q gives %q", typed, code)
		}
		if code, ok := readCode(typed, 6); ok && len(code) != 6 {
			t.Errorf("%q gives %q", typed, code)
		}
	})
}

func untraced(Factor) (store.Trace, error) { return store.Trace{}, nil }

// Whoever has removed a factor of somebody's gives no bypass code on their word,
// the codes that are out are void, and the password alone sets nothing up: until
// the hold is over.
func TestRemovedByHelpdesk(t *testing.T) {
	d := newDesk(t, Policy{{Need: Required, Allowed: []Kind{App}, Enrol: []Kind{App}}})
	d.one.Hold, d.another.Hold = 24*time.Hour, 24*time.Hour
	ctx := t.Context()
	d.app()
	early, _, err := d.one.IssueBypassUnseen(ctx, anna.AccountID, "agent", store.Trace{})
	d.must(err)
	own, err := d.store.Factors(ctx, anna.AccountID)
	d.must(err)
	if _, err := d.one.RemoveBy(ctx, anna.AccountID, "no such", "agent", untraced); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed what is not there: %v", err)
	}
	if removed, err := d.one.RemovedLately(ctx, anna.AccountID); err != nil || removed {
		t.Errorf("after nothing was removed: %v, %v", removed, err)
	}
	if removed, err := d.one.RemoveBy(ctx, anna.AccountID, own[0].ID, "agent", untraced); err != nil || removed.Kind != App {
		t.Fatalf("%+v, %v", removed, err)
	}
	if _, err := d.another.CheckCode(ctx, anna, early, Used{}); !errors.Is(err, ErrWrong) {
		t.Errorf("a code from before is good still: %v", err)
	}
	if _, _, err := d.another.IssueBypassUnseen(ctx, anna.AccountID, "agent", store.Trace{}); !errors.Is(err, ErrSecondAgent) {
		t.Errorf("on the same agent's word: %v", err)
	}
	for name, issue := range map[string]func() (string, time.Time, error){
		"to a verified caller": func() (string, time.Time, error) {
			return d.one.IssueBypass(ctx, anna.AccountID, "agent", store.Trace{})
		},
		"on another agent's word": func() (string, time.Time, error) {
			return d.one.IssueBypassUnseen(ctx, anna.AccountID, "second", store.Trace{})
		},
	} {
		if code, _, err := issue(); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if _, err := d.one.CheckCode(ctx, anna, code, Used{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	state, err := d.one.State(ctx, anna)
	if err != nil || !state.Held || state.MustEnrol() {
		t.Errorf("%+v, %v: the password alone sets an app up", state, err)
	}
	d.advance(24 * time.Hour)
	if state, err = d.one.State(ctx, anna); err != nil || state.Held || !state.MustEnrol() {
		t.Errorf("after the hold: %+v, %v", state, err)
	}
	if _, _, err := d.one.IssueBypassUnseen(ctx, anna.AccountID, "agent", store.Trace{}); err != nil {
		t.Errorf("after the hold: %v", err)
	}
}

// Removals and codes on an agent's word at once, on two nodes: however they fall,
// no such code is good after the agent's removal.
func TestRemovalAndBypassRace(t *testing.T) {
	d := newDesk(t, Policy{{Need: Required, Allowed: []Kind{App}}})
	d.one.Hold, d.another.Hold = 24*time.Hour, 24*time.Hour
	ctx := t.Context()
	for range 5 {
		d.app()
		own, err := d.store.Factors(ctx, anna.AccountID)
		d.must(err)
		by := own[0].ID // an agent for each round
		var mu sync.Mutex
		var codes []string
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if code, _, err := d.another.IssueBypassUnseen(ctx, anna.AccountID, by, store.Trace{}); err == nil {
					mu.Lock()
					codes = append(codes, code)
					mu.Unlock()
				} else if !errors.Is(err, ErrSecondAgent) {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if _, err := d.one.RemoveBy(ctx, anna.AccountID, own[0].ID, by, untraced); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		for _, code := range codes {
			if _, err := d.one.CheckCode(ctx, anna, code, Used{}); !errors.Is(err, ErrWrong) {
				t.Errorf("a code on the remover's word is good: %v", err)
			}
		}
		d.must(d.store.ClearCodeLock(ctx, anna.AccountID))
	}
}
