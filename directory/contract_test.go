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

// The contract: what callers may rely on, whatever directory there is. The same
// tables run against directorytest, a real Samba AD and a real slapd.

func TestContract(t *testing.T) {
	for name, start := range map[string]func(*testing.T) peer{
		"directorytest": startFake, "samba": startSamba, "slapd": startSlapd,
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t)
			d := open(t, p.domain)
			t.Run("Check", func(t *testing.T) { contractCheck(t, d, p) })
			t.Run("Authenticate", func(t *testing.T) { contractAuthenticate(t, d, p) })
			t.Run("Lookup", func(t *testing.T) { contractLookup(t, d, p) })
			t.Run("Policy", func(t *testing.T) { contractPolicy(t, d, p) })
			t.Run("GroupExists", func(t *testing.T) { contractGroupExists(t, d, p) })
			t.Run("ChangePassword", func(t *testing.T) { contractChange(t, d, p) })
			t.Run("Lockout", func(t *testing.T) { contractLockout(t, d) })
			t.Run("Search", func(t *testing.T) { contractSearch(t, d, p) })
			t.Run("State", func(t *testing.T) { contractState(t, d, p) })
			t.Run("Unlock", func(t *testing.T) { contractUnlock(t, d) })
		})
	}
}

func contractCheck(t *testing.T, d *directory.Directory, p peer) {
	want := []directory.Health{{Domain: p.domain.Name, Server: p.domain.Servers[0], Kind: p.kind}}
	if diff := cmp.Diff(want, d.Check(limited(t, 10*time.Second))); diff != "" {
		t.Errorf("Check (-want +got):\n%s", diff)
	}
}

