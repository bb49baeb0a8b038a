package gateway_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// postAndLeave posts a form as a browser that is gone as soon as the portal's log
// has a line with all of the texts.
func (b *browser) postAndLeave(path string, form url.Values, when ...string) {
	b.t.Helper()
	defer b.log.watch(nil)
	b.leavingWith(func(leave func()) {
		b.log.watch(func(line string) {
			if !slices.ContainsFunc(when, func(text string) bool { return !strings.Contains(line, text) }) {
				leave()
			}
		})
	}, path, form)
}

// An act of helpdesk that was begun is done, and what became of it is recorded,
// though the agent's browser has gone; so is the end of each session that it ends.
func TestActIsRecordedThoughTheBrowserHasGone(t *testing.T) {
	b, hanna := openDesk(t)
	cecilia := b.ready()
	path := hanna.personPath("cecilia")
	for _, c := range []struct{ act, kind, field, value string }{
		{"caller", "helpdesk-caller-code", "", ""},
		{"clear-codes", "helpdesk-clear-codes", "", ""},
		{"number", "phone-change", "number", "070-174 06 33"},
		{"end-sessions", "helpdesk-end-sessions", "", ""},
	} {
		form := url.Values{"reason": {"ringde in"}}
		if c.field != "" {
			form.Set(c.field, c.value)
		}
		hanna.postAndLeave(path+"/"+c.act, form, `"kind":"`+c.kind+`"`, `"result":"begun"`)
		recorded := b.deskEvents()
		if line := c.kind + ` ok  AMIDO\hanna -> AMIDO\cecilia: ringde in`; !slices.Contains(recorded, line) {
			t.Errorf("no event %q among\n%s", line, strings.Join(recorded, "\n"))
		}
	}
	if b.code("+46701740607") == "" {
		t.Error("no code was sent to the caller")
	}
	if _, err := b.store.PendingChange(t.Context(), accountOf(path)); err != nil {
		t.Errorf("the change of number: %v", err)
	}
	cecilia.get("/").shows(t, 200, "/login", "Du loggades ut av en administratör")
	if !slices.ContainsFunc(b.events(), func(line string) bool { return strings.HasPrefix(line, "session-end ok revoked") }) {
		t.Errorf("no end of a session among\n%s", strings.Join(b.events(), "\n"))
	}
}
