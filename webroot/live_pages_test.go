package webroot

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The contract with the gateway's pages of open desktops and events, field by field.
type (
	openDesktop struct {
		ID, Person, Name, Href, Target, Since, Idle, Address, Node, State, Order string
		Own, Open                                                                bool
		Text, Why                                                                string
	}
	openDesktopsPage struct {
		basePage
		Section            string
		Rows               []openDesktop
		Blank              openDesktop
		Query, Done, Fault string
		All                int
	}
	choice struct {
		Value, Name string
		Chosen      bool
	}
	fact     struct{ Name, Value string }
	eventRow struct {
		Date, Clock, Kind, Result, Machine, Status, Reason, Name, Href, About, AboutHref string
		Target, Address, SupportID, SupportHref                                          string
		Facts                                                                            []fact
		Own                                                                              bool
	}
	auditQuery struct{ Person, Account, Target, Kind, Result, From, To string }
	auditPage  struct {
		basePage
		Section                    string
		Asked                      auditQuery
		Fault                      string
		Kinds, Results             []choice
		Events                     []eventRow
		Older, Newest, CSV, JSONL  string
		Found, ExportMost, PerPage int
	}
	supportIDPage struct {
		basePage
		Section, ID          string
		Events               []eventRow
		Own                  int
		Name, Href           string
		End, EndTarget, Part string
	}
)

func TestLivePages(t *testing.T) {
	site := opened(t)
	row := openDesktop{ID: "A1", Person: hostile, Name: `AMIDO\anna`, Href: "/helpdesk/person/1", Target: "M5", State: "x", Order: hostile}
	refused := row
	refused.Open, refused.Text, refused.Why = true, hostile, hostile
	own := row
	own.ID, own.Own = "B2", true
	event := eventRow{Kind: hostile, Machine: "login", Result: "x", Status: "ok", Reason: hostile, Name: hostile, Href: "/helpdesk/person/1", About: hostile,
		Target: hostile, SupportID: "R7K2", SupportHref: "/helpdesk/id/R7K2", Facts: []fact{{hostile, hostile}}, Own: true}
	for _, language := range site.Languages() {
		in := inside(language.Code, "Titel")
		in.Agent = true
		open := func(fault string, rows ...openDesktop) openDesktopsPage {
			return openDesktopsPage{basePage: in, Section: "desktops", Rows: rows, Blank: openDesktop{ID: "NEW"}, All: len(rows), Fault: fault}
		}
		done := open("", row)
		done.Done, done.Query = "message", hostile
		type sample struct {
			name, page string
			data       any
			want       []string
		}
		samples := []sample{
			{"desktops", "open-desktops", open("", row, own), []string{`action="/helpdesk/desktops/A1/end"`, `action="/helpdesk/desktops/A1/message"`, `!action="/helpdesk/desktops/B2`,
				`aria-current="page"`, `live.js"`, `maxlength="300"`, `id="none" hidden`, `id="nothing" hidden`, `!id="fault"`, `<template id="row">`}},
			{"no desktops", "open-desktops", open(""), []string{`id="list" role="region"`, `<p id="none">`}},
			{"sent", "open-desktops", done, []string{`role="status"`, `href="/helpdesk/desktops"`}},
			{"audit", "audit", auditPage{basePage: in, Section: "audit", Events: []eventRow{event}, Kinds: []choice{{"login", hostile, true}}, Older: "/helpdesk/audit?before=1", CSV: "/helpdesk/audit.csv", ExportMost: 100_000,
				Asked: auditQuery{Person: hostile, Account: hostile, From: hostile}}, []string{`rel="next"`, `<option value="login" selected>`, `href="/helpdesk/id/R7K2"`, `!id="fault"`}},
			{"nothing found", "audit", auditPage{basePage: in, Section: "audit"}, []string{`role="status"`, `!<table`}},
			{"a time that is none", "audit", auditPage{basePage: in, Section: "audit", Fault: "to"}, []string{`id="fault"`, `aria-invalid="true"`}},
			{"support id", "support-id", supportIDPage{basePage: in, Section: "audit", ID: hostile, Events: []eventRow{event}, Name: hostile, Href: "/x", End: hostile}, []string{`class="own"`, `<dl class="facts">`}},
			{"no such id", "support-id", supportIDPage{basePage: in, Section: "audit", ID: hostile}, []string{`role="status"`, `!<table`}},
		}
		samples = append(samples, sample{"refused", "open-desktops", open(hostile, refused), []string{`id="fault"`, ` open><summary>`}})
		for _, s := range samples {
			t.Run(language.Code+"/"+s.name, func(t *testing.T) {
				var b bytes.Buffer
				if err := site.Render(&b, language.Code, s.page, s.data); err != nil {
					t.Fatal(err)
				}
				page := b.String()
				checkHTML(t, page)
				for _, want := range s.want {
					if unwanted, no := strings.CutPrefix(want, "!"); no == strings.Contains(page, strings.TrimPrefix(want, "!")) {
						t.Errorf("wanted (or not) %s: %s", want, unwanted)
					}
				}
			})
		}
	}
}

var causesOfEnds = regexp.MustCompile(`&ending{cause: "([a-z-]+)"`)

// Every cause that a tunnel's end can have is in words for helpdesk.
func TestEveryCauseIsInWords(t *testing.T) {
	keys := opened(t).Keys("event.reason.")
	found := causesOfEnds.FindAllStringSubmatch(sources(t, "../gateway/tunnel/end.go"), -1)
	if len(found) < 20 {
		t.Fatalf("only %d causes", len(found))
	}
	for _, m := range found {
		if m[1] != "forbidden" && !slices.Contains(keys, "event.reason."+m[1]) {
			t.Errorf("there is no text %q", "event.reason."+m[1])
		}
	}
}
