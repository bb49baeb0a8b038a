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
				Account: []byte(`{"Account":{"Domain":"AMIDO","Name":"` + one.name + `","DisplayName":"Åsa Öberg \u001b[2J"}}`), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour)}, "h"),
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
	for _, want := range []string{"s1", "s2", "s3", "ds1", `AMIDO\anna`, `AMIDO\bertil`, "m5, shown", "node1", `"Åsa Öberg \x1b[2J"`, "logged in"} {
		if !strings.Contains(out, want) {
			t.Errorf("the list lacks %q:\n%s", want, out)
		}
	}
	if strings.ContainsAny(out, "\x1b\t") {
		t.Errorf("escapes or tabs in %q", out)
	}
	for want, args := range map[string][]string{
		"--config FILE is missing":      {"session", "list"},
		"list or end?":                  {"session", "--config", config},
		`there is no "begin"`:           {"session", "begin", "--config", config},
		"list takes nothing":            {"session", "list", "s1", "--config", config},
		"end: write why":                {"session", "end", "--config", config, "s1"},
		"end: one ID":                   {"session", "end", "--config", config, "--why", "x"},
		"end: one ID, or --all-of 'DOM": {"session", "end", "--config", config, "--why", "x", "--all-of", "y", "s1"},
	} {
		var usage usageError
		if _, err := command(t, args...); !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
	for _, args := range [][]string{{"--why", "lost laptop", "--all-of", `ANNA`}, {"ds2", "--reason", "x"}} {
		if out, err := command(t, append([]string{"session", "end", "--config", config}, args...)...); err != nil {
			t.Errorf("%q: %v %s", args, err, out)
		}
	}
	for _, args := range [][]string{{"--why", "x", "nosuch"}, {"--why", "x", "--all-of", `AMIDO\anna`}} {
		if _, err := command(t, append([]string{"session", "end", "--config", config}, args...)...); err == nil || !strings.Contains(err.Error(), "session list") {
			t.Errorf("%q: %v", args, err)
		}
	}
	gone, err := db.Gone(t.Context(), []string{"s1", "s2", "s3"})
	if err != nil || len(gone) != 2 || gone["s1"] != "revoked" || gone["s3"] != "revoked" {
		t.Errorf("ended: %v, %v", gone, err)
	}
	orders, err := db.TakeOrders(t.Context(), "node1")
	if err != nil || len(orders) != 1 || orders[0].DesktopID != "ds2" || orders[0].Kind != store.OrderEnd || orders[0].By != operator() {
		t.Errorf("orders: %+v, %v", orders, err)
	}
	events, err := db.Events(t.Context(), store.EventFilter{Name: `AMIDO\anna`})
	if err != nil || len(events) != 2 || events[0].Name != operator() || events[0].Address != "cli" || events[0].Kind != "session-end" || events[0].Detail["why"] != "lost laptop" {
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
		{[]string{"--from", "2001-01-01", "--format", "text", "--kind", "code"}, 2, `"=\x1b[2Jx"`},
		{[]string{"--format", "text", "--kind", "login", "--result", "refused"}, 2, "TIME                 KIND   RESULT   REASON  WHO "},
		{[]string{"--format", "text", "--person", "nobody"}, 1, "no event fits"},
		{[]string{"--person", "nobody"}, 0, ""},
		{[]string{"--format", "csv", "--kind", "code"}, 2, ",'=\x1b[2Jx,"},
	} {
		out, err := command(t, append([]string{"audit", "--config", config}, c.args...)...)
		if err != nil || strings.Count(out, "\n") != c.lines || !strings.Contains(out, c.want) {
			t.Errorf("%q: %v\n%s", c.args, err, out)
		}
	}
	for want, args := range map[string][]string{
		"is no time such as": {"--from", "yesterday"}, "--format is text": {"--format", "xml"}, "no event under": {"--id", "ZZZZZZZZ"},
		"the kinds are again, ": {"--kind", "login,logn"}, "ok, refused, error or begun": {"--result", "bad"}, "1 or more": {"--limit", "0"},
	} {
		if _, err := command(t, append([]string{"audit", "--config", config}, args...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}

// Nobody logged in is said in words; a row that cannot be read hides no other.
func TestSessionListOfNobodyAndOfSomebodyUnreadable(t *testing.T) {
	config := exampleFolder(t)
	if _, err := command(t, "session", "list", "--config", config); err == nil || !strings.Contains(err.Error(), "it is made when the portal first starts") {
		t.Errorf("without a database: %v", err)
	}
	db, err := store.Open(t.Context(), filepath.Join(filepath.Dir(config), "stagedoor.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if out, err := command(t, "session", "list", "--config", config); err != nil || out != "nobody is logged in\n" {
		t.Errorf("%q, %v", out, err)
	}
	now := time.Now()
	for id, account := range map[string]string{"good": `{"Account":{"Domain":"AMIDO","Name":"anna"}}`, "bad": `{`} {
		err := db.CreateSession(t.Context(), store.Session{ID: id, Step: "code", AccountID: "a", Account: []byte(account), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour)}, "h"+id)
		if err != nil {
			t.Fatal(err)
		}
	}
	out, err := command(t, "session", "list", "--config", config)
	if err != nil || !strings.Contains(out, "session  bad ") || !strings.Contains(out, `AMIDO\anna`) || !strings.Contains(out, "on the way in (code)") {
		t.Errorf("%s %v", out, err)
	}
	if out, err := command(t, "session", "end", "bad", "--why", "unreadable", "--config", config); err != nil || !strings.Contains(out, "session bad of ? is ended") {
		t.Errorf("%s %v", out, err)
	}
}
