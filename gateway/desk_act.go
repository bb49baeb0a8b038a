package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/store"
)

const (
	actsPerDay = 20 // of one agent on others
	maxWhy     = 300
)

// mayActOn tells whether the visit's agent may do something to a person now, and
// counts the act: at most 20 a day, not on oneself, not on other agents or
// administrators. barred is why not: "self", "role", "limit", "person-unknown" or
// "directory" where the directory does not say who is an agent: then nobody acts.
func (p *Portal) mayActOn(v *visit, accountID, name string) (barred string, err error) {
	if accountID == v.session.AccountID {
		return "self", nil
	}
	account, err := p.Directory.Lookup(v.Context(), name)
	switch {
	case errors.Is(err, directory.ErrNotFound), err == nil && account.ID != accountID:
		return "person-unknown", nil
	case err != nil:
		v.log.Warn("directory not asked about a person", "name", name, "error", err)
		return "directory", nil
	}
	if slices.ContainsFunc(slices.Concat(p.set.HelpdeskGroups, p.set.AdministratorGroups), account.MemberOf) {
		return "role", nil
	}
	ok, _, err := p.Store.Take(v.Context(), "acts:"+v.session.AccountID, actsPerDay, 24*time.Hour)
	if err != nil {
		return "", fmt.Errorf("count act: %w", err)
	}
	if !ok {
		return "limit", nil
	}
	return "", nil
}

// act checks, counts and audits what an agent does to the person of an event:
// whom it is about stands in the event's detail. barred is why it must not be
// done; that has been audited too.
func (p *Portal) act(v *visit, event store.Event, why string) (barred string, err error) {
	if barred, err = p.mayActOn(v, event.Detail[store.AboutAccount], event.Detail[store.AboutPerson]); err != nil {
		return "", err
	}
	event.Result, event.Reason = "ok", barred
	if barred != "" {
		event.Result = "refused"
	}
	event.Detail["why"] = why
	return barred, p.audit(v, event)
}

// tidy is what somebody typed on one line: printable, without spaces around it.
func tidy(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		if r < ' ' || r == 0x7f || r == 0xfffd || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
}
