package gateway_test

import (
	"context"
	"strings"
	"testing"
	"time"

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
	added, err := b.store.AddFactor(b.t.Context(), store.Factor{ID: id, AccountID: account, Kind: "app", Name: "Telefon", Secret: "x", AddedAt: b.clock.Now()}, 9)
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
	b.awaitText(number, "on poistettu tililtäsi")
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
