package gateway_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"stagedoor/gateway/desk"
	"stagedoor/store"
)

// write puts an event into the audit.
func (b *bench) write(e store.Event) store.Event {
	b.t.Helper()
	written, err := b.store.AppendEvent(b.t.Context(), e)
	b.must(err)
	return written
}

var eventRows = regexp.MustCompile(`<tr data-kind="([^"]*)" data-result="([^"]*)"`)

func kindsOn(page string) (kinds []string) {
	for _, m := range eventRows.FindAllStringSubmatch(page, -1) {
		kinds = append(kinds, m[1])
	}
	return kinds
}

func TestAuditSearch(t *testing.T) {
	b := withHelpdesk(t)
	hanna := b.hanna()
	b.write(store.Event{Kind: "login", Result: "refused", Reason: "locked", Name: `AMIDO\cecilia`, AccountID: "c1", Address: "192.0.2.7", RequestID: "R7K2XX0X"})
	b.write(store.Event{Kind: "desktop-open", Result: "ok", Name: `AMIDO\cecilia`, AccountID: "c1", Target: "sso"})
	b.write(store.Event{Kind: "nobody-knows", Result: "odd", Reason: "no-such-word", Name: `<b>"x"</b>`, Detail: map[string]string{"text": "<i>"}})
	for query, want := range map[string]string{
		"person=cecilia":                          "desktop-open login",
		`person=AMIDO%5CCECILIA`:                  "desktop-open login",
		"person=cecilia&result=refused":           "login",
		"account=c1&kind=desktop-open":            "desktop-open",
		"target=XXX.Stockholm.MultiAccess02":      "desktop-open",
		"target=sso":                              "desktop-open",
		"kind=nobody-knows":                       "nobody-knows",
		"person=nobody":                           "",
		"from=2001-01-01T10:00&to=2001-01-02":     "",
		"from=2001-01-01T10:00&kind=desktop-open": "desktop-open",
		"person=%27%20OR%201=1":                   "",
	} {
		page := hanna.get("/helpdesk/audit?" + query)
		if got := strings.Join(kindsOn(page.body), " "); page.status != 200 || got != want {
			t.Errorf("%s: %d, %q, want %q", query, page.status, got, want)
		}
	}
	hanna.get("/helpdesk/audit?kind=login&person=cecilia").shows(t, 200, "/helpdesk/audit?kind=login&person=cecilia",
		"Lösenord vid inloggning", "Nekades", "Kontot är låst", `href="/helpdesk/id/R7K2XX0X"`, `href="/helpdesk/person/c1"`, `<option value="login" selected>`)
	hanna.get("/helpdesk/audit?kind=nobody-knows").shows(t, 200, "/helpdesk/audit?kind=nobody-knows",
		"nobody-knows", "no-such-word", "&lt;b&gt;&#34;x&#34;&lt;/b&gt;", "&lt;i&gt;")
	hanna.get("/helpdesk/audit?from=yesterday").shows(t, 422, "/helpdesk/audit?from=yesterday", "går inte att tolka", `value="yesterday"`)
	if got := hanna.get("/helpdesk/audit.csv?to=soon"); got.status != 422 {
		t.Errorf("an export of nonsense: %d", got.status)
	}
}

func TestAuditPages(t *testing.T) {
	b := withHelpdesk(t)
	hanna := b.hanna()
	for range 205 {
		b.write(store.Event{Kind: "document", Result: "ok"})
	}
	next, sizes := "/helpdesk/audit?kind=document", []int{}
	for range 9 {
		page := hanna.get(next)
		sizes = append(sizes, len(kindsOn(page.body)))
		m := regexp.MustCompile(`rel="next" href="([^"]*)"`).FindStringSubmatch(page.body)
		if m == nil {
			break
		}
		next = strings.ReplaceAll(m[1], "&amp;", "&")
	}
	if fmt.Sprint(sizes) != "[100 100 5]" {
		t.Errorf("pages of %v", sizes)
	}
}

// What a support id was about: its events, those around it, and the way to the person.
func TestSupportIDPage(t *testing.T) {
	b := withHelpdesk(t)
	hanna := b.hanna()
	session := store.Event{Kind: "login", Result: "ok", Name: `AMIDO\cecilia`, AccountID: "c1", SessionID: "s1", RequestID: "AAAA1111"}
	b.write(session)
	b.clock.advance(time.Minute)
	session.Kind, session.RequestID, session.Target = "desktop-open", "R7K20X1X", "sso"
	b.write(session)
	session.Kind, session.Result, session.Reason = "desktop-close", "error", "ended-by-helpdesk"
	b.write(session)
	b.clock.advance(11 * time.Minute)
	session.Kind, session.RequestID, session.Reason = "session-end", "BBBB2222", "logout"
	b.write(session)
	hanna.get("/helpdesk/id?id=r7k2-ox+lx").shows(t, 200, "/helpdesk/id/R7K20X1X", "Helpdesk stängde skrivbordet", `href="/helpdesk/person/c1"`, "XXX.Stockholm.MultiAccess02")
	page := hanna.get("/helpdesk/id/R7K20X1X")
	if got := strings.Join(kindsOn(page.body), " "); got != "login desktop-open desktop-close" {
		t.Errorf("the page tells of %q", got)
	}
	if n := strings.Count(page.body, `class="own"`); n != 2 {
		t.Errorf("%d events are marked as the number's own", n)
	}
	hanna.get("/helpdesk/id/ZZZZZZZZ").shows(t, 404, "/helpdesk/id/ZZZZZZZZ", "ingen händelse med numret ZZZZZZZZ")
	hanna.get("/helpdesk/id").shows(t, 200, "/helpdesk/audit")
}

