package desk

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// auditPage is helpdesk's search in the audit.
type auditPage struct {
	portal.Page
	Section             string
	Asked               auditQuery
	Fault               string // of the search: "from", "to" or ""
	Kinds, Results      []choice
	Events              []eventRow
	Older, Newest       string // addresses of further pages; "": there is none
	CSV, JSONL          string // addresses of the export
	Found               int
	ExportMost, PerPage int
}

// choice is one of a list.
type choice struct {
	Value, Name string
	Chosen      bool
}

// auditQuery is a search as it was typed.
type auditQuery struct {
	Person, Account, Target, Kind, Result, From, To string
}

const eventsPerPage = 100

func auditQueryOf(query url.Values) auditQuery {
	get := func(key string) string { return portal.Printable(strings.TrimSpace(query.Get(key)), 256) }
	return auditQuery{Person: get("person"), Account: get("account"), Target: get("target"), Kind: get("kind"),
		Result: get("result"), From: get("from"), To: get("to")}
}

// values are the query's again, for addresses and the audit.
func (q auditQuery) values() url.Values {
	values := url.Values{}
	for key, value := range map[string]string{"person": q.Person, "account": q.Account, "target": q.Target, "kind": q.Kind,
		"result": q.Result, "from": q.From, "to": q.To} {
		if value != "" {
			values.Set(key, value)
		}
	}
	return values
}

// filter is what the database is asked; fault names the field that cannot be
// understood.
func (p *Pages) filter(q auditQuery) (filter store.EventFilter, fault string) {
	filter = store.EventFilter{AccountID: q.Account, Target: p.targetID(q.Target), Kind: q.Kind, Result: q.Result}
	if q.Person != "" {
		filter.Names = p.Directory.Spellings(q.Person)
	}
	var ok bool
	if filter.Since, ok = LocalTime(q.From); !ok {
		return filter, "from"
	}
	if filter.Until, ok = LocalTime(q.To); !ok {
		return filter, "to"
	}
	return filter, ""
}

// LocalTime reads 2026-11-22 14:02, with a T between them as HTML writes it, or a
// day alone, in the zone of this machine, which is the one that pages show times in. Nothing is no time,
// and well.
func LocalTime(text string) (at time.Time, ok bool) {
	if text == "" {
		return time.Time{}, true
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateTime, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil && at.Year() > 1970 {
			return at, true
		}
	}
	return time.Time{}, false
}

// targetID is the id of the target that somebody calls so: by id or by name.
func (p *Pages) targetID(said string) string {
	for _, t := range p.Targets.List().All() {
		if strings.EqualFold(t.Name, said) || strings.EqualFold(t.ID, said) {
			return t.ID
		}
	}
	return said
}

// searchAudit is the page: newest first, 100 at a time.
func (p *Pages) searchAudit(w http.ResponseWriter, v *portal.Visit) error {
	q := auditQueryOf(v.URL.Query())
	data := auditPage{Page: p.Page(v, "title.audit"), Section: "audit", Asked: q, PerPage: eventsPerPage, ExportMost: exportMost,
		Kinds: p.kinds(v, q.Kind), Results: p.results(v, q.Result)}
	filter, fault := p.filter(q)
	if data.Fault = fault; fault != "" {
		return p.Render(w, v, http.StatusUnprocessableEntity, "audit", data)
	}
	filter.Before, _ = strconv.ParseInt(v.URL.Query().Get("before"), 10, 64)
	filter.Limit = eventsPerPage
	events, older, err := p.Store.FindEvents(v.Context(), filter)
	if err != nil {
		return err
	}
	data.Events, data.Found = p.eventRows(v, events), len(events)
	values := q.values()
	data.CSV, data.JSONL = address("/helpdesk/audit.csv", values), address("/helpdesk/audit.jsonl", values)
	if filter.Before > 0 {
		data.Newest = address("/helpdesk/audit", values)
	}
	if older > 0 {
		values.Set("before", strconv.FormatInt(older, 10))
		data.Older = address("/helpdesk/audit", values)
	}
	return p.Render(w, v, http.StatusOK, "audit", data)
}

func address(path string, values url.Values) string {
	return (&url.URL{Path: path, RawQuery: values.Encode()}).String()
}

// kinds are those that have a text, by name: what can be looked for.
// cmd/stagedoor's TestKindsOfEvents holds the texts to the code.
func (p *Pages) kinds(v *portal.Visit, chosen string) (kinds []choice) {
	const prefix = "event.kind."
	for _, key := range p.Site.Keys(prefix) {
		kind := strings.TrimPrefix(key, prefix)
		kinds = append(kinds, choice{kind, p.Site.T(v.Lang, key), kind == chosen})
	}
	slices.SortFunc(kinds, func(a, b choice) int { return strings.Compare(a.Name, b.Name) })
	return kinds
}

func (p *Pages) results(v *portal.Visit, chosen string) (results []choice) {
	for _, result := range []string{"ok", "refused", "error", "begun"} {
		results = append(results, choice{result, p.Site.T(v.Lang, "event.result."+result), result == chosen})
	}
	return results
}
