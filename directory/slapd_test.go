package directory_test

import (
	"errors"
	"testing"
	"time"

	"stagedoor/directory"
	"stagedoor/testbed"
)

// TestSlapd is what only OpenLDAP has: StartTLS on a port of its own, groups
// that contain each other, an account that may not change its password.
func TestSlapd(t *testing.T) {
	testbed.Need(t, "slapd")
	seed := testbed.DirectorySeed{
		Users: []testbed.DirectoryUser{
			{Name: "anna", Password: goodPassword, Groups: []string{"Hen, ägg"}},
			{Name: "fixed", Password: goodPassword, CannotChange: true},
		},
		Groups: []testbed.DirectoryGroup{{Name: "Hen, ägg", Groups: []string{"Egg"}}, {Name: "Egg", Groups: []string{"Hen, ägg"}}},
	}
	s, err := testbed.StartSlapd(limited(t, time.Minute), testbed.SlapdOptions{Dir: t.TempDir(), CA: newCA(t), Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s.Stop) })
	domain := asDomain(s.DirectoryServer)
	domain.Servers = []string{s.StartTLSURL}
	d := open(t, domain)
	ctx := limited(t, 30*time.Second)

	anna, err := d.Authenticate(ctx, `ALLIERA\anna`, goodPassword)
	if err != nil {
		t.Fatalf("over StartTLS: %v", err)
	}
	for _, group := range []string{`ALLIERA\hen, ägg`, `ALLIERA\Egg`, `cn=hen\, ägg,ou=groups,dc=alliera,dc=example`} {
		if !anna.MemberOf(group) {
			t.Errorf("anna is not in %s: %v", group, anna.Groups)
		}
	}
	if len(anna.Groups) != 2 {
		t.Errorf("groups that contain each other count %d times: %v", len(anna.Groups), anna.Groups)
	}
	if !anna.PasswordExpires.IsZero() {
		t.Errorf("without a maximum age the password expires %v", anna.PasswordExpires)
	}
	err = d.ChangePassword(ctx, "fixed", goodPassword, "Vinter-2025")
	if !errors.Is(err, directory.ErrChangeForbidden) {
		t.Errorf("change of a fixed password: %v, want ErrChangeForbidden", err)
	}
	untrusted := domain
	untrusted.CAFile = ""
	if _, err := open(t, untrusted).Authenticate(ctx, "anna", goodPassword); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("StartTLS with a certificate of an unknown CA: %v, want ErrUnavailable", err)
	}
}
