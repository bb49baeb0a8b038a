package directory_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stagedoor/directory"
	"stagedoor/directory/directorytest"
)

// TestRunningChanges: the gateway's periodic re-check sees what happens to an
// account while somebody is logged in.
func TestRunningChanges(t *testing.T) {
	srv := start(t, directorytest.Config{
		Users:  []directorytest.User{{Name: "anna", Password: goodPassword, Groups: []string{"MultiAccess"}}},
		Groups: []directorytest.Group{{Name: "R-CARD"}},
	})
	d := open(t, srv.Domain())
	ctx := limited(t, 30*time.Second)
	before, err := d.Lookup(ctx, "anna")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*directorytest.User)
		barred string
		group  string
	}{
		{"disabled", func(u *directorytest.User) { u.Disabled = true }, "disabled", `AMIDO\MultiAccess`},
		{"enabled", func(u *directorytest.User) { u.Disabled = false }, "", `AMIDO\MultiAccess`},
		{"locked", func(u *directorytest.User) { u.Locked = true }, "locked", `AMIDO\MultiAccess`},
		{"ended", func(u *directorytest.User) { u.Locked, u.AccountExpired = false, true }, "account-expired", `AMIDO\MultiAccess`},
		{"moved", func(u *directorytest.User) { u.AccountExpired, u.Groups = false, []string{"R-CARD"} }, "", `AMIDO\R-CARD`},
	} {
		if err := srv.Update("anna", c.change); err != nil {
			t.Fatal(err)
		}
		account, err := d.Lookup(ctx, "anna")
		if err != nil || account.Barred != c.barred || !account.MemberOf(c.group) || account.ID != before.ID {
			t.Errorf("%s: %+v, %v", c.name, account, err)
		}
	}
	if err := srv.Delete("anna"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lookup(ctx, "anna"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("deleted: %v, want ErrNotFound", err)
	}
}

// TestWindows: where Windows Server answers otherwise than Samba.
func TestWindows(t *testing.T) {
	srv := start(t, directorytest.Config{
		Windows: true,
		Users: []directorytest.User{
			{Name: "anna", Password: goodPassword, PrincipalName: "anna.angstrom@amido.example"},
			{Name: "anna.angstrom", Password: "Annan-2024", PrincipalName: "annan@amido.example"},
			{Name: "fixed", Password: goodPassword, CannotChange: true},
		},
		Policy: directorytest.Policy{MinLength: 8},
	})
	d := open(t, srv.Domain())
	ctx := limited(t, 30*time.Second)
	for _, c := range []struct{ name, want string }{
		{"anna", "anna"}, {"anna@amido.example", "anna"}, {`AMIDO\anna.angstrom`, "anna.angstrom"},
		{"Anna.Angstrom@amido.example", "anna"}, // the principal name goes before the account's name
	} {
		account, err := d.Lookup(ctx, c.name)
		if err != nil || account.Name != c.want {
			t.Errorf("%s is %q, %v; want %s", c.name, account.Name, err, c.want)
		}
	}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"unknown", second(d.Authenticate(ctx, "nobody", goodPassword)), "refused: unknown-account"},
		{"rule without words", d.ChangePassword(ctx, "anna", goodPassword, "Ab-1"), "policy: any"},
		{"change forbidden", d.ChangePassword(ctx, "fixed", goodPassword, "Vinter-2025"), "forbidden"},
	} {
		if got := outcome(c.err); got != c.want {
			t.Errorf("%s: %s (%v), want %s", c.name, got, c.err, c.want)
		}
	}
}

// TestHardenedDomain: the service account may not read tokenGroups.
func TestHardenedDomain(t *testing.T) {
	srv := start(t, directorytest.Config{
		Hardened: true,
		Users:    []directorytest.User{{Name: "anna", Password: goodPassword, Groups: []string{"Stockholm"}}},
		Groups:   []directorytest.Group{{Name: "Stockholm", Groups: []string{"MultiAccess"}}, {Name: "R-CARD"}},
	})
	anna, err := open(t, srv.Domain()).Lookup(limited(t, 10*time.Second), "anna")
	if err != nil || !anna.MemberOf(`AMIDO\Stockholm`) || !anna.MemberOf(`AMIDO\MultiAccess`) || anna.MemberOf(`AMIDO\R-CARD`) {
		t.Errorf("%+v, %v; want the groups Stockholm and MultiAccess", anna, err)
	}
}

// TestMobiles: several attributes may hold a number; their order is the domain's.
func TestMobiles(t *testing.T) {
	srv := start(t, directorytest.Config{Users: []directorytest.User{
		{Name: "both", Password: goodPassword, Mobile: "070-174 06 05", Telephone: "08-465 004 99"},
		{Name: "second", Password: goodPassword, Telephone: "070-174 06 06"},
		{Name: "none", Password: goodPassword},
	}})
	domain := srv.Domain()
	domain.MobileAttributes = []string{"mobile", "telephoneNumber"}
	d := open(t, domain)
	for name, want := range map[string][]string{
		"both": {"070-174 06 05", "08-465 004 99"}, "second": {"070-174 06 06"}, "none": nil,
	} {
		a, err := d.Authenticate(limited(t, 10*time.Second), name, goodPassword)
		if err != nil || !slices.Equal(a.Mobiles, want) || len(want) > 0 && a.Mobile != want[0] || len(want) == 0 && a.Mobile != "" {
			t.Errorf("%s: %q first %q, %v; want %q", name, a.Mobiles, a.Mobile, err, want)
		}
	}
	found, err := d.Search(limited(t, 10*time.Second), "174 06 06", 10)
	if err != nil || len(found) != 1 || found[0].Name != "second" {
		t.Errorf("search by the second attribute found %v, %v", found, err)
	}
}

