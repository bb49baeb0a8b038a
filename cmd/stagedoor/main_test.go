package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// Words that all commands share: help, and what is wrong with a command line.
func TestCommandsHelp(t *testing.T) {
	for _, c := range subcommands() {
		for _, args := range [][]string{{c.name, "--help"}, {"help", c.name}, {c.name, "-h"}} {
			var out bytes.Buffer
			if err := run(t.Context(), args, nil, &out); err != nil || !strings.Contains(out.String(), "stagedoor "+c.name) {
				t.Errorf("%q: %v\n%s", args, err, out.String())
			}
		}
		var usage usageError
		err := run(t.Context(), []string{c.name, "--no-such-flag"}, nil, &bytes.Buffer{})
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), strings.Split(c.usage, "\n\n")[0]) {
			t.Errorf("%s --no-such-flag: %v", c.name, err)
		}
		for line := range strings.Lines(c.usage) {
			if len([]rune(strings.TrimRight(line, "\n"))) > 120 {
				t.Errorf("%s: a line of %d characters: %s", c.name, len(line), line)
			}
		}
	}
}
