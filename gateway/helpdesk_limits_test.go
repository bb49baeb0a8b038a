package gateway_test

import (
	"strings"
	"testing"
	"time"

	"stagedoor/directory/directorytest"
	"stagedoor/gateway"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// The limit of a network address refuses before anybody looks whose name it is:
// the person's page has the try all the same, says what holds until when, and an
// agent lifts it. So does a directory that did not answer stand there.
func TestHelpdeskSeesAddressLimit(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { withDesk(s); s.TriesPerAddress = 2 })
	hanna := b.as("hanna", "+46701740609")
	path := hanna.personPath("cecilia")
	for range 2 {
		b.browser().login(`AMIDO\nobody`, "nej").shows(t, 403, "/login")
	}
	hanna.get(path).shows(t, 200, path, "Inget hindrar inloggning") // nobody has tried her name from there
	b.browser().login(`amido\Cecilia`, goodPassword).shows(t, 429, "/login")
	hanna.get(path).shows(t, 200, path, "Inga lösenord provas från adressen 127.0.0.1 före", "kan ha gissat därifrån",
		"Fel lösenord från 127.0.0.1", "Lösenord vid inloggning: För många fel lösenord från samma adress", `<option value="127.0.0.1">`)
	anna := hanna.personPath("anna")
	if strings.Contains(hanna.get(anna).body, "127.0.0.1 före") {
		t.Error("the hold stands on the page of somebody who has not tried")
	}
	hanna.post(anna+"/clear-address", "reason", "sitter på kontoret", "address", "127.0.0.1").shows(t, 409, anna+"/clear-address", "ingenting att göra")
	hanna.post(path+"/clear-address", "reason", "sitter på kontoret", "address", "192.0.2.1").shows(t, 409, path+"/clear-address")
	hanna.post(path+"/clear-address", "reason", "sitter på kontoret", "address", "127.0.0.1").shows(t, 200, path+"?done=clear-address", "Spärren för adressen är borta")
	if strings.Contains(hanna.get(path).body, "127.0.0.1 före") {
		t.Error("the hold that was lifted stands there still")
	}
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")

	b.must(b.directory.Stop())
	b.browser().login(`AMIDO\cecilia`, goodPassword)
	hanna.get(path).shows(t, 200, path, "Lösenord vid inloggning: Katalogen svarade inte")
}

// A hold that is over is no cause any more, nor one that the person got past.
func TestHelpdeskAddressLimitEnds(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { withDesk(s); s.TriesPerAddress = 1 })
	hanna := b.as("hanna", "+46701740609")
	path := hanna.personPath("cecilia")
	b.browser().login(`AMIDO\nobody`, "nej").shows(t, 403, "/login")
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 429, "/login")
	hanna.get(path).shows(t, 200, path, "127.0.0.1 före")
	b.clock.advance(31 * time.Minute)
	hanna = b.as("hanna", "+46701740609")
	if strings.Contains(hanna.get(path).body, "127.0.0.1 före") {
		t.Error("a hold stands there that is over")
	}
}

// Ten notices a day are a limit too: it stands among the others, and why nothing
// more can be done.
func TestHelpdeskSeesNotices(t *testing.T) {
	b, hanna := openDesk(t)
	path := hanna.personPath("cecilia")
	hanna.get(path).shows(t, 200, path, "<dt>Besked på ett dygn</dt><dd>0 av 10</dd>")
	tell := func(n int) {
		for range n {
			b.must(b.portal.Numbers.Notices.Tell(t.Context(), otp.Notice{AccountID: accountOf(path), Phones: []otp.Phone{"+46701740607"}, Key: "phone.notice.changed"}))
		}
	}
	tell(1)
	b.clock.advance(time.Hour)
	tell(8)
	hanna = b.as("hanna", "+46701740609")
	hanna.get(path).shows(t, 200, path, "<dt>Besked på ett dygn</dt><dd>9 av 10 · ett mindre ")
	tell(1)
	hanna.get(path).shows(t, 200, path, "10 av 10 · spärrat till ", "Har fått 10 besked på ett dygn", "Så många besked är ovanligt")
	hanna.post(path+"/number", "reason", "bytt telefon", "number", "070-174 06 33").shows(t, 409, path+"/number", "för många besked")
	b.clock.advance(23*time.Hour + time.Minute)
	hanna = b.as("hanna", "+46701740609")
	hanna.get(path).shows(t, 200, path, "<dt>Besked på ett dygn</dt><dd>9 av 10")
}

