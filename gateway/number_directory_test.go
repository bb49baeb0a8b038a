package gateway_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"stagedoor/directory/directorytest"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
)

// moved gives cecilia another mobile number in the directory.
func (b *bench) moved(mobile string) {
	b.t.Helper()
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Mobile = mobile }))
}

// hears waits until a number is told in words, and says how often it was.
func (b *bench) hears(phone otp.Phone, words string) (times int) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	for {
		for _, m := range b.outbox.Messages(phone) {
			if strings.Contains(m.Text, words) {
				times++
			}
		}
		if times > 0 {
			return times
		}
		select {
		case <-ctx.Done():
			b.t.Fatalf("%s was not told %q", phone, words)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Whoever changes a number in the directory changes it for all to see: the history,
// the audit, the old number and the new one have it, and no browser is remembered.
func TestNumberChangedInTheDirectory(t *testing.T) {
	b := under(t, factor.Rule{Need: factor.Required, Remember: 30 * 24 * time.Hour})
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "•• 07")
	cecilia.post("/code", "code", b.code("+46701740607"), "remember", "1").shows(t, 200, "/")
	cecilia.post("/logout")
	b.clock.advance(time.Hour)
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/") // remembered
	cecilia.post("/logout")
	if slices.Contains(b.events(), "phone-changed ok by-directory") {
		t.Fatal("a first login is a change")
	}

	b.moved("070-174 06 99")
	agent := b.as("hanna", "+46701740609")
	path := "/helpdesk/person/" + b.accountOf("cecilia")
	agent.get(path).shows(t, 200, path) // whom helpdesk looks at has not seen it yet
	b.clock.advance(time.Hour)
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "•• 99")
	cecilia.post("/code", "code", b.code("+46701740699")).shows(t, 200, "/")
	cecilia.post("/logout")
	b.clock.advance(time.Hour)
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "•• 99")
	const words = "ditt mobilnummer är nu ett som slutar på 99. Det har bytts i din organisations katalog."
	for _, phone := range []otp.Phone{"+46701740607", "+46701740699"} {
		if n := b.hears(phone, words); n != 1 {
			t.Errorf("%s was told %d times", phone, n)
		}
	}
	n := 0
	for _, event := range b.events() {
		if event == "phone-changed ok by-directory" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d events", n)
	}
	ada := b.as("ada", "+46701740610")
	ada.get(path).shows(t, 200, path, "Numret byttes i katalogen", "0607 till", "0699", "<td>Katalogen</td>")
	ada.get("/helpdesk/audit?kind=phone-changed").shows(t, 200, "/helpdesk/audit?kind=phone-changed", "Det byttes i katalogen")
}

// No code goes to a number of which the old one does not hear: not where one
// proves oneself once more, either.
func TestNumberChangedInTheDirectoryMeanwhile(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	b.moved("0701740699")
	b.clock.advance(11 * time.Minute)
	cecilia.get("/account/app").shows(t, 200, "/again?to=%2Faccount%2Fapp")
	cecilia.post("/again", "to", "/account/app", "password", goodPassword).shows(t, 200, "/code", "•• 99")
	if n := b.hears("+46701740607", "katalog"); n != 1 {
		t.Errorf("the old number was told %d times", n)
	}
	cecilia.post("/code", "code", b.code("+46701740699")).shows(t, 200, "/account/app")
}