// TestHostileTexts: what a directory holds is shown on pages and written to logs.
func TestHostileTexts(t *testing.T) {
	srv := start(t, directorytest.Config{Users: []directorytest.User{
		{
			Name: "anna", Password: goodPassword, DisplayName: " Anna\r\n\x1b[31m\u202e" + strings.Repeat("å", 500),
			Mobile: "070\x00-1" + strings.Repeat("2", 500), Mail: strings.Repeat("a", 1000) + "@x",
			Groups: []string{"Multi\u200bAccess"},
		},
		{Name: "blank", Password: goodPassword, DisplayName: "\u200b"},
	}})
	d := open(t, srv.Domain())
	anna, err := d.Authenticate(limited(t, 10*time.Second), "anna", goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Anna[31m" + strings.Repeat("å", 128-len("Anna[31m")-1); anna.DisplayName != want {
		t.Errorf("display name %q, want %q", anna.DisplayName, want)
	}
	if !strings.HasPrefix(anna.Mobile, "070-122") || len(anna.Mobile) != 128 || len(anna.Mail) != 254 {
		t.Errorf("mobile %q of %d, mail of %d", anna.Mobile, len(anna.Mobile), len(anna.Mail))
	}
	if anna.MemberOf(`AMIDO\MultiAccess`) {
		t.Error("a name with an invisible character counts as the name without it")
	}
	blank, err := d.Lookup(limited(t, 10*time.Second), "blank")
	if err != nil || blank.DisplayName != "blank" {
		t.Errorf("display name %q, %v; want the account's name", blank.DisplayName, err)
	}
}

func TestOpenReportsEveryProblem(t *testing.T) {
	good := directory.Domain{
		Name: "AMIDO", Suffixes: []string{"amido.example"}, Servers: []string{"ldaps://dc1.amido.example", "ldap://[::1]:389"},
		BindDN: `AMIDO\svc`, BindPassword: "secret-of-the-service",
	}
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*directory.Domain)) []directory.Domain {
		d := good
		change(&d)
		return []directory.Domain{d}
	}
	for _, c := range []struct {
		name    string
		domains []directory.Domain
		want    []string // nil: it opens
	}{
		{"good", []directory.Domain{good}, nil},
		{"none", nil, []string{"no domain"}},
		{"empty", []directory.Domain{{}}, []string{"name must be", "no server", "service account"}},
		{"name with a backslash", with(func(d *directory.Domain) { d.Name = `A\B` }), []string{"name must be"}},
		{"plain scheme", with(func(d *directory.Domain) { d.Servers = []string{"http://x"} }), []string{"only ldaps://"}},
		{"no host", with(func(d *directory.Domain) { d.Servers = []string{"ldaps://"} }), []string{"ldaps://host"}},
		{"path", with(func(d *directory.Domain) { d.Servers = []string{"ldaps://x/dc=y"} }), []string{"ldaps://host"}},
		{"port", with(func(d *directory.Domain) { d.Servers = []string{"ldaps://x:y"} }), []string{"not a URL"}},
		{"user in the URL", with(func(d *directory.Domain) { d.Servers = []string{"ldaps://u:topsecret@x"} }), []string{"does not belong"}},
		{"CA file missing", with(func(d *directory.Domain) { d.CAFile = "/does/not/exist" }), []string{"CA file"}},
		{"CA file without PEM", with(func(d *directory.Domain) { d.CAFile = noPEM }), []string{"no PEM certificate"}},
		{"base DN", with(func(d *directory.Domain) { d.BaseDN = "amido" }), []string{"base DN"}},
		{"timeout", with(func(d *directory.Domain) { d.Timeout = -1 }), []string{"timeout"}},
		{"attribute", with(func(d *directory.Domain) { d.NameAttribute = "uid)(x=*" }), []string{"attribute"}},
		{"suffix", with(func(d *directory.Domain) { d.Suffixes = []string{"a@b"} }), []string{"suffix"}},
		{"twice", []directory.Domain{good, good}, []string{"means both"}},
		{"two defaults", func() []directory.Domain {
			a, b := good, good
			a.Default, b.Default, b.Name, b.Suffixes = true, true, "OTHER", nil
			return []directory.Domain{a, b}
		}(), []string{"2 domains are the default"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := directory.Open(c.domains)
			if c.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				d.Close()
				return
			}
			if err == nil {
				t.Fatal("it opens")
			}
			for _, words := range c.want {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q is not in %q", words, err)
				}
			}
			if strings.Contains(err.Error(), good.BindPassword) || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("a password is in %q", err)
			}
		})
	}
}
