package gateway_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"stagedoor/gateway"
	"stagedoor/gateway/factor"
	"stagedoor/store"
)

var bypassForm = regexp.MustCompile(`<strong class="id">([0-9A-Z]{5}-[0-9A-Z]{5})</strong>`)

// bypass has an agent give out a one-time code, and returns it.
func (b *browser) bypass(path string, fields ...string) string {
	b.t.Helper()
	page := b.post(path+"/bypass", append([]string{"reason", "tappat mobilen"}, fields...)...)
	code := bypassForm.FindStringSubmatch(page.body)
	if code == nil {
		b.t.Fatalf("no code: %d %s", page.status, excerpt(page.body))
	}
	return code[1]
}

// entersBy is where somebody is who has logged in with a one-time code.
func (b *bench) entersBy(name, code string) answer {
	b.t.Helper()
	browser := b.browser()
	browser.login(`AMIDO\`+name, goodPassword)
	return browser.post("/code/backup", "code", code)
}

// One agent and a stolen password are not enough to put another phone in the
// place of a factor: who has removed it vouches for nobody there, enters no number
// at once, and the codes they gave out before are void.
func TestOneAgentReplacesNoFactor(t *testing.T) {
	b := open(t, nil)
	hanna, ada := b.as("hanna", "+46701740609"), b.as("ada", "+46701740610")
	erik := hanna.personPath("erik")
	b.giveApp(accountOf(erik), "app")
	early := hanna.bypass(erik, "known", "yes")
	hanna.post(erik+"/factor-remove", "reason", "tappat mobilen", "factor", "app").shows(t, 200, erik+"?done=factor-remove")
	if in := b.entersBy("erik", early); in.status != 403 {
		t.Errorf("a code from before the removal leads to %s", in.path)
	}
	hanna.post(erik+"/bypass", "reason", "tappat mobilen", "known", "yes").shows(t, 403, erik+"/bypass", "låt en annan handläggare ge engångskoden")
	hanna.post(erik+"/number", "reason", "ny mobil", "number", "070-174 06 22").shows(t, 200, erik+"?done=number", "Byte av nummer väntar")
	hanna.post(erik+"/change-cancel", "reason", "fel nummer", "change", hanna.waitingChange(erik)).shows(t, 200, erik+"?done=change-cancel")
	b.entersBy("erik", ada.bypass(erik, "known", "yes")).shows(t, 200, "/enrol", "Autentiseringsapp")

	b.clock.advance(25 * time.Hour)
	hanna = b.as("hanna", "+46701740609")
	hanna.bypass(erik, "known", "yes")
}

// Who reads the code back from their phone needs no second agent.
func TestVerifiedCallerNeedsNoSecondAgent(t *testing.T) {
	b, hanna := openDesk(t)
	cecilia := hanna.personPath("cecilia")
	b.giveApp(accountOf(cecilia), "app")
	hanna.post(cecilia+"/factor-remove", "reason", "ny telefon", "factor", "app").shows(t, 200, cecilia+"?done=factor-remove")
	hanna.post(cecilia+"/caller", "reason", "ringde in").shows(t, 200, cecilia+"?done=caller")
	hanna.post(cecilia+"/caller-code", "code", b.code("+46701740607")).shows(t, 200, cecilia+"?done=caller-code")
	hanna.bypass(cecilia)
}

// Where the policy lets people without a factor set one up with their password,
// that does not hold of those whom helpdesk has just made such people.
func TestRemovalOpensNoEnrolment(t *testing.T) {
	b := open(t, func(s *gateway.Settings) {
		s.Factors = factor.Policy{{Need: factor.Required, Allowed: []factor.Kind{factor.App, factor.SMS}, Enrol: []factor.Kind{factor.App}}}
		s.Phones.SelfEnrol = true
	})
	hanna := b.as("hanna", "+46701740609")
	erik := hanna.personPath("erik")
	b.giveApp(accountOf(erik), "app")
	hanna.post(erik+"/factor-remove", "reason", "tappat mobilen", "factor", "app").shows(t, 200, erik+"?done=factor-remove")
	b.browser().login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code")
	b.clock.advance(25 * time.Hour)
	b.browser().login(`AMIDO\erik`, goodPassword).shows(t, 200, "/enrol")
}

// Helpdesk sees of somebody without a number what their own login would say: where
// they may give one themselves, that stops nobody.
func TestHelpdeskSeesWhoEnrolsThemselves(t *testing.T) {
	must, none := "Måste ställa in ett andra steg vid inloggningen", "Har inget mobilnummer"
	sees := func(b *bench, who, want, not string) {
		t.Helper()
		hanna := b.as("hanna", "+46701740609")
		page := hanna.get(hanna.personPath(who))
		if !strings.Contains(page.body, want) || strings.Contains(page.body, not) {
			t.Errorf("%s: not %q, or %q: %s", who, want, not, excerpt(page.body))
		}
	}
	b := open(t, selfEnrol)
	sees(b, "erik", must, none)
	b.browser().login(`AMIDO\erik`, goodPassword).shows(t, 200, "/phone")
	b = open(t, selfEnrol)
	sees(b, "ivar", none, must) // who helps others
	sees(open(t, nil), "erik", none, must)
}

// A first number beside other factors waits, as another number does: the person
// sees it where they come by, says no to it or has it confirmed by a second agent.
// An account with nothing at all gets its number at once (TestHelpdeskNumber).
func TestFirstNumberBesideOtherFactorsWaits(t *testing.T) {
	b := open(t, nil)
	hanna, ada := b.as("hanna", "+46701740609"), b.as("ada", "+46701740610")
	path := hanna.personPath("erik")
	factors, err := factor.New(factor.Options{Store: b.store, Key: b.codes.Key, Portal: "x", Now: b.clock.Now})
	b.must(err)
	codes, err := factors.MakeBackup(t.Context(), accountOf(path), store.Trace{})
	b.must(err)
	ask := func() {
		t.Helper()
		hanna.post(path+"/number", "reason", "ny mobil", "number", "070-174 06 22").shows(t, 200, path+"?done=number", "Byte av nummer väntar", "••• 0622", "gäller från")
	}
	ask()
	b.awaitText("+46701740622", "helpdesk vill skriva in ett mobilnummer som slutar på 22 på ditt konto")
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code/backup")
	const waits = `skrivit in ett mobilnummer åt dig som slutar på •• 22`
	erik.post("/code/backup", "code", codes[0]).shows(t, 200, "/", waits)
	erik.get("/account").shows(t, 200, "/account", waits)
	erik.get("/phone").shows(t, 200, "/phone", "Helpdesk vill att koder ska gå till ett nummer som slutar på •• 22", "Nej, skriv inte in numret")
	if answer := erik.post("/phone", "act", "withdraw"); strings.Contains(answer.body, "•• 22") {
		t.Errorf("it waits still: %s", excerpt(answer.body))
	}
	if strings.Contains(erik.get("/").body, waits) {
		t.Error("the list tells of a number that was refused")
	}
	b.browser().login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code/backup")

	ask()
	ada.post(path+"/change-confirm", "reason", "har ringt upp honom", "change", ada.waitingChange(path)).shows(t, 200, path+"?done=change-confirm", "Det nya numret gäller nu")
	if strings.Contains(erik.get("/").body, waits) {
		t.Error("the list says of a number in force that it waits")
	}
	erik.get("/phone").shows(t, 200, "/phone", "•• 22")
}

// The second agent confirms the change that they have seen. When another one waits
// since, neither it nor a form that names none is taken, and the page shows what
// waits now; a form about what waits no more does nothing either.
func TestSecondAgentConfirmsWhatTheySaw(t *testing.T) {
	b := open(t, nil)
	hanna, ada := b.as("hanna", "+46701740609"), b.as("ada", "+46701740610")
	path := hanna.personPath("cecilia")
	hanna.post(path+"/number", "reason", "bytt telefon", "number", "070-174 06 33").shows(t, 200, path+"?done=number")
	seen := ada.waitingChange(path)
	hanna.post(path+"/change-cancel", "reason", "skrev fel", "change", seen).shows(t, 200, path+"?done=change-cancel")
	ada.post(path+"/change-confirm", "reason", "har ringt upp henne", "change", seen).shows(t, 409, path+"/change-confirm", "Det fanns ingenting att göra")
	hanna.post(path+"/number", "reason", "bytt telefon", "number", "070-174 06 44").shows(t, 200, path+"?done=number")
	other := ada.waitingChange(path)
	for _, act := range []string{"change-confirm", "change-cancel"} {
		for _, change := range []string{seen, ""} {
			ada.post(path+"/"+act, "reason", "har ringt upp henne", "change", change).
				shows(t, 409, path+"/"+act, "Det är ett annat byte som väntar nu", "••• 0644", `value="`+other+`"`)
		}
	}
	waits, err := b.store.PendingChange(t.Context(), accountOf(path))
	if err != nil || waits.ID != other || waits.New != "+46701740644" {
		t.Errorf("%+v waits, %v", waits, err)
	}
	if own, err := b.store.Number(t.Context(), accountOf(path)); err != nil || own.Phone != "" {
		t.Errorf("codes go to %q, %v", own.Phone, err)
	}
	for _, kind := range []string{"phone-change-confirm", "phone-change-cancel"} {
		events, err := b.store.Events(t.Context(), store.EventFilter{Kind: kind, Result: "refused"})
		b.must(err)
		if len(events) < 2 || events[0].Reason != "other-change" {
			t.Errorf("%s: %+v", kind, events)
		}
	}
	ada.post(path+"/change-confirm", "reason", "har ringt upp henne", "change", other).shows(t, 200, path+"?done=change-confirm")
}
