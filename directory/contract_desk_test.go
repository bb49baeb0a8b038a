package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/directory"
)

// What helpdesk relies on, part of the contract.

func contractSearch(t *testing.T, d *directory.Directory, p peer) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"display name", "Ångström", []string{"anna"}},
		{"both names, the other way round, in lower case", "ångström anna", []string{"anna"}},
		{"decomposed letters", "A\u030angstro\u0308m", []string{"anna"}},
		{"user name", "lockm", []string{"lockme"}},
		{"a part of several", "changes-e", []string{"changes-emoji", "changes-expired"}},
		{"user name with the domain", p.domain.Name + `\changes-e`, []string{"changes-emoji", "changes-expired"}},
		{"another domain", `OTHER\anna`, nil},
		{"no name after the domain", p.domain.Name + `\`, nil},
		{"mail", "anna@amido.example", []string{"anna"}},
		{"number, national", "0701740605", []string{"number1"}},
		{"number, with spaces and a hyphen", "070-174 06 05", []string{"number1"}},
		{"number, international", "+46701740606", []string{"number2"}},
		{"number, 00", "0046 70 174 06 06", []string{"number2"}},
		{"the end of a number", "74 06 06", []string{"number2"}},
		{"the start of several", "070-174", []string{"number1", "number2"}},
		{"nobody's number", "0701740699", nil},
		{"a star is a star", ") *", []string{"number2"}},
		{"brackets", "(extern)", []string{"number2"}},
		{"filter injection", "x)(objectClass=*", nil},
		{"filter injection, balanced", "anna)(|(uid=*", nil},
		{"backslash code", `\2a\2a`, nil},
		{"nobody", "no such person", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := d.Search(limited(t, 10*time.Second), c.text, 20)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, a := range found {
				names = append(names, a.Name)
			}
			slices.Sort(names)
			if diff := cmp.Diff(c.want, names); diff != "" {
				t.Errorf("Search(%q) (-want +got):\n%s", c.text, diff)
			}
		})
	}
	for _, text := range []string{"", "a", strings.Repeat("a", 101), "an\x00na", "\xff\xfe"} {
		if _, err := d.Search(limited(t, 10*time.Second), text, 20); !errors.Is(err, directory.ErrSearchText) {
			t.Errorf("Search(%q): %v, want ErrSearchText", text, err)
		}
	}
	if found, err := d.Search(limited(t, 10*time.Second), "an", 2); err != nil || len(found) > 2 {
		t.Errorf("a search of 2 accounts found %d, %v", len(found), err)
	}
	contractByID(t, d, p)
}

func contractByID(t *testing.T, d *directory.Directory, p peer) {
	ctx := limited(t, 10*time.Second)
	found, err := d.Search(ctx, "anna ångström", 20)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d found, %v", len(found), err)
	}
	want, err := d.Lookup(ctx, "anna")
	if err != nil {
		t.Fatal(err)
	}
	brief := want
	brief.Groups, brief.PasswordExpires, brief.Barred = nil, time.Time{}, ""
	if diff := cmp.Diff(brief, found[0]); diff != "" {
		t.Errorf("Search tells another account than Lookup (-lookup +search):\n%s", diff)
	}
	for _, domain := range []string{"", p.domain.Name, strings.ToLower(p.domain.Name)} {
		got, err := d.ByID(ctx, domain, strings.ToUpper(found[0].ID))
		if err != nil || got.Name != "anna" || len(got.Groups) != len(want.Groups) {
			t.Errorf("ByID(%q): %+v, %v", domain, got, err)
		}
	}
	for _, wrong := range [][2]string{
		{"OTHER", want.ID}, {"", "00000000-0000-0000-0000-000000000000"}, {"", ""}, {"", "*"}, {"", want.ID + ")(uid=*"},
	} {
		if _, err := d.ByID(ctx, wrong[0], wrong[1]); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("ByID(%q): %v, want ErrNotFound", wrong, err)
		}
	}
}

func contractState(t *testing.T, d *directory.Directory, p peer) {
	state := func(name string) directory.State {
		t.Helper()
		s, err := d.State(limited(t, 10*time.Second), name)
		if err != nil {
			t.Fatalf("State(%s): %v", name, err)
		}
		return s
	}
	for _, c := range []struct{ name, want string }{
		{"anna", ""}, {"disabled", "disabled"}, {"ended", "ended"}, {"expired", "expired"}, {"mustchange", "must-change"},
	} {
		s := state(c.name)
		said := []string{}
		for word, is := range map[string]bool{
			"disabled": s.Disabled, "ended": s.Ended, "expired": s.PasswordExpired, "must-change": s.MustChange, "locked": s.Locked,
		} {
			if is {
				said = append(said, word)
			}
		}
		if got := strings.Join(said, " "); got != c.want {
			t.Errorf("%s is %q, want %q: %+v", c.name, got, c.want, s)
		}
	}
	anna := state("anna")
	if age := time.Since(anna.PasswordSet); age < 47*time.Hour || age > 49*time.Hour || anna.Mail == "" || len(anna.Groups) == 0 {
		t.Errorf("anna's password was set %v ago, want two days: %+v", age, anna)
	}
	if ended := state("ended"); ended.AccountExpires.IsZero() || ended.AccountExpires.After(time.Now()) {
		t.Errorf("ended: the account expires %v", ended.AccountExpires)
	}
	locked := state("lockme") // by contractLockout
	if !locked.Locked || time.Since(locked.LockedSince).Abs() > 5*time.Minute || locked.WrongPasswords < 3 {
		t.Errorf("lockme: %+v", locked)
	}
	if p.kind == "OpenLDAP" && locked.LockedUntil.Sub(locked.LockedSince) != 30*time.Minute {
		t.Errorf("lockme is locked from %v to %v, want 30 minutes", locked.LockedSince, locked.LockedUntil)
	}
	for _, name := range []string{"nobody", `OTHER\anna`, "*", ""} {
		if _, err := d.State(limited(t, 10*time.Second), name); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("State(%q): %v, want ErrNotFound", name, err)
		}
	}
}

func contractUnlock(t *testing.T, d *directory.Directory) {
	ctx := limited(t, 20*time.Second)
	for range 4 {
		_, _ = d.Authenticate(ctx, "shutout", "wrong")
	}
	if _, err := d.Authenticate(ctx, "shutout", goodPassword); outcome(err) != "refused: locked" {
		t.Fatalf("not locked: %v", err)
	}
	for range 2 { // the second time there is nothing to unlock
		if err := d.Unlock(ctx, "shutout"); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := d.State(ctx, "shutout"); err != nil || s.Locked || s.WrongPasswords != 0 {
		t.Errorf("after unlocking: %+v, %v", s, err)
	}
	if _, err := d.Authenticate(ctx, "shutout", goodPassword); err != nil {
		t.Errorf("log in after unlocking: %v", err)
	}
	if err := d.Unlock(ctx, "disabled"); err != nil {
		t.Errorf("unlocking a disabled account: %v", err)
	}
	if s, err := d.State(ctx, "disabled"); err != nil || !s.Disabled {
		t.Errorf("unlocking has enabled a disabled account: %+v, %v", s, err)
	}
	if err := d.Unlock(ctx, "nobody"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("unlocking nobody: %v", err)
	}
}
