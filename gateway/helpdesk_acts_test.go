package gateway_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"stagedoor/gateway"
	"stagedoor/otp"
	"stagedoor/store"
)

// awaitText waits until a message to a number says something.
func (b *bench) awaitText(phone otp.Phone, text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	for {
		var all []string
		for _, sent := range b.outbox.Messages(phone) {
			if all = append(all, sent.Text); strings.Contains(sent.Text, text) {
				return
			}
		}
		select {
		case <-ctx.Done():
			b.t.Fatalf("no message to %s says %q, only %q", phone, text, all)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// accountOf is the id in the address of somebody's page.
func accountOf(path string) string { return strings.TrimPrefix(path, "/helpdesk/person/") }

// waitingChange is the change of number on somebody's page that its forms are about.
func (b *browser) waitingChange(path string) string {
	b.t.Helper()
	found := regexp.MustCompile(`name="change" value="([^"]+)"`).FindStringSubmatch(b.get(path).body)
	if found == nil {
		b.t.Fatalf("no form on %s is about a change of number", path)
	}
	return found[1]
}

// waiting are an account's sessions that wait for a code, the newest first.
func (b *bench) waiting(account string) (found []store.Session) {
	b.t.Helper()
	sessions, err := b.store.SessionsOf(b.t.Context(), account)
	b.must(err)
	for _, s := range sessions {
		if s.Step == "code" {
			found = append(found, s)
		}
	}
	return found
}

// giveApp sets an authenticator app up for an account, that nobody has.
func (b *bench) giveApp(account, id string) {
	b.t.Helper()
	added, err := b.store.AddFactor(b.t.Context(), store.Factor{ID: id, AccountID: account, Kind: "app", Name: "Telefon", Secret: "x", AddedAt: b.clock.Now()}, 9, store.Trace{})
	b.must(err)
	if !added {
		b.t.Fatal("the app was not added")
	}
}

// What an agent sends is for the person to read: it is in the language of their
// last login, and in the portal's first one where they have never been here.
func TestHelpdeskWritesInThePersonsLanguage(t *testing.T) {
	b := open(t, withDesk)
	cecilia := b.browser()
	cecilia.lang = "fi"
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	hanna := b.browser()
	hanna.lang = "en"
	hanna.login(`AMIDO\hanna`, goodPassword).shows(t, 200, "/code")
	hanna.post("/code", "code", b.code("+46701740609")).shows(t, 200, "/")
	path, number := hanna.personPath("cecilia"), otp.Phone("+46701740607")
	b.giveApp(accountOf(path), "app")

	b.clock.advance(time.Minute)
	hanna.post(path+"/resend", "reason", "it did not come", "session", b.waiting(accountOf(path))[0].ID).shows(t, 200, path+"?done=resend", "The code has been sent again")
	b.awaitText(number, "Älä anna sitä kenellekään")
	b.clock.advance(2 * time.Minute)
	hanna.post(path+"/caller", "reason", "is on the telephone").shows(t, 200, path+"?done=caller")
	b.awaitText(number, "Lue se vain, jos soitit itse")
	hanna.post(path+"/factor-remove", "reason", "lost it", "factor", "app").shows(t, 200, path+"?done=factor-remove")
	b.awaitText(number, "tililtäsi on poistettu")
	hanna.post(path+"/number", "reason", "new telephone", "number", "070-174 06 33").shows(t, 200, path+"?done=number")
	b.awaitText(number, "Pysäytä vaihto")

	erik := hanna.personPath("erik")
	hanna.post(erik+"/number", "reason", "new here", "number", "070-174 06 22").shows(t, 200, erik+"?done=number")
	b.awaitText("+46701740622", "finns nu på ditt konto")
}

// Who waits for a code may be somebody else who has the password: the agent sees
// where and since when each one waits, and the code is sent again of the one that
// they picked, and of no other.
func TestResendIsOfOneSession(t *testing.T) {
	b, hanna := openDesk(t)
	path := hanna.personPath("cecilia")
	own, other := b.browser(), b.browser()
	own.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	ownCode := b.code("+46701740607")
	b.clock.advance(2 * time.Minute)
	other.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	sessions := b.waiting(accountOf(path))
	if len(sessions) != 2 {
		t.Fatalf("%d sessions wait", len(sessions))
	}
	site, err := openSite()
	b.must(err)
	for _, s := range sessions {
		hanna.get(path).shows(t, 200, path, `<option value="`+s.ID+`">127.0.0.1, sedan `+site.Clock("sv", s.CreatedAt)+`</option>`, "kan vara någon annan som har lösenordet")
	}
	b.clock.advance(3 * time.Minute)
	hanna.post(path+"/resend", "reason", "kom inte fram").shows(t, 409, path+"/resend", "ingen öppen kod")
	hanna.post(path+"/resend", "reason", "kom inte fram", "session", "another").shows(t, 409, path+"/resend", "ingen öppen kod")
	before := len(b.outbox.Messages("+46701740607"))
	hanna.post(path+"/resend", "reason", "kom inte fram", "session", sessions[0].ID).shows(t, 200, path+"?done=resend")
	if code := b.code("+46701740607"); code == ownCode || len(b.outbox.Messages("+46701740607")) != before+1 {
		t.Error("it is the other session's code that was sent")
	}
}

// Agents see who has not enrolled, and come to each of them; what helpdesk does to
// a person's factors and number shows there at once.
func TestAgentsSeeWhoHasNotEnrolled(t *testing.T) {
	b := open(t, nil)
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code")
	hanna := b.as("hanna", "+46701740609")
	hanna.get("/helpdesk").shows(t, 200, "/helpdesk", `href="/helpdesk/enrolment"`)
	path := hanna.personPath("erik")
	lists := func() bool {
		t.Helper()
		page := hanna.get("/helpdesk/enrolment")
		page.shows(t, 200, "/helpdesk/enrolment", "De som inte har något", `aria-current="page">Inloggningssätt`)
		return strings.Contains(page.body, `<th scope="row"><a href="`+path+`">erik</a></th>`)
	}
	if !lists() {
		t.Error("erik, who has nothing, is not among those without")
	}
	hanna.post(path+"/number", "reason", "ny här", "number", "070-174 06 22").shows(t, 200, path+"?done=number")
	if lists() {
		t.Error("erik has a number, and is among those without")
	}
	if found, err := b.store.FindPeople(t.Context(), "1740622", 2); err != nil || len(found) != 1 || found[0].PhoneSource != "verified" {
		t.Errorf("by the new number: %+v, %v", found, err)
	}
	hanna.get("/helpdesk/enrolment.csv").shows(t, 200, "/helpdesk/enrolment.csv", "required_from")
	if hanna.get("/admin").status != 404 {
		t.Error("administrators' pages are there for agents")
	}
	b.ready().get("/helpdesk/enrolment").shows(t, 404, "/helpdesk/enrolment")

	frida := hanna.personPath("frida")
	b.giveApp(accountOf(frida), "app")
	b.browser().login(`AMIDO\frida`, goodPassword).shows(t, 200, "/code/app")
	person, err := b.store.FindPerson(t.Context(), accountOf(frida))
	b.must(err)
	if strings.Join(person.Factors, " ") != "app" {
		t.Errorf("frida has %q", person.Factors)
	}
	hanna.post(frida+"/factor-remove", "reason", "tappat den", "factor", "app").shows(t, 200, frida+"?done=factor-remove")
	if person, err = b.store.FindPerson(t.Context(), accountOf(frida)); err != nil || len(person.Factors) != 0 || person.Lang != "sv" || person.Policy != "required" {
		t.Errorf("frida: %+v, %v", person, err)
	}
	hanna.get("/helpdesk/enrolment").shows(t, 200, "/helpdesk/enrolment", `href="`+frida+`"`)

	// Whoever has never been here is added by no act.
	bertil := hanna.personPath("bertil")
	hanna.post(bertil+"/number-confirm", "reason", "kollat").shows(t, 200, bertil+"?done=number-confirm")
	hanna.post(bertil+"/number", "reason", "bytt", "number", "070-174 06 44").shows(t, 200, bertil+"?done=number")
	if _, err := b.store.FindPerson(t.Context(), accountOf(bertil)); err == nil {
		t.Error("bertil has never logged in, and is among the people")
	}
}

// An agent whose proof is older than an hour proves themselves once more before
// they see or do anything; what was typed is not done.
func TestHelpdeskWantsAFreshProof(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.Idle = 3 * time.Hour })
	hanna := b.as("hanna", "+46701740609")
	path := hanna.personPath("cecilia")
	b.clock.advance(59 * time.Minute)
	hanna.get("/helpdesk").shows(t, 200, "/helpdesk")
	hanna.post(path+"/clear-codes", "reason", "ringde in").shows(t, 200, path+"?done=clear-codes")
	b.clock.advance(2 * time.Minute)
	before := len(b.events())
	hanna.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, page := range []string{"/helpdesk", "/helpdesk?q=cecilia", path, "/helpdesk/desktops", "/helpdesk/enrolment", "/helpdesk/enrolment.csv",
		"/helpdesk/audit", "/helpdesk/audit.csv", "/helpdesk/audit.jsonl", "/helpdesk/id", "/helpdesk/id/ABCDEFGH"} {
		if got := hanna.get(page); got.status != http.StatusSeeOther || got.header.Get("Location") != "/again?to="+url.QueryEscape(page) {
			t.Errorf("%s: %d to %s", page, got.status, got.header.Get("Location"))
		}
	}
	for act, back := range map[string]string{ // browsers send no referrer: the page is known all the same
		path + "/clear-codes": path, path + "/bypass": path, "/helpdesk/desktops/X/end": "/helpdesk/desktops", "/helpdesk/desktops/X/message": "/helpdesk/desktops",
	} {
		form := url.Values{"reason": {"ringde in"}, "known": {"yes"}}
		got := hanna.do(http.MethodPost, act, form)
		if got.status != http.StatusSeeOther || got.header.Get("Location") != "/again?to="+url.QueryEscape(back) {
			t.Errorf("%s: %d to %s", act, got.status, got.header.Get("Location"))
		}
	}
	if got := hanna.get("/helpdesk/desktops/now"); got.status == 200 {
		t.Error("the desktops that are open are told by an old proof")
	}
	if after := b.events(); len(after) != before {
		t.Errorf("something was done: %q", after[before:])
	}
}
