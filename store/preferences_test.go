package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPreferences(t *testing.T) {
	s := openNew(t, time.Now)
	for _, step := range []struct {
		name, account, key, value string
		want                      map[string]string // the first account's
	}{
		{"one", "a", "keyboard", "sv-se-qwerty", map[string]string{"keyboard": "sv-se-qwerty"}},
		{"another value", "a", "keyboard", "de-de-qwertz", map[string]string{"keyboard": "de-de-qwertz"}},
		{"somebody else's", "b", "keyboard", "failsafe", map[string]string{"keyboard": "de-de-qwertz"}},
		{"a second", "a", "view/large/x", "150", map[string]string{"keyboard": "de-de-qwertz", "view/large/x": "150"}},
		{"forgotten", "a", "keyboard", "", map[string]string{"view/large/x": "150"}},
		{"forgotten twice", "a", "keyboard", "", map[string]string{"view/large/x": "150"}},
	} {
		if err := s.SetPreference(t.Context(), step.account, step.key, step.value); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got, err := s.Preferences(t.Context(), "a")
		if diff := cmp.Diff(step.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", step.name, err, diff)
		}
	}
}

// However much somebody chooses, the newest choices are kept and no more.
func TestPreferencesAreBounded(t *testing.T) {
	now := time.Now()
	s := openNew(t, func() time.Time { now = now.Add(time.Second); return now })
	for i := range maxPreferences + 3 {
		if err := s.SetPreference(t.Context(), "a", fmt.Sprint("view/large/", i), "fit"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Preferences(t.Context(), "a")
	if err != nil || len(got) != maxPreferences {
		t.Fatalf("%d preferences, %v; want %d", len(got), err, maxPreferences)
	}
	for i, want := range map[int]bool{2: false, 3: true, maxPreferences + 2: true} {
		if _, kept := got[fmt.Sprint("view/large/", i)]; kept != want {
			t.Errorf("choice %d kept: %v", i, kept)
		}
	}
}
