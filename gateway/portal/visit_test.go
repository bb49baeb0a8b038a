package portal

import (
	"regexp"
	"testing"
)

func TestSupportID(t *testing.T) {
	form, seen := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{8}$`), map[string]bool{}
	for range 1000 {
		id := NewSupportID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("support id %q", id)
		}
		seen[id] = true
	}
}