func contractAuthenticate(t *testing.T, d *directory.Directory, p peer) {
	domain, suffix := p.domain.Name, p.domain.Suffixes[0]
	for _, c := range []struct {
		name, user, password string
		want                 string
		slapd                string // if it differs there
		adOnly               bool
	}{
		{name: "right", user: domain + `\anna`, password: goodPassword, want: "ok"},
		{name: "other case", user: strings.ToLower(domain) + `\ANNA`, password: goodPassword, want: "ok"},
		{name: "principal", user: "anna@" + suffix, password: goodPassword, want: "ok"},
		{name: "principal in other case", user: "Anna@" + strings.ToUpper(suffix), password: goodPassword, want: "ok"},
		{name: "bare", user: "anna", password: goodPassword, want: "ok"},
		{name: "spaces around", user: "  " + domain + ` \ anna `, password: goodPassword, want: "ok"},
		{name: "space within", user: domain + `\spaced name`, password: goodPassword, want: "ok"},
		{name: "Swedish name and emoji password", user: domain + `\Åke.Öst`, password: "Pässwörd-😀1", want: "ok"},
		{name: "decomposed letters", user: domain + "\\A\u030ake.O\u0308st", password: "Pässwörd-😀1", want: "ok"},

		{name: "wrong", user: domain + `\anna`, password: "wrong", want: "refused: wrong-password"},
		{name: "password in other case", user: domain + `\anna`, password: strings.ToUpper(goodPassword), want: "refused: wrong-password"},
		{name: "right again", user: domain + `\anna`, password: goodPassword, want: "ok"},
		{name: "password with a NUL after it", user: domain + `\anna`, password: goodPassword + "\x00x", want: "refused: wrong-password"},
		{name: "password of 2000 characters", user: domain + `\anna`, password: strings.Repeat("x", 2000), want: "refused: wrong-password"},
		{name: "password that is no UTF-8", user: domain + `\anna`, password: "\xff\xfe", want: "refused: wrong-password"},
		{name: "empty password", user: domain + `\anna`, password: "", want: "refused: empty-password"},
		{name: "unknown", user: domain + `\nobody`, password: goodPassword, want: "refused: unknown-account"},
		{name: "other domain", user: `OTHER\anna`, password: goodPassword, want: "refused: unknown-domain"},
		{name: "other suffix", user: "anna@other.example", password: goodPassword, want: "refused: unknown-domain"},

		{name: "expired", user: "expired", password: goodPassword, want: "expired"},
		{name: "expired, wrong", user: "expired", password: "wrong", want: "refused: wrong-password"},
		{name: "must change", user: "mustchange", password: goodPassword, want: "expired"},
		{name: "must change, wrong", user: "mustchange", password: "wrong", want: "refused: wrong-password"},
		{name: "disabled", user: "disabled", password: goodPassword, want: "refused: disabled", slapd: "refused: locked"},
		{name: "disabled, wrong", user: "disabled", password: "wrong", want: "refused: wrong-password", slapd: "refused: locked"},
		{name: "account ended", user: "ended", password: goodPassword, want: "refused: account-expired"},
		{name: "outside logon hours", user: "night", password: goodPassword, want: "refused: logon-hours", adOnly: true},

		{name: "empty name", user: "", password: goodPassword, want: "refused: malformed-name"},
		{name: "domain only", user: domain + `\`, password: goodPassword, want: "refused: malformed-name"},
		{name: "two backslashes", user: domain + `\\anna`, password: goodPassword, want: "refused: malformed-name"},
		{name: "300 characters", user: strings.Repeat("a", 300), password: goodPassword, want: "refused: malformed-name"},
		{name: "NUL", user: "anna\x00", password: goodPassword, want: "refused: malformed-name"},
		{name: "CR LF", user: "anna\r\nX: y", password: goodPassword, want: "refused: malformed-name"},
		{name: "line end", user: "anna\n", password: goodPassword, want: "refused: malformed-name"},
		{name: "zero width", user: "an\u200bna", password: goodPassword, want: "refused: malformed-name"},
		{name: "emoji", user: "😀", password: goodPassword, want: "refused: unknown-account"},
		{name: "filter injection", user: "*)(objectClass=*)", password: goodPassword, want: "refused: unknown-account"},
		{name: "filter injection, balanced", user: "anna)(objectClass=*", password: goodPassword, want: "refused: unknown-account"},
		{name: "star", user: "*", password: goodPassword, want: "refused: unknown-account"},
		{name: "prefix and star", user: "ann*", password: goodPassword, want: "refused: unknown-account"},
		{name: "escaped star", user: `ann\2a`, password: goodPassword, want: "refused: unknown-domain"},
		{name: "DN", user: "CN=anna,CN=Users", password: goodPassword, want: "refused: unknown-account"},
	} {
		if c.adOnly && !p.isAD() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if c.slapd != "" && !p.isAD() {
				c.want = c.slapd
			}
			account, err := d.Authenticate(limited(t, 10*time.Second), c.user, c.password)
			if got := outcome(err); got != c.want {
				t.Fatalf("Authenticate: %s (%v), want %s", got, err, c.want)
			}
			if known := c.want == "ok" || c.want == "expired"; known != (account.ID != "") {
				t.Errorf("account %+v goes with %q", account, c.want)
			}
		})
	}
}

func contractLookup(t *testing.T, d *directory.Directory, p peer) {
	ctx := limited(t, 10*time.Second)
	anna, err := d.Lookup(ctx, "ANNA@"+p.domain.Suffixes[0])
	if err != nil {
		t.Fatal(err)
	}
	want := directory.Account{
		ID: anna.ID, Domain: p.domain.Name, Name: "anna", DN: anna.DN,
		DisplayName: "Anna Ångström", Mail: "anna@amido.example", Mobile: "070-123 45 67", Mobiles: []string{"070-123 45 67"},
		PasswordExpires: anna.PasswordExpires, Groups: anna.Groups,
	}
	if diff := cmp.Diff(want, anna); diff != "" {
		t.Errorf("Lookup (-want +got):\n%s", diff)
	}
	if len(anna.ID) != 36 || anna.ID != strings.ToLower(anna.ID) || strings.Count(anna.ID, "-") != 4 {
		t.Errorf("ID %q is not a lower-case UUID", anna.ID)
	}
	if left := time.Until(anna.PasswordExpires); left < 39*24*time.Hour || left > 41*24*time.Hour {
		t.Errorf("password expires in %v, want about 40 days", left)
	}
	for group, want := range map[string]bool{
		p.domain.Name + `\Backstage`: true, p.domain.Name + `\multiaccess`: true, p.domain.Name + `\stockholm SÖDRA (1)`: true,
		p.domain.Name + `\Utanför`: false, `OTHER\Backstage`: false, p.domain.Name + `\Domain Users`: p.isAD(),
	} {
		if got := anna.MemberOf(group); got != want {
			t.Errorf("MemberOf(%s) = %t, want %t; groups %v", group, got, want, anna.Groups)
		}
	}
	for _, g := range anna.Groups {
		if !anna.MemberOf(g.DN) || !anna.MemberOf(strings.ToUpper(g.DN)) {
			t.Errorf("not a member of %s, which it lists", g.DN)
		}
	}
	again, err := d.Authenticate(ctx, "anna", goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	sortGroups := func(a *directory.Account) {
		slices.SortFunc(a.Groups, func(x, y directory.Group) int { return strings.Compare(x.DN, y.DN) })
	}
	sortGroups(&anna)
	sortGroups(&again)
	if diff := cmp.Diff(anna, again); diff != "" {
		t.Errorf("Authenticate tells another account than Lookup (-lookup +authenticate):\n%s", diff)
	}
	contractBarred(t, d, p)
}

func contractBarred(t *testing.T, d *directory.Directory, p peer) {
	for _, c := range []struct{ user, want, slapd string }{
		{user: "anna"}, {user: "expired"}, {user: "mustchange"},
		{user: "disabled", want: "disabled", slapd: "locked"},
		{user: "ended", want: "account-expired", slapd: "account-expired"},
	} {
		account, err := d.Lookup(limited(t, 10*time.Second), c.user)
		if err != nil {
			t.Fatalf("Lookup(%s): %v", c.user, err)
		}
		if !p.isAD() {
			c.want = c.slapd
		}
		if account.Barred != c.want {
			t.Errorf("%s is barred as %q, want %q", c.user, account.Barred, c.want)
		}
		if account.DisplayName == "" {
			t.Errorf("%s has no display name", c.user)
		}
	}
	for _, name := range []string{"nobody", `OTHER\anna`, "*", "", "anna\x00", strings.Repeat("a", 300)} {
		if _, err := d.Lookup(limited(t, 10*time.Second), name); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("Lookup(%q): %v, want ErrNotFound", name, err)
		}
	}
	expired, err := d.Lookup(limited(t, 10*time.Second), "expired")
	if err != nil || !expired.PasswordExpires.Before(time.Now()) || expired.PasswordExpires.IsZero() {
		t.Errorf("expired: password expires %v, %v; want a time in the past", expired.PasswordExpires, err)
	}
}

func contractPolicy(t *testing.T, d *directory.Directory, p peer) {
	want := directory.Policy{
		MinLength: 8, History: 3, Complexity: p.isAD(), MinAge: 24 * time.Hour, MaxAge: 42 * 24 * time.Hour, LockoutThreshold: 3, LockoutWindow: 30 * time.Minute,
	}
	for _, name := range []string{"", "anna", p.domain.Name + `\anna`, p.domain.Name + `\nobody`} {
		got, err := d.Policy(limited(t, 10*time.Second), name)
		if err != nil {
			t.Fatalf("Policy(%q): %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Policy(%q) (-want +got):\n%s", name, diff)
		}
	}
	if _, err := d.Policy(limited(t, 10*time.Second), `OTHER\anna`); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("Policy of an unknown domain: %v, want ErrNotFound", err)
	}
}

func contractGroupExists(t *testing.T, d *directory.Directory, p peer) {
	anna, err := d.Lookup(limited(t, 10*time.Second), "anna")
	if err != nil {
		t.Fatal(err)
	}
	type question struct {
		group string
		want  bool
	}
	questions := []question{
		{p.domain.Name + `\MultiAccess`, true}, {strings.ToLower(p.domain.Name) + `\multiaccess`, true},
		{p.domain.Name + `\Stockholm södra (1)`, true}, {p.domain.Name + `\Utanför`, true},
		{p.domain.Name + `\anna`, false}, {anna.DN, false}, // a person is no group
		{p.domain.Name + `\Missing`, false}, {p.domain.Name + `\*`, false}, {`OTHER\MultiAccess`, false},
		{"cn=missing,dc=elsewhere,dc=example", false},
		{"", false}, {`\`, false}, {"MultiAccess", false}, {p.domain.Name + `\`, false}, {"cn=", false}, {"=x", false},
		{"cn=a\x00b", false}, {"cn=" + strings.Repeat("a", 2000), false}, {`cn=\zz`, false},
	}
	for _, g := range anna.Groups {
		questions = append(questions, question{g.DN, true}, question{strings.ToUpper(g.DN), true})
	}
	for _, q := range questions {
		got, err := d.GroupExists(limited(t, 10*time.Second), q.group)
		if err != nil || got != q.want {
			t.Errorf("GroupExists(%q) = %t, %v; want %t", q.group, got, err, q.want)
		}
	}
}

func contractChange(t *testing.T, d *directory.Directory, p peer) {
	const fresh = "Vinter-2025"
	for _, c := range []struct {
		name, user, current, new string
		want, slapd              string
		adOnly                   bool
	}{
		{name: "ok", user: "changes", current: goodPassword, new: fresh, want: "ok"},
		{name: "expired", user: "changes-expired", current: goodPassword, new: fresh, want: "ok"},
		{name: "must change", user: "changes-mustchange", current: goodPassword, new: fresh, want: "ok"},
		{name: "emoji and letters", user: "changes-emoji", current: goodPassword, new: "Lösenörd😀+\"1", want: "ok"},
		{name: "first of two", user: "changes-twice", current: goodPassword, new: fresh, want: "ok"},
		{name: "too young", user: "changes-twice", current: fresh, new: "Host-2025-ny", want: "policy: too-young"},
		{name: "must change, then too young", user: "changes-mustchange", current: fresh, new: "Host-2025-ny", want: "policy: too-young"},

		{name: "too short", user: "refused", current: goodPassword, new: "Ab-1", want: "policy: length"},
		{name: "not complex", user: "refused", current: goodPassword, new: "sommarsommar", want: "policy: complexity", adOnly: true},
		{name: "the same again", user: "refused", current: goodPassword, new: goodPassword, want: "policy: history"},
		{name: "expired, too short", user: "refused-expired", current: goodPassword, new: "Ab-1", want: "policy: length"},
		{name: "expired, the same again", user: "refused-expired", current: goodPassword, new: goodPassword, want: "policy: history"},
		{name: "empty", user: "refused", current: goodPassword, new: "", want: "policy: length"},
		{name: "NUL", user: "refused", current: goodPassword, new: "Vinter-2025\x00", want: "policy: any"},
		{name: "CR LF", user: "refused", current: goodPassword, new: "Vinter-2025\r\n", want: "policy: any"},
		{name: "no UTF-8", user: "refused", current: goodPassword, new: "Vinter-2025\xff", want: "policy: any"},
		{name: "300 characters", user: "refused", current: goodPassword, new: strings.Repeat("Ab-1", 75), want: "policy: any"},

		{name: "wrong current", user: "refused", current: "wrong", new: fresh, want: "refused: wrong-password"},
		{name: "expired, wrong current", user: "refused-expired", current: "wrong", new: fresh, want: "refused: wrong-password"},
		{name: "empty current", user: "refused", current: "", new: fresh, want: "refused: empty-password"},
		{name: "unknown", user: "nobody", current: goodPassword, new: fresh, want: "refused: unknown-account"},
		{name: "disabled", user: "disabled", current: goodPassword, new: fresh, want: "refused: disabled", slapd: "refused: locked"},
		{name: "ended", user: "ended", current: goodPassword, new: fresh, want: "refused: account-expired"},
		{name: "outside logon hours", user: "night", current: goodPassword, new: fresh, want: "refused: logon-hours", adOnly: true},
	} {
		if c.adOnly && !p.isAD() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if c.slapd != "" && !p.isAD() {
				c.want = c.slapd
			}
			ctx := limited(t, 10*time.Second)
			if err := d.ChangePassword(ctx, c.user, c.current, c.new); outcome(err) != c.want {
				t.Fatalf("ChangePassword: %s (%v), want %s", outcome(err), err, c.want)
			}
			if c.want == "ok" {
				_, err := d.Authenticate(ctx, c.user, c.current)
				if got := outcome(err); got != "refused: wrong-password" {
					t.Errorf("the old password after the change: %s", got)
				}
				if _, err := d.Authenticate(ctx, c.user, c.new); err != nil {
					t.Errorf("the new password after the change: %v", err)
				}
			}
		})
	}
	t.Run("refusals have changed nothing", func(t *testing.T) {
		for user, want := range map[string]string{"refused": "ok", "refused-expired": "expired"} {
			_, err := d.Authenticate(limited(t, 10*time.Second), user, goodPassword)
			if got := outcome(err); got != want {
				t.Errorf("%s: %s, want %s", user, got, want)
			}
		}
	})
}

func contractLockout(t *testing.T, d *directory.Directory) {
	ctx := limited(t, 10*time.Second)
	for i := range 3 {
		_, err := d.Authenticate(ctx, "lockme", "wrong")
		if got := outcome(err); got != "refused: wrong-password" {
			t.Fatalf("wrong password %d: %s", i+1, got)
		}
	}
	for _, password := range []string{goodPassword, "wrong"} {
		_, err := d.Authenticate(ctx, "lockme", password)
		if got := outcome(err); got != "refused: locked" {
			t.Errorf("%q after 3 wrong ones: %s, want refused: locked", password, got)
		}
	}
	if err := d.ChangePassword(ctx, "lockme", goodPassword, "Vinter-2025"); outcome(err) != "refused: locked" {
		t.Errorf("change while locked: %v", err)
	}
	account, err := d.Lookup(ctx, "lockme")
	if err != nil || account.Barred != "locked" {
		t.Errorf("Lookup: barred %q, %v; want locked", account.Barred, err)
	}
}
