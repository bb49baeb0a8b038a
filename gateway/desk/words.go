package desk

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// eventRow is one audit event as people read it.
type eventRow struct {
	Date, Clock     string
	Kind, Result    string // in words; Machine is the kind's own
	Machine, Status string // as the audit has them
	Reason          string // in words; "": nothing particular
	Name, Href      string // who did it, and their page
	About           string // whom it is about, where that is somebody else
	AboutHref       string
	Target, Address string
	SupportID       string
	SupportHref     string
	Facts           []fact // the rest of the detail
	Own             bool   // of the support id that the page is about
}

type fact struct{ Name, Value string }

// word is the text of a machine word, or the word itself where there is none.
func (p *Pages) word(v *portal.Visit, prefix, word string) string {
	if word == "" {
		return ""
	}
	if word == "other" { // not a key: it is the end of a plural's
		word = "refused"
	}
	key := prefix + word
	if text := p.Site.T(v.Lang, key); text != key {
		return text
	}
	return word
}

// eventWords are an event's kind, its result and its reason in words.
func (p *Pages) eventWords(v *portal.Visit, e store.Event) (kind, result, reason string) {
	return p.word(v, "event.kind.", e.Kind), p.word(v, "event.result.", e.Result), p.word(v, "event.reason.", e.Reason)
}

// eventRows puts events in words.
func (p *Pages) eventRows(v *portal.Visit, events []store.Event) []eventRow {
	rows := make([]eventRow, len(events))
	for i, e := range events {
		row := eventRow{
			Date: p.Site.Date(v.Lang, e.At), Clock: p.Site.Clock(v.Lang, e.At), Machine: e.Kind, Status: e.Result,
			Name: e.Name, Href: personHref(e.AccountID), About: e.Detail[store.AboutPerson], AboutHref: personHref(e.Detail[store.AboutAccount]),
			Target: p.targetName(e.Target), Address: e.Address, SupportID: e.RequestID,
		}
		row.Kind, row.Result, row.Reason = p.eventWords(v, e)
		if e.RequestID != "" {
			row.SupportHref = "/helpdesk/id/" + url.PathEscape(e.RequestID)
		}
		for _, key := range slices.Sorted(maps.Keys(e.Detail)) {
			if value := e.Detail[key]; value != "" && key != store.AboutPerson && key != store.AboutAccount {
				row.Facts = append(row.Facts, fact{key, value})
			}
		}
		rows[i] = row
	}
	return rows
}

// targetName is what people call a target; its id where it is on the list no more.
func (p *Pages) targetName(id string) string {
	if target, ok := p.Targets.List().Named(id); ok {
		return target.Name
	}
	return id
}

// personHref is helpdesk's page of a person; "" where there is no account.
func personHref(accountID string) string {
	if accountID == "" {
		return ""
	}
	return "/helpdesk/person/" + url.PathEscape(accountID)
}

// SupportID is a support id as it was made, from what somebody heard over the
// telephone: O is 0, I and L are 1 (Crockford's base 32), spaces are none.
func SupportID(said string) string {
	return strings.NewReplacer("O", "0", "I", "1", "L", "1", " ", "", "-", "").Replace(strings.ToUpper(said))
}
