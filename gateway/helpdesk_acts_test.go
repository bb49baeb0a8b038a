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
	hanna.post(path+"/resend", "reason", "it did not come").shows(t, 200, path+"?done=resend", "The code has been sent again")
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
