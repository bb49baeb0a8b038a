package portal

import (
	"testing"

	"stagedoor/directory"
)

func TestTriesUnder(t *testing.T) {
	for _, c := range []struct{ configured, threshold, anywhere, familiar int }{
		{0, 0, 3, 2}, {0, 1, 1, 0}, {0, 2, 1, 0}, {0, 3, 1, 1}, {0, 4, 2, 1}, {0, 5, 3, 1}, {0, 10, 3, 2},
		{1, 10, 1, 0}, {2, 10, 1, 1}, {8, 10, 5, 3}, {100, 10, 6, 3}, {100, 0, 97, 3},
	} {
		anywhere, familiar := Settings{TriesPerAccount: c.configured}.TriesUnder(directory.Policy{LockoutThreshold: c.threshold})
		if anywhere != c.anywhere || familiar != c.familiar {
			t.Errorf("%d configured, locked at %d: %d and %d, want %d and %d", c.configured, c.threshold, anywhere, familiar, c.anywhere, c.familiar)
		}
	}
	// Both together never lock an account that one wrong password does not lock.
	for configured := range 101 {
		for threshold := range 30 {
			anywhere, familiar := Settings{TriesPerAccount: configured}.TriesUnder(directory.Policy{LockoutThreshold: threshold})
			if anywhere < 1 || familiar < 0 || threshold > 1 && anywhere+familiar >= threshold {
				t.Errorf("%d configured, locked at %d: %d and %d", configured, threshold, anywhere, familiar)
			}
		}
	}
}
