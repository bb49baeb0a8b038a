package gateway_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stagedoor/otp"
	"stagedoor/store"
)

// historyOf are the lines of the table on somebody's page, the newest first.
func (b *browser) historyOf(path string) (lines []string) {
	b.t.Helper()
	_, table, found := strings.Cut(b.get(path).body, `<h2 id="history">`)
	if !found {
		return nil
	}
	table, _, _ = strings.Cut(table, "</section>")
	for _, row := range regexp.MustCompile(`(?s)<tr><td>.*?</tr>`).FindAllString(table, -1) {
		var cells []string
		for _, cell := range strings.Split(row, "</td>")[:6] {
			cells = append(cells, strings.Join(strings.Fields(tags.ReplaceAllString(cell, " ")), " "))
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return lines
}

// Who has a number of the portal's own is found by it, and the list shows that one.
func TestHelpdeskFindsOwnNumber(t *testing.T) {
	_, hanna := openDesk(t)
	path := hanna.personPath("erik") // the directory has none
	hanna.post(path+"/number", "reason", "ny mobil", "number", "070-174 06 33").shows(t, 200, path+"?done=number")
	if found := hanna.personPath("070 174 06 33"); found != path {
		t.Errorf("the number leads to %s, want %s", found, path)
	}
	hanna.get("/helpdesk?q=erik").shows(t, 200, "/helpdesk?q=erik", "••• 0633")
}

// The page of a person says of each change of their number who made it, when,
// from where, why, and how the number was verified; without the directory too.
func TestHelpdeskNumberHistory(t *testing.T) {
	b, hanna := openDesk(t)
	path := hanna.personPath("cecilia")
	if lines := hanna.historyOf(path); lines != nil {
		t.Errorf("before anything was done: %q", lines)
	}
	hanna.post(path+"/number-confirm", "reason", "kollat med chefen").shows(t, 200, path+"?done=number-confirm")
	hanna.post(path+"/number", "reason", "bytt telefon", "number", "070-174 06 33").shows(t, 200, path+"?done=number")
	stranger := b.browser()
	link, token, _ := strings.Cut(b.notice("+46701740607"), "?t=")
	stranger.post(link, "t", token).shows(t, 200, link, "Bytet är stoppat")
	site, err := openSite()
	b.must(err)
	now := site.Date("sv", b.clock.Now()) + " " + site.Clock("sv", b.clock.Now()) + " | "
	want := []string{
		now + "Bytet stoppades från ••• 0607 till ••• 0633 | Den som fick meddelandet | 127.0.0.1 |  | ",
		now + `Nytt nummer begärt från ••• 0607 till ••• 0633 | AMIDO\hanna | 127.0.0.1 | bytt telefon | inskrivet av supporten`,
		now + `Katalogens nummer bekräftades ••• 0607 | AMIDO\hanna | 127.0.0.1 | kollat med chefen | bekräftat av supporten`,
	}
	check := func(when string) {
		t.Helper()
		got := hanna.historyOf(path)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s the page says\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	check("with the directory")
	b.must(b.directory.Stop())
	check("without the directory")
}

// A change of number that waits takes effect by itself when its time has come,
// though its person does not log in, nor anybody looks at them.
func TestDueNumberAppliesByItself(t *testing.T) {
	b, hanna := openDesk(t)
	path := hanna.personPath("cecilia")
	hanna.post(path+"/number", "reason", "bytt telefon", "number", "070-174 06 33").shows(t, 200, path+"?done=number", "Byte av nummer väntar")
	cecilia := strings.TrimPrefix(path, "/helpdesk/person/")
	tick := make(chan time.Time)
	go b.portal.ApplyDueNumbers(tick)
	runs := func() { // two ticks: when the second is taken, what the first one led to is over
		tick <- time.Time{}
		tick <- time.Time{}
	}
	b.clock.advance(24*time.Hour - time.Second)
	runs()
	if _, err := b.store.PendingChange(t.Context(), cecilia); err != nil {
		t.Fatalf("a second before its time: %v", err)
	}
	b.clock.advance(time.Second)
	runs()
	own, err := b.store.Number(t.Context(), cecilia)
	if err != nil || own.Phone != "+46701740633" || !own.Own {
		t.Errorf("%+v, %v", own, err)
	}
	if _, err := b.store.PendingChange(t.Context(), cecilia); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it still waits: %v", err)
	}
	for _, phone := range []otp.Phone{"+46701740607", "+46701740633"} {
		b.eventually(string(phone)+" is told that it holds", func() bool {
			return slices.ContainsFunc(b.outbox.Messages(phone), func(m otp.Sent) bool { return strings.Contains(m.Text, "är bytt") })
		})
	}
	if log := b.log.String(); strings.Count(log, `"kind":"phone-changed"`) != 1 {
		t.Error("the log has not one line of it")
	}
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "•• 33")
}

// With the directory out an agent finds those who have logged in before.
func TestHelpdeskFindsWithoutDirectory(t *testing.T) {
	b, hanna := openDesk(t)
	b.ready()
	path := hanna.personPath("cecilia")
	hanna.get("/helpdesk?q=erik").shows(t, 200, "/helpdesk?q=erik", `AMIDO\erik`)
	b.must(b.directory.Stop())
	page := hanna.get("/helpdesk?q=Lind")
	page.shows(t, 200, "/helpdesk?q=Lind", "Katalogen svarar inte just nu. Här visas bara personer som har loggat in", "Cecilia Lind", `href="`+path+`"`, "••• 0607")
	if strings.Contains(page.body, "1740607") {
		t.Error("the page has the whole number")
	}
	hanna.get("/helpdesk?q=erik").shows(t, 200, "/helpdesk?q=erik", "En katalog svarar inte just nu", "Ingen träff")
	hanna.get(path).shows(t, 200, path, "Katalogen svarar inte")
}

// Who stops helpdesk's change by the link in a notice is in the audit under the
// name that one searches by, and so are the sessions that end with it.
func TestFreezeOfHelpdeskChangeIsFoundByPerson(t *testing.T) {
	b, hanna := openDesk(t)
	path := hanna.personPath("cecilia")
	hanna.post(path+"/number", "reason", "bytt telefon", "number", "070-174 06 33").shows(t, 200, path+"?done=number")
	link, token, _ := strings.Cut(b.notice("+46701740607"), "?t=") // which is not sent when it is a day old
	b.clock.advance(24 * time.Hour)
	b.as("cecilia", "+46701740633")
	b.browser().post(link, "t", token).shows(t, 200, link, "Bytet är stoppat")
	for _, kind := range []string{"phone-frozen", "session-end"} {
		events, err := b.store.Events(t.Context(), store.EventFilter{Name: `AMIDO\cecilia`, Kind: kind})
		b.must(err)
		if len(events) != 1 || events[0].Name != `AMIDO\cecilia` || events[0].Result != "ok" {
			t.Errorf("%s of %s: %+v", kind, `AMIDO\cecilia`, events)
		}
	}
}