// A code for a first number that did not go out is told with what it was for, and
// that the person sends it again; a code that is asked for once more of who is in
// an agent sends again.
func TestHelpdeskSeesOtherCodes(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { withDesk(s); selfEnrol(s) })
	hanna := b.as("hanna", "+46701740609")
	sender := b.codes.Sender
	b.codes.Sender = noProvider{}
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/phone")
	erik.post("/phone", "act", "number", "country", "SE", "number", "0701740699").shows(t, 200, "/phone", "kunde inte skickas")
	path := hanna.personPath("erik")
	hanna.get(path).shows(t, 200, path, "(kod för att lägga in ett mobilnummer)", "Koden kunde inte skickas", "på sin egen sida: härifrån går det inte")
	b.codes.Sender = sender
	b.clock.advance(2 * time.Minute)
	erik.post("/phone", "act", "resend").shows(t, 200, "/phone?resent")
	hanna.get(path).shows(t, 200, path, "har inte skrivits in (kod för att lägga in ett mobilnummer)")
	erik.post("/phone", "act", "code", "code", b.code("+46701740699"))
	if strings.Contains(hanna.get(path).body, "(kod för att lägga in") {
		t.Error("the code was typed, and stands there still")
	}

	cecilia := b.ready()
	b.clock.advance(11 * time.Minute)
	cecilia.post("/again", "to", "/account", "password", goodPassword).shows(t, 200, "/code")
	before := b.codesTo("+46701740607")
	b.clock.advance(2 * time.Minute)
	hanna = b.as("hanna", "+46701740609")
	path = hanna.personPath("cecilia")
	sessions, err := b.store.SessionsOf(t.Context(), accountOf(path))
	b.must(err)
	hanna.post(path+"/resend", "reason", "kom inte fram", "session", sessions[0].ID).shows(t, 200, path+"?done=resend")
	if after := b.codesTo("+46701740607"); after != before+1 {
		t.Errorf("%d codes, then %d", before, after)
	}
	cecilia.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/account")
	if strings.Contains(hanna.get(path).body, `id="act-resend"`) {
		t.Error("nobody waits any more, and a code can be sent again")
	}
}

// Who has no number, and a policy that lets codes go by mail, reads a code back
// that came there. That counts as the agent's word: enough for a one-time code,
// but not from who has removed a factor.
func TestCallerByMail(t *testing.T) {
	b := open(t, func(s *gateway.Settings) {
		withDesk(s)
		s.Factors = factor.Policy{{Need: factor.Required, Allowed: []factor.Kind{factor.SMS, factor.App, factor.Mail}}}
	})
	box := &mailbox{}
	b.carry(box)
	hanna := b.as("hanna", "+46701740609")
	path := hanna.personPath("erik")
	if strings.Contains(hanna.get(path).body, `id="act-caller"`) {
		t.Error("a code can be sent to somebody with neither number nor address")
	}
	b.must(b.directory.Update("erik", func(u *directorytest.User) { u.Mail = "erik.lind@amido.example" }))
	hanna.get(path).shows(t, 200, path, "Skicka en kod till personens e-post", "samma lösenord som kontot", path+"/caller")
	hanna.post(path+"/caller", "reason", "ringde in").shows(t, 200, path+"?done=caller", "skickade till personens e-post")
	if to := box.newest(); to.Mail != "erik.lind@amido.example" || !strings.Contains(to.Text, "Läs upp den bara om du själv har ringt") {
		t.Errorf("the code went as %+v", to)
	}
	if strings.Contains(hanna.get(path).body, box.code(t)) {
		t.Error("the agent sees the code")
	}
	hanna.post(path+"/caller-code", "code", box.code(t)).shows(t, 200, path+"?done=caller-code", "räknas som att du känner personen")
	hanna.post(path+"/bypass", "reason", "ny telefon").shows(t, 200, path+"/bypass", "Engångskoden")
	for kind, want := range map[string]map[string]string{
		"helpdesk-caller-code": {"mail": "e"}, "helpdesk-caller": {"way": "mail"}, "helpdesk-bypass": {"verified": "mail"},
	} {
		for key, value := range want {
			if got := b.detailOf(kind, key); !strings.HasPrefix(got, value) || strings.Contains(got, "erik.lind") {
				t.Errorf("%s has %s=%q, want %q", kind, key, got, value)
			}
		}
	}
	b.giveApp(accountOf(path), "app")
	hanna.post(path+"/factor-remove", "reason", "borta", "factor", "app").shows(t, 200, path+"?done=factor-remove")
	hanna.post(path+"/bypass", "reason", "ny telefon").shows(t, 403, path+"/bypass", "nyss tagit bort")
	// Where there is a number, that is where the code goes.
	cecilia := hanna.personPath("cecilia")
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Mail = "cecilia.lind@amido.example" }))
	before := len(box.all())
	hanna.post(cecilia+"/caller", "reason", "ringde in").shows(t, 200, cecilia+"?done=caller", "skickade till personens mobil")
	if len(box.all()) != before {
		t.Error("it went by mail")
	}
}

// detailOf is one fact of the newest event of a kind that went well.
func (b *bench) detailOf(kind, key string) string {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), store.EventFilter{Kind: kind, Result: "ok", Limit: 1})
	b.must(err)
	if len(events) == 0 {
		b.t.Fatalf("no event %s", kind)
	}
	return events[0].Detail[key]
}
