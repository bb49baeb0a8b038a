package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
)

// relay is one way between the viewers and guacd.
type relay struct {
	name      string // in the results
	role      string
	splice    bool
	webSocket bool // viewers speak WebSocket; otherwise guacd's own protocol
	abrupt    bool // a desktop ends without a close frame
	peer      bool // somebody else\'s: where it fails, the run goes on
	heavy     bool // so much CPU for a byte that it gets fewer of them
	plainOnly bool // no TLS
	missing   func() string
}

// relays are those that are compared, in the order of each round. A further
// peer is a further row.
func relays() []relay {
	here := func() string { return "" }
	return []relay{
		{name: "stagedoor", role: "relay", webSocket: true, missing: here},
		{name: "wwtguac", role: "wwtguac", webSocket: true, abrupt: true, heavy: true, peer: true, missing: here},
		{name: "guacamolelite", role: "guacamolelite", webSocket: true, heavy: true, peer: true, missing: missingLite},
		{name: "haproxy", role: "haproxy", peer: true, missing: func() string { _, missing := haproxyProgram(); return missing }},
		{name: "iocopy", role: "copy", missing: here},
		{name: "splice", role: "copy", splice: true, plainOnly: true, missing: here}, // splice(2) cannot see TLS
	}
}

// liteFolder is where npm ci puts guacamole-lite.
const liteFolder = "node_modules/guacamole-lite"

func missingLite() string {
	if _, err := exec.LookPath("node"); err != nil {
		return "node is not installed"
	}
	if _, err := os.Stat(filepath.Join(liteFolder, "package.json")); err != nil {
		return "guacamole-lite is not installed (npm ci in bench/)"
	}
	return ""
}

// versions are those of the peers and of what runs them; null: not installed.
func versions() map[string]*string {
	all := map[string]*string{"go": known(runtime.Version()), "wwtguac": nil,
		"guacamolelite": known(liteVersion()), "node": known(firstLine("node", "--version")),
		"haproxy": nil, "stagedoor": known(firstLine("git", "describe", "--tags", "--always", "--dirty"))}
	if path, missing := haproxyProgram(); missing == "" {
		all["haproxy"] = known(regexp.MustCompile(`\d+\.\S+`).FindString(firstLine(path, "-v")))
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == "github.com/wwt/guac" {
				all["wwtguac"] = known(module.Version)
			}
		}
	}
	return all
}

func known(version string) *string {
	if version == "" {
		return nil
	}
	return &version
}

func liteVersion() string {
	var about struct{ Version string }
	text, err := os.ReadFile(filepath.Join(liteFolder, "package.json"))
	if err != nil || json.Unmarshal(text, &about) != nil {
		return ""
	}
	return about.Version
}

// firstLine is what a program says of itself; empty where it is not installed.
func firstLine(program string, args ...string) string {
	text, err := exec.Command(program, args...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}
