package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stagedoor/store"
)

// lockedOut is a database with what an administrator who cannot get in wants to
// see and end, and the configuration that names it.
func lockedOut(t *testing.T) (config string, db *store.Store) {
	t.Helper()
	config = exampleFolder(t)
	db, err := store.Open(t.Context(), filepath.Join(filepath.Dir(config), "stagedoor.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	now := time.Now()
	for _, one := range []struct{ id, account, name string }{{"s1", "a", "anna"}, {"s2", "b", "bertil"}, {"s3", "a", "anna"}} {
		err := errors.Join(
			db.CreateSession(t.Context(), store.Session{ID: one.id, Step: "ready", AccountID: one.account, Address: "192.0.2.1",
				Account: []byte(`{"Account":{"Domain":"AMIDO","Name":"` + one.name + `","DisplayName":"X"}}`), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour)}, "h"),
			db.NoteDesktops(t.Context(), "node1", []store.LiveDesktop{{ID: "d" + one.id, SessionID: one.id, AccountID: one.account, Name: `AMIDO\` + one.name,
				Target: "m5", State: store.DesktopShown, OpenedAt: now, InputAt: now}}, nil))
		if err != nil {
			t.Fatal(err)
		}
	}
	return config, db
}

func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, os.Environ(), &out)
	return out.String(), err
}

func TestSessionCommand(t *testing.T) {
	config, db := lockedOut(t)
	out, err := command(t, "session", "list", "--config", config)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"s1", "s2", "s3", "ds1", `AMIDO\anna`, `AMIDO\bertil`, "m5, shown", "node node1"} {
		if !strings.Contains(out, want) {
			t.Errorf("the list lacks %q:\n%s", want, out)
		}
	}
	for _, args := range [][]string{{"session"}, {"session", "begin"}, {"session", "end", "--config", config, "s1"},
		{"session", "end", "--config", config, "--reason", "x"}, {"session", "end", "--config", config, "--reason", "x", "--all-of", "y", "s1"}} {
		var usage usageError
		if _, err := command(t, args...); !errors.As(err, &usage) {
			t.Errorf("%q: %v", args, err)
		}
	}
	for _, args := range [][]string{{"--reason", "lost laptop", "--all-of", `amido\ANNA`}, {"--reason", "x", "ds2"}} {
		if out, err := command(t, append([]string{"session", "end", "--config", config}, args...)...); err != nil {
			t.Errorf("%q: %v %s", args, err, out)
		}
	}
	for _, args := range [][]string{{"--reason", "x", "nosuch"}, {"--reason", "x", "--all-of", `AMIDO\anna`}} {
		if _, err := command(t, append([]string{"session", "end", "--config", config}, args...)...); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	gone, err := db.Gone(t.Context(), []string{"s1", "s2", "s3"})
	if err != nil || len(gone) != 2 || gone["s1"] != "revoked" || gone["s3"] != "revoked" {
		t.Errorf("ended: %v, %v", gone, err)
	}
	orders, err := db.TakeOrders(t.Context(), "node1")
	if err != nil || len(orders) != 1 || orders[0].DesktopID != "ds2" || orders[0].Kind != store.OrderEnd || orders[0].By != "cli" {
		t.Errorf("orders: %+v, %v", orders, err)
	}
	events, err := db.Events(t.Context(), store.EventFilter{Name: `AMIDO\anna`})
	if err != nil || len(events) != 2 || events[0].Name != "cli" || events[0].Kind != "session-end" || events[0].Detail["why"] != "lost laptop" {
		t.Errorf("audited: %+v, %v", events, err)
	}
	if out, err := command(t, "audit", "--config", config, "--verify"); err != nil || !strings.Contains(out, "3 events, the chain is whole") {
		t.Errorf("%s %v", out, err)
	}
}

func TestAuditCommand(t *testing.T) {
	config, db := lockedOut(t)
	for _, e := range []store.Event{
		{Kind: "login", Result: "refused", Reason: "locked", Name: `AMIDO\anna`, RequestID: "R7K2XX0X"},
		{Kind: "login", Result: "ok", Name: `AMIDO\anna`, Target: "m5"},
		{Kind: "code", Result: "ok", Name: "=\x1b[2Jx"},
	} {
		if _, err := db.AppendEvent(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args  []string
		lines int
		want  string
	}{
		{nil, 3, `"Kind":"login"`},
		{[]string{"--person", "anna"}, 2, `"Reason":"locked"`},
		{[]string{"--person", `amido\anna`, "--result", "ok"}, 1, `"Target":"m5"`},
		{[]string{"--name", `AMIDO\anna`}, 2, "locked"},
		{[]string{"--kind", "code,login", "--limit", "1"}, 1, `"Kind":"code"`},
		{[]string{"--target", "m5"}, 1, "m5"},
		{[]string{"--id", "r7k2-xxox"}, 1, "locked"},
		{[]string{"--from", "2001-01-01", "--to", "2001-01-01 10:00"}, 0, ""},
		{[]string{"--from", "2001-01-01", "--format", "text", "--kind", "code"}, 1, `"=\x1b[2Jx"`},
		{[]string{"--format", "csv", "--kind", "code"}, 2, ",'=\x1b[2Jx,"},
	} {
		out, err := command(t, append([]string{"audit", "--config", config}, c.args...)...)
		if err != nil || strings.Count(out, "\n") != c.lines || !strings.Contains(out, c.want) {
			t.Errorf("%q: %v\n%s", c.args, err, out)
		}
	}
	for _, args := range [][]string{{"--from", "yesterday"}, {"--format", "xml"}, {"--id", "ZZZZZZZZ"}} {
		if _, err := command(t, append([]string{"audit", "--config", config}, args...)...); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
