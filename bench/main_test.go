package main

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test's own program play the roles, so that relays run
// here as they run in earnest: as processes.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == roleArgument {
		if err := play(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}
