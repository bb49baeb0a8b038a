package testbed

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestScripts has sh read every script, and shellcheck where it is installed.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("xrdp/*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, script := range append(scripts, "install") {
		t.Run(script, func(t *testing.T) {
			if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
				t.Errorf("sh -n: %v\n%s", err, out)
			}
			path, err := exec.LookPath("shellcheck")
			if err != nil && os.Getenv("CI") == "true" {
				t.Fatal("shellcheck is not here; testbed/install test brings it")
			}
			if err != nil {
				t.Skip("shellcheck is not here; testbed/install test brings it")
			}
			if out, err := exec.Command(path, script).CombinedOutput(); err != nil {
				t.Errorf("shellcheck: %v\n%s", err, out)
			}
		})
	}
}

// TestInstall runs testbed/install where it changes nothing.
func TestInstall(t *testing.T) {
	for name, c := range map[string]struct {
		group string
		code  int
		say   string
	}{
		"unknown group": {group: "oracle", code: 2, say: "unknown group oracle (run, directory, browser, rdp, messages, bench, shots, test)"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("./install", c.group)
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(string(out), c.say) || strings.Count(string(out), "\n") != 1 {
				t.Errorf("%v: %q; want exit %d and one line with %q", err, out, c.code, c.say)
			}
		})
	}
}