// The export holds what the search finds, safe for spreadsheets, and is audited.
func TestAuditExport(t *testing.T) {
	b := withHelpdesk(t)
	hanna := b.hanna()
	hostile := []string{"=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "\tx", "a,\"b\"\nc", "åäö😀", ""}
	for _, name := range hostile {
		b.write(store.Event{Kind: "document", Result: "ok", Name: name, Reason: name, Target: name, Detail: map[string]string{"x": name}})
	}
	got := hanna.get("/helpdesk/audit.csv?kind=document")
	if got.status != 200 || got.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment; filename=\"stagedoor-audit-") {
		t.Errorf("%d %v", got.status, got.header)
	}
	body, marked := strings.CutPrefix(got.body, "\ufeff")
	if !marked || !strings.Contains(body, "\r\n") {
		t.Error("no byte order mark, or no CRLF")
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	b.must(err)
	if len(rows) != len(hostile)+1 || rows[0][0] != "time" {
		t.Fatalf("%d rows: %q", len(rows), rows)
	}
	for i, row := range rows[1:] {
		want := hostile[len(hostile)-1-i] // newest first
		if strings.ContainsAny(want[:min(1, len(want))], "=+-@\t") {
			want = "'" + want
		}
		for _, column := range []int{3, 4, 8} {
			if row[column] != want {
				t.Errorf("column %s holds %q, want %q", rows[0][column], row[column], want)
			}
		}
	}
	got = hanna.get("/helpdesk/audit.jsonl?kind=document")
	lines := strings.Split(strings.TrimSpace(got.body), "\n")
	var first store.Event
	b.must(json.Unmarshal([]byte(lines[len(lines)-1]), &first))
	if len(lines) != len(hostile) || first.Name != hostile[0] {
		t.Errorf("%d lines, the first event %+v", len(lines), first)
	}
	exports, err := b.store.Events(t.Context(), store.EventFilter{Kind: "audit-export"})
	b.must(err)
	if len(exports) != 2 || exports[0].Name != `AMIDO\hanna` || exports[0].Detail["filter"] != "kind=document" || exports[1].Detail["format"] != "csv" {
		t.Errorf("audited: %+v", exports)
	}
}

// An export reads page by page, stops at its limit and says so.
func TestExportIsBounded(t *testing.T) {
	total, asked := 5000, 0
	find := func(_ context.Context, f store.EventFilter) ([]store.Event, int64, error) {
		asked++
		from := int(f.Before)
		events := make([]store.Event, min(f.Limit, total-from))
		older := int64(from + len(events))
		if int(older) == total {
			older = 0
		}
		return events, older, nil
	}
	for _, c := range []struct {
		most, lines, pages int
		note               bool
	}{{2500, 2501, 3, true}, {5000, 5000, 5, false}, {10_000, 5000, 5, false}} {
		var out bytes.Buffer
		asked = 0
		if err := desk.Export(t.Context(), find, store.EventFilter{}, c.most, desk.NewJSONL(&out)); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "\n"); n != c.lines {
			t.Errorf("at most %d: %d lines", c.most, n)
		}
		if asked != c.pages || strings.Contains(out.String(), "only the newest 2500 events") != c.note {
			t.Errorf("at most %d: %d pages; the end %q", c.most, asked, out.String()[max(0, out.Len()-80):])
		}
	}
	broken := errors.New("broken")
	err := desk.Export(t.Context(), func(context.Context, store.EventFilter) ([]store.Event, int64, error) { return nil, 0, broken },
		store.EventFilter{}, 10, desk.NewCSV(&bytes.Buffer{}))
	if !errors.Is(err, broken) {
		t.Errorf("a database that fails: %v", err)
	}
}

func TestSupportIDAsHeard(t *testing.T) {
	for said, want := range map[string]string{"r7k2 xxox": "R7K2XX0X", "IL-O0": "1100", "": ""} {
		if got := desk.SupportID(said); got != want {
			t.Errorf("%q is %q, want %q", said, got, want)
		}
	}
}
