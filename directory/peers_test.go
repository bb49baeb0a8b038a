package directory_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"stagedoor/directory"
	"stagedoor/directory/directorytest"
	"stagedoor/testbed"
)

const goodPassword = "Sommar-2024"

// seed has an account of its own for every case that changes one.
func seed() testbed.DirectorySeed {
	user := func(name string) testbed.DirectoryUser {
		return testbed.DirectoryUser{Name: name, Password: goodPassword}
	}
	with := func(name string, change func(*testbed.DirectoryUser)) testbed.DirectoryUser {
		u := user(name)
		change(&u)
		return u
	}
	expired := func(u *testbed.DirectoryUser) { u.Expired = true }
	mustChange := func(u *testbed.DirectoryUser) { u.MustChange = true }
	return testbed.DirectorySeed{
		Policy: testbed.DirectoryPolicy{
			MinLength: 8, History: 3, Complexity: true, MinAge: 24 * time.Hour, MaxAge: 42 * 24 * time.Hour, LockoutThreshold: 3,
		},
		Groups: []testbed.DirectoryGroup{
			{Name: "Backstage"},
			{Name: "MultiAccess", Groups: []string{"Backstage"}},
			{Name: "Stockholm södra (1)", Groups: []string{"MultiAccess"}},
			{Name: "Utanför"},
		},
		Users: []testbed.DirectoryUser{
			{
				Name: "anna", Password: goodPassword, DisplayName: "Anna Ångström", Mail: "anna@amido.example",
				Mobile: "070-123 45 67", Groups: []string{"Stockholm södra (1)"},
			},
			{Name: "åke.öst", Password: "Pässwörd-😀1"},
			with("expired", expired), with("mustchange", mustChange),
			with("disabled", func(u *testbed.DirectoryUser) { u.Disabled = true }),
			with("ended", func(u *testbed.DirectoryUser) { u.AccountExpired = true }),
			with("night", func(u *testbed.DirectoryUser) { u.NoLogonHours = true }),
			user("lockme"), user("changes"), user("changes-emoji"), with("changes-expired", expired), with("changes-mustchange", mustChange),
			user("changes-twice"), user("refused"), with("refused-expired", expired), user("spaced name"), user("shutout"),
			with("number1", func(u *testbed.DirectoryUser) { u.Mobile = "+46 (0)70-174 06 05" }),
			with("number2", func(u *testbed.DirectoryUser) { u.Mobile, u.DisplayName = "0701740606", "Örjan (extern) *" }),
		},
		MayUnlock: true,
	}
}

// peer is one directory to hold to the contract.
type peer struct {
	kind   string
	domain directory.Domain
}

func (p peer) isAD() bool { return p.kind == "Active Directory" }

func startFake(t *testing.T) peer {
	s := seed()
	config := directorytest.Config{Policy: fakePolicy(s.Policy), MayUnlock: s.MayUnlock}
	for _, g := range s.Groups {
		config.Groups = append(config.Groups, directorytest.Group(g))
	}
	for _, u := range s.Users {
		config.Users = append(config.Users, directorytest.User{
			Name: u.Name, Password: u.Password, DisplayName: u.DisplayName, Mail: u.Mail, Mobile: u.Mobile, Groups: u.Groups,
			MustChange: u.MustChange, Expired: u.Expired, Disabled: u.Disabled, AccountExpired: u.AccountExpired, NoLogonHours: u.NoLogonHours,
		})
	}
	return peer{kind: "Active Directory", domain: start(t, config).Domain()}
}

func fakePolicy(p testbed.DirectoryPolicy) directorytest.Policy {
	return directorytest.Policy{
		MinLength: p.MinLength, History: p.History, Complexity: p.Complexity, MinAge: p.MinAge, MaxAge: p.MaxAge,
		LockoutThreshold: p.LockoutThreshold,
	}
}

func startSamba(t *testing.T) peer {
	testbed.Need(t, "samba")
	ca := newCA(t)
	s, err := testbed.StartSamba(limited(t, time.Minute), testbed.SambaOptions{Dir: t.TempDir(), CA: ca, Seed: seed()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s.Stop) })
	return peer{kind: "Active Directory", domain: asDomain(s.DirectoryServer)}
}

func startSlapd(t *testing.T) peer {
	testbed.Need(t, "slapd")
	ca := newCA(t)
	s, err := testbed.StartSlapd(limited(t, time.Minute), testbed.SlapdOptions{Dir: t.TempDir(), CA: ca, Seed: seed()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s.Stop) })
	return peer{kind: "OpenLDAP", domain: asDomain(s.DirectoryServer)}
}

// outcome is what a caller sees of an error.
func outcome(err error) string {
	var refused *directory.RefusedError
	var policy *directory.PolicyError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &refused):
		return "refused: " + refused.Reason
	case errors.As(err, &policy):
		return "policy: " + string(policy.Rule)
	case errors.Is(err, directory.ErrPasswordExpired):
		return "expired"
	case errors.Is(err, directory.ErrNotFound):
		return "not found"
	case errors.Is(err, directory.ErrChangeForbidden):
		return "forbidden"
	case errors.Is(err, directory.ErrUnavailable):
		return "unavailable"
	}
	return "unknown error: " + err.Error()
}

// limited is a context that ends the test's calls, however long a server hangs.
func limited(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, domains ...directory.Domain) *directory.Directory {
	t.Helper()
	d, err := directory.Open(domains)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func start(t *testing.T, config directorytest.Config) *directorytest.Server {
	t.Helper()
	s, err := directorytest.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s.Stop) })
	return s
}

func stop(t *testing.T, stop func() error) {
	t.Helper()
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func newCA(t *testing.T) *testbed.CA {
	t.Helper()
	ca, err := testbed.NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func asDomain(s testbed.DirectoryServer) directory.Domain {
	return directory.Domain{
		Name: s.Domain, Suffixes: []string{s.Suffix}, Servers: []string{s.URL}, CAFile: s.CAFile,
		BindDN: s.BindDN, BindPassword: s.BindPassword,
	}
}
