package gateway

import (
	"strings"
	"testing"
)

func TestScreenFromQuery(t *testing.T) {
	cases := []struct {
		name, text string
		want       int
	}{
		{"usual", "1280", 1280},
		{"missing", "", 1024},
		{"not a number", "12a", 1024},
		{"overflow", strings.Repeat("9", 40), 1024},
		{"negative", "-5", 320},
		{"too small", "1", 320},
		{"too large", "100000", 7680},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := within(c.text, 1024, 320, 7680); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
	if got := knownTypes([]string{"image/jpeg", "text/html", "image/png"}, "image/png", "image/jpeg"); strings.Join(got, " ") != "image/png image/jpeg" {
		t.Errorf("picture types: %q", got)
	}
	if got := knownTypes(nil, "image/png", "image/jpeg"); strings.Join(got, " ") != "image/png" {
		t.Errorf("no picture types: %q", got)
	}
	for text, want := range map[string]string{
		"Europe/Stockholm": "Europe/Stockholm", "UTC": "UTC", "../../etc/passwd": "", "Mars/Olympus": "", "a;b": "",
	} {
		if got := timezone(text); got != want {
			t.Errorf("timezone(%q) = %q, want %q", text, got, want)
		}
	}
}
