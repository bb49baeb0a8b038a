package targets

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sights = `targets:
  - {id: all, name: All, kind: link, url: "http://a.example/", visible_to: everyone}
  - id: both
    name: Both
    host: a.example
    protocol: vnc
    visible_to: ['AMIDO\A', 'AMIDO\Ö']
  - {id: other, name: Other, host: a.example, dangerously_ignore_certificate: true, visible_to: ['AMIDO\C']}
  - {id: shared, name: Shared, host: a.example, credentials: stored, username: u, password_file: password, visible_to: everyone}
`

func TestExplain(t *testing.T) {
	list, err := loadText(t, sights)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		groups []string
		want   map[string][]string // through which groups; a target that is not there is not seen
	}{
		{"in none", nil, map[string][]string{"all": {}, "shared": {}}},
		{"in one", []string{`AMIDO\Ö`}, map[string][]string{"all": {}, "shared": {}, "both": {`AMIDO\Ö`}}},
		{"in all", []string{`AMIDO\A`, `AMIDO\Ö`, `AMIDO\C`}, map[string][]string{"all": {}, "shared": {}, "both": {`AMIDO\A`, `AMIDO\Ö`}, "other": {`AMIDO\C`}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			member := func(group string) bool { return slices.Contains(c.groups, group) }
			got := map[string][]string{}
			var seen []string
			for _, s := range list.Explain(member) {
				if s.Visible {
					got[s.ID] = append([]string{}, s.Through...)
					seen = append(seen, s.ID)
				} else if len(s.Through) > 0 {
					t.Errorf("%s is not seen, through %q", s.ID, s.Through)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var visible []string
			for _, target := range list.VisibleTo(member) {
				visible = append(visible, target.ID)
			}
			if diff := cmp.Diff(visible, seen); diff != "" {
				t.Errorf("it is not what VisibleTo says (-VisibleTo +Explain):\n%s", diff)
			}
		})
	}
	if diff := cmp.Diff([]string{`AMIDO\A`, `AMIDO\Ö`, `AMIDO\C`}, list.Groups()); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestWarnings(t *testing.T) {
	list, err := loadText(t, sights)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]Warning{
		"all": {WarnHTTP}, "both": {WarnPlain}, "other": {WarnCertificate}, "shared": {WarnShared, WarnEveryone},
	}
	got, lines := map[string][]Warning{}, map[string]int{}
	for _, target := range list.All() {
		got[target.ID], lines[target.ID] = target.Warnings(), target.Line
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"all": 2, "both": 3, "other": 8, "shared": 9}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// The same text is the same list, wherever and whenever it was read.
func TestDigest(t *testing.T) {
	first, err := loadText(t, sights)
	if err != nil {
		t.Fatal(err)
	}
	second, err := loadText(t, sights)
	if err != nil {
		t.Fatal(err)
	}
	other, err := loadText(t, sights+"# \n")
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Digest) != 64 || first.Digest != second.Digest || first.Digest == other.Digest {
		t.Errorf("%s, %s, %s", first.Digest, second.Digest, other.Digest)
	}
}

func TestRefused(t *testing.T) {
	path := filepath.Join(testFolder(t), "targets.yaml")
	write(t, path, sights, 0o600)
	w, err := Open(path, (&records{}).logger())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if faults, at := w.Refused(); faults != nil || !at.IsZero() {
		t.Errorf("a good list: %v at %v", faults, at)
	}
	change(t, w, func() { write(t, path, one("colour: red", "port: 0"), 0o600) }, func() bool { return w.Err() != nil })
	faults, at := w.Refused()
	if len(faults) != 2 || faults[0].Line != 6 || faults[0].File != path || faults[1].Line != 7 || at.Before(w.List().LoadedAt) {
		t.Errorf("%v at %v", faults, at)
	}
	change(t, w, func() { write(t, path, sights, 0o600) }, func() bool { return w.Err() == nil })
	if faults, at := w.Refused(); faults != nil || !at.IsZero() {
		t.Errorf("mended: %v at %v", faults, at)
	}
	change(t, w, func() { _ = os.Remove(path) }, func() bool { return w.Err() != nil })
	if faults, _ := w.Refused(); len(faults) != 1 || faults[0].Line != 0 {
		t.Errorf("the file is gone: %v", faults)
	}
}
