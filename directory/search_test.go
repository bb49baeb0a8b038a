package directory_test

import (
	"errors"
	"testing"
	"time"

	"stagedoor/directory"
	"stagedoor/directory/directorytest"
	"stagedoor/testbed"
)

// A service account without the right to unlock is told so, by every directory.
func TestUnlockForbidden(t *testing.T) {
	small := testbed.DirectorySeed{
		Policy: testbed.DirectoryPolicy{LockoutThreshold: 2},
		Users:  []testbed.DirectoryUser{{Name: "anna", Password: goodPassword}},
	}
	for name, start := range map[string]func(*testing.T) directory.Domain{
		"directorytest": func(t *testing.T) directory.Domain {
			return start(t, directorytest.Config{Policy: directorytest.Policy{LockoutThreshold: 2},
				Users: []directorytest.User{{Name: "anna", Password: goodPassword}}}).Domain()
		},
		"samba": func(t *testing.T) directory.Domain {
			testbed.Need(t, "samba")
			s, err := testbed.StartSamba(limited(t, time.Minute), testbed.SambaOptions{Dir: t.TempDir(), CA: newCA(t), Seed: small})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { stop(t, s.Stop) })
			return asDomain(s.DirectoryServer)
		},
		"slapd": func(t *testing.T) directory.Domain {
			testbed.Need(t, "slapd")
			s, err := testbed.StartSlapd(limited(t, time.Minute), testbed.SlapdOptions{Dir: t.TempDir(), CA: newCA(t), Seed: small})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { stop(t, s.Stop) })
			return asDomain(s.DirectoryServer)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, start(t))
			ctx := limited(t, 20*time.Second)
			for range 3 {
				_, _ = d.Authenticate(ctx, "anna", "wrong")
			}
			if err := d.Unlock(ctx, "anna"); !errors.Is(err, directory.ErrForbidden) {
				t.Fatalf("Unlock: %v, want ErrForbidden", err)
			}
			if s, err := d.State(ctx, "anna"); err != nil || !s.Locked {
				t.Errorf("after a refused unlock: %+v, %v", s, err)
			}
		})
	}
}

// A domain that does not answer hides nobody of another.
func TestSearchOfSeveralDomains(t *testing.T) {
	first := start(t, directorytest.Config{Users: []directorytest.User{{Name: "anna", Password: goodPassword}}})
	second := start(t, directorytest.Config{Domain: "ALLIERA", Suffix: "alliera.example",
		Users: []directorytest.User{{Name: "annika", Password: goodPassword}}})
	one, two := first.Domain(), second.Domain()
	two.Timeout = 200 * time.Millisecond
	d := open(t, one, two)
	ctx := limited(t, 10*time.Second)
	found, err := d.Search(ctx, "ann", 20)
	if err != nil || len(found) != 2 || found[0].Name != "anna" || found[1].Domain != "ALLIERA" {
		t.Fatalf("%+v, %v", found, err)
	}
	if a, err := d.ByID(ctx, "", found[1].ID); err != nil || a.Name != "annika" {
		t.Errorf("ByID in the second domain: %+v, %v", a, err)
	}
	stop(t, second.Stop)
	again, err := d.Search(ctx, "ann", 20)
	if !errors.Is(err, directory.ErrUnavailable) || len(again) != 1 {
		t.Errorf("with the second domain down: %+v, %v; want anna and ErrUnavailable", again, err)
	}
	if _, err := d.ByID(ctx, "", found[1].ID); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("ByID with the domain down: %v, want ErrUnavailable", err)
	}
}
