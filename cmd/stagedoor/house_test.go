package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Who may import whom: nothing else compiles into the product. An entry with
// no names imports nothing of ours.
var mayImport = map[string][]string{
	"directory":               {},
	"directory/directorytest": {"directory"},
	"targets":                 {},
	"store":                   {},
	"store/storetest":         {"store"},
	"webroot":                 {},
	"gateway/tunnel":          {},
	"testbed":                 {},
	"otp":                     {"store"},
	"gateway":                 {"directory", "otp", "targets", "store", "webroot", "gateway/tunnel", "gateway/factor", "gateway/portal", "gateway/account", "gateway/desk", "gateway/admin"},
	"gateway/portal":          {"directory", "otp", "targets", "store", "webroot", "gateway/tunnel", "gateway/factor"},
	"gateway/account":         {"directory", "otp", "store", "gateway/factor", "gateway/portal"},
	"gateway/desk":            {"directory", "otp", "store", "gateway/factor", "gateway/helpdesk", "gateway/portal"},
	"gateway/admin":           {"directory", "otp", "targets", "store", "webroot", "gateway/factor", "gateway/portal"},
	"gateway/factor":          {"store"},
	"gateway/helpdesk":        {"directory", "otp", "store", "gateway/factor"},
}

// onlyIn are modules and packages that one room of the house hides.
var onlyIn = map[string][]string{
	"github.com/go-ldap/ldap/v3":   {"directory", "directory/directorytest"},
	"github.com/jimlambrt/gldap":   {"directory/directorytest"},
	"database/sql":                 {"store"},
	"github.com/wwt/guac":          {"gateway/tunnel"},
	"github.com/gorilla/websocket": {"gateway/tunnel"},
	"github.com/wneessen/go-mail":  {"otp"},
	"github.com/linxGnu/gosmpp":    {"otp"},
	"github.com/spf13/viper":       {"cmd/stagedoor"},
	"github.com/chromedp/chromedp": {"testbed"},
}

func TestImportGraph(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "stagedoor/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	seen := map[string]bool{}
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(p.ImportPath, "stagedoor/")
		seen[room] = true
		allowed, bounded := mayImport[room]
		if !bounded && !strings.HasPrefix(room, "cmd/") && len(p.Imports) > 0 {
			t.Errorf("package %s is not in the house's plan", room)
		}
		for _, i := range p.Imports {
			if ours, ok := strings.CutPrefix(i, "stagedoor/"); ok && bounded && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s", room, ours)
			}
			for hidden, rooms := range onlyIn {
				if (i == hidden || strings.HasPrefix(i, hidden+"/")) && !slices.Contains(rooms, room) && !strings.HasPrefix(room, "cmd/demo") {
					t.Errorf("%s imports %s, which only %s may", room, hidden, strings.Join(rooms, ", "))
				}
			}
		}
	}
	for room := range mayImport {
		if !seen[room] {
			t.Errorf("the plan names %s, which is not there", room)
		}
	}
}
