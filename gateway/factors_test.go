package gateway_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"stagedoor/gateway"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

var everything = []factor.Kind{factor.SMS, factor.App, factor.Backup}

// under opens a bench with one rule for everybody.
func under(t *testing.T, rule factor.Rule) *bench {
	t.Helper()
	if rule.Allowed == nil {
		rule.Allowed = everything
	}
	return open(t, func(s *gateway.Settings) { s.Factors = factor.Policy{rule} })
}

var (
	shownSecret = regexp.MustCompile(`<code translate="no">([A-Z2-7 ]+)</code>`)
	shownCodes  = regexp.MustCompile(`<code translate="no">([0-9A-Z]{5}-[0-9A-Z]{5})</code>`)
	shownID     = regexp.MustCompile(`name="id" value="([^"]+)"`)
)

// app is what the person's phone has after the page of a new app was shown.
type app struct {
	*bench
	secret string
}

func (b *bench) scan(page answer) app {
	b.t.Helper()
	found := shownSecret.FindStringSubmatch(page.body)
	if found == nil {
		b.t.Fatalf("no secret at %s: %s", page.path, excerpt(page.body))
	}
	return app{b, strings.ReplaceAll(found[1], " ", "")}
}

func (a app) code() string {
	a.t.Helper()
	code, err := totp.GenerateCode(a.secret, a.clock.Now())
	a.must(err)
	return code
}

// codesTo counts the codes that were sent to a number; notices go there too.
func (b *bench) codesTo(phone otp.Phone) (n int) {
	for _, m := range b.outbox.Messages(phone) {
		if sixDigits.MatchString(m.Text) {
			n++
		}
	}
	return n
}

// An app is added by somebody who has just logged in, asked for at the next
// login, and a code by SMS is another way.
func TestAuthenticatorApp(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	page := cecilia.get("/account/app")
	page.shows(t, 200, "/account/app", "data:image/png;base64,")
	if page.header.Get("Content-Encoding") != "" || page.header.Get("Cache-Control") != "no-store" {
		t.Error("a page with a secret was packed, or may be kept")
	}
	phone := b.scan(page)
	if again := b.scan(cecilia.get("/account/app")); again.secret != phone.secret {
		t.Error("loading the page again shows another secret")
	}
	cecilia.post("/account/app", "code", "12").shows(t, 403, "/account/app", "Fel kod", phone.secret[:4])
	cecilia.post("/account/app", "code", phone.code(), "name", "Min telefon").shows(t, 200, "/account?saved", "Min telefon", "Ändringen är sparad")
	cecilia.post("/logout")
	sent := b.codesTo("+46701740607")

	b.clock.advance(2 * time.Minute)
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code/app", "Amido Alliera Backstage")
	cecilia.get("/code").shows(t, 200, "/code/app")
	cecilia.post("/code/app", "code", "000000").shows(t, 403, "/code/app", "Fel kod")
	used := phone.code()
	cecilia.post("/code/app", "code", used).shows(t, 200, "/")
	if n := b.codesTo("+46701740607"); n != sent {
		t.Errorf("%d messages for a login with the app", n-sent)
	}
	elsewhere := b.browser()
	elsewhere.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code/app")
	elsewhere.post("/code/app", "code", used).shows(t, 403, "/code/app", "en gång")
	elsewhere.get("/code/other").shows(t, 200, "/code/other", "Autentiseringsapp", "•• 07")
	elsewhere.post("/code/other", "way", "telepathy").shows(t, 200, "/code/other")
	elsewhere.post("/code/other", "way", "sms").shows(t, 200, "/code", "till numret som slutar på")
	elsewhere.post("/code/other", "way", "sms").shows(t, 200, "/code")
	if n := b.codesTo("+46701740607"); n != sent+1 {
		t.Errorf("%d messages after asking for one", n-sent)
	}
	elsewhere.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/")
	if events := b.events(); !slices.Contains(events, "factor ok") || !slices.Contains(events, "factor refused wrong") || !slices.Contains(events, "factor-add ok") {
		t.Errorf("audit: %q", events)
	}
	if log := b.log.String(); strings.Contains(log, phone.secret) || strings.Contains(log, used) {
		t.Error("the log holds a secret")
	}
	elsewhere.post("/account/remove", "id", shownID.FindStringSubmatch(elsewhere.get("/account").body)[1]).shows(t, 200, "/account?saved", "Inget är tillagt")
	b.clock.advance(2 * time.Minute)
	elsewhere.post("/logout")
	elsewhere.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
}

// Wrong codes lock the account for all kinds: a code by SMS as well.
func TestWrongCodesOfEveryKindLock(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	phone := b.scan(cecilia.get("/account/app"))
	cecilia.post("/account/app", "code", phone.code()).shows(t, 200, "/account?saved")
	b.clock.advance(2 * time.Minute)
	thief := b.browser()
	thief.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code/app")
	for range 5 {
		thief.post("/code/app", "code", "000000").shows(t, 403, "/code/app")
		thief.post("/code/backup", "code", "00000-00000").shows(t, 403, "/code/backup", "Fel kod")
	}
	got := thief.post("/code/app", "code", phone.code())
	got.shows(t, 429, "/code/app", "15 minuter")
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	thief.post("/code/other", "way", "sms").shows(t, 200, "/code", "15 minuter")
}

// An account that wrong codes have closed until helpdesk opens it says so, on every
// page that asks for a code; a time that would pass by itself it does not name.
func TestBlockedSaysWhoOpensIt(t *testing.T) {
	b := open(t, nil)
	b.codes.LockAfter, b.codes.Stop = 2, 2
	anna := b.browser()
	anna.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "•• 07")
	for range 2 {
		anna.post("/code", "code", "000000")
	}
	for _, page := range []answer{anna.post("/code", "code", b.code("+46701740607")), anna.post("/code/resend")} {
		page.shows(t, 429, page.path, "Kontot är spärrat", "Kontakta Amido")
		if strings.Contains(page.body, "minut") || strings.Contains(page.body, `name="code"`) {
			t.Errorf("%s", page.body)
		}
	}
	again := b.browser()
	b.clock.advance(time.Hour)
	again.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "Kontot är spärrat")
}

// Before the date people are invited; from its midnight on they must.
func TestFromADate(t *testing.T) {
	now := time.Now()
	date := time.Date(now.Year(), now.Month(), now.Day()+2, 0, 0, 0, 0, time.Local)
	b := under(t, factor.Rule{Need: factor.Required, From: date, Enrol: []factor.Kind{factor.App}})
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/", "behöver du en kod", `href="/enrol"`, "INSTRUKTIONER")
	erik.get("/enrol").shows(t, 200, "/enrol", "Från och med", `href="/account/app"`, "Gör det senare")
	erik.post("/enrol").shows(t, 200, "/")
	people, err := b.store.FindPeople(t.Context(), "ERIK", 10)
	b.must(err)
	if len(people) != 1 || people[0].Policy != "voluntary" || !people[0].PolicyFrom.Equal(date) || len(people[0].Factors) != 0 || people[0].LastLogin.IsZero() {
		t.Errorf("people: %+v", people)
	}
	erik.post("/logout")
	cecilia := b.browser() // has a number, and is asked for a code as before
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")

	b.clock.advance(date.Sub(b.clock.Now()))
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/enrol", "Innan du kommer vidare", `href="/account/app"`)
	for _, path := range []string{"/", "/account", "/code", "/desktop/multiaccess01", "/again"} {
		erik.get(path).shows(t, 200, "/enrol")
	}
	erik.post("/enrol").shows(t, 200, "/enrol")
	erik.get("/account/key").shows(t, 200, "/enrol")
	phone := b.scan(erik.get("/account/app"))
	erik.post("/account/app", "code", phone.code()).shows(t, 200, "/", "INSTRUKTIONER")
	erik.post("/logout")
	b.clock.advance(time.Minute)
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code/app")
	erik.post("/code/app", "code", phone.code()).shows(t, 200, "/")
}

// A rule that takes no more SMS from a date on: until then the number is asked for
// as before, its owner is invited to something else and is asked for that once
// they have it; from the date on the number opens nothing.
func TestFromADateWithoutSMS(t *testing.T) {
	now := time.Now()
	date := time.Date(now.Year(), now.Month(), now.Day()+2, 0, 0, 0, 0, time.Local)
	b := under(t, factor.Rule{Allowed: []factor.Kind{factor.App}, Need: factor.Required, From: date, Enrol: []factor.Kind{factor.App}})
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	cecilia.get("/").shows(t, 200, "/code")
	cecilia.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/", "räcker inte det sätt som du loggar in med nu", `href="/enrol"`)
	cecilia.get("/account").shows(t, 200, "/account", "räcker inte det sätt")
	page := cecilia.get("/enrol")
	page.shows(t, 200, "/enrol", "räcker inte det sätt", `href="/account/app"`, "Gör det senare")
	if strings.Contains(page.body, `href="/phone"`) {
		t.Error("a number is offered, which will not count")
	}
	hanna := b.as("hanna", "+46701740609") // who helps: never without
	hanna.get("/").shows(t, 200, "/", "räcker inte det sätt")
	hanna.get(hanna.personPath("cecilia")).shows(t, 200, hanna.personPath("cecilia"), "Krävs från")
	hanna.get("/helpdesk/enrolment").shows(t, 200, "/helpdesk/enrolment", `AMIDO\cecilia`, "2 senare, de första från", "Den som aldrig har loggat in")

	phone := b.scan(hanna.get("/account/app"))
	hanna.post("/account/app", "code", phone.code()).shows(t, 200, "/account?saved")
	for _, path := range []string{"/", "/account"} {
		if strings.Contains(hanna.get(path).body, "räcker inte") {
			t.Errorf("%s: hanna is invited to what she has", path)
		}
	}
	b.clock.advance(time.Minute)
	second := b.browser()
	second.login(`AMIDO\hanna`, goodPassword).shows(t, 200, "/code/app")
	second.post("/code/app", "code", phone.code()).shows(t, 200, "/")

	b.clock.advance(date.Sub(b.clock.Now()))
	later := b.browser()
	later.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/enrol", "Innan du kommer vidare", `href="/account/app"`)
	if strings.Contains(later.get("/enrol").body, `href="/phone"`) {
		t.Error("a number is offered, which does not count")
	}
}

func TestPolicyOff(t *testing.T) {
	b := under(t, factor.Rule{Need: factor.Off})
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/", "XXX.MultiAccess01")
	if n := len(b.outbox.Phones()); n != 0 {
		t.Errorf("%d numbers got a code", n)
	}
	if !slices.Contains(b.events(), "factor ok off") {
		t.Errorf("audit: %q", b.events())
	}
	b.clock.advance(14 * time.Minute)
	cecilia.get("/").shows(t, 200, "/")
	b.clock.advance(14 * time.Minute)
	cecilia.get("/").shows(t, 200, "/") // a whole session, not one that waits for a code
}

// Whom helpdesk gives a bypass code is in, once, and can set up what they lack;
// it is no proof for anything else.
func TestBypassCode(t *testing.T) {
	b := open(t, nil)
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code", "inget mobilnummer", `href="/code/other"`)
	erik.get("/code/other").shows(t, 200, "/code/other", "Kod från Amido", `href="/code/backup"`)
	people, err := b.store.FindPeople(t.Context(), "erik", 10)
	b.must(err)
	factors, err := factor.New(factor.Options{Store: b.store, Key: b.codes.Key, Portal: "x", Now: b.clock.Now})
	b.must(err)
	issue := func() string {
		code, _, err := factors.IssueBypass(t.Context(), people[0].AccountID, "agent", store.Trace{})
		b.must(err)
		return code
	}
	code := issue()
	erik.post("/code/backup", "code", "AAAAA-AAAAA").shows(t, 403, "/code/backup", "Fel kod")
	erik.post("/code/backup", "code", strings.ToLower(code)).shows(t, 200, "/enrol", "Gör det senare")
	erik.post("/enrol").shows(t, 200, "/", "INSTRUKTIONER")
	erik.get("/account/app").shows(t, 200, "/again?to=%2Faccount%2Fapp")
	again := erik.post("/again", "to", "/account/app", "password", goodPassword)
	again.shows(t, 200, "/code", "inget mobilnummer")
	erik.post("/code/backup", "code", issue()).shows(t, 403, "/code/backup", "Fel kod")
	erik.get("/").shows(t, 200, "/")

	other := b.browser()
	other.login(`AMIDO\erik`, goodPassword)
	other.post("/code/backup", "code", code).shows(t, 403, "/code/backup")
	other.post("/code/backup", "code", issue()).shows(t, 200, "/enrol")
	phone := b.scan(other.get("/account/app"))
	other.post("/account/app", "code", phone.code()).shows(t, 200, "/")
	other.get("/account/app").shows(t, 200, "/account/app")
	if events := b.events(); !slices.Contains(events, "bypass ok") {
		t.Errorf("audit: %q", events)
	}
}

func TestBackupCodes(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	page := cecilia.post("/account/backup")
	page.shows(t, 200, "/account/backup", `AMIDO\cecilia`)
	codes := shownCodes.FindAllStringSubmatch(page.body, -1)
	if len(codes) != 10 || page.header.Get("Content-Encoding") != "" {
		t.Fatalf("%d codes, packed %q", len(codes), page.header.Get("Content-Encoding"))
	}
	cecilia.get("/account").shows(t, 200, "/account", "10 koder är kvar")
	b.clock.advance(time.Minute)
	other := b.browser()
	other.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	other.post("/code/backup", "code", codes[3][1]).shows(t, 200, "/")
	other.get("/account").shows(t, 200, "/account", "9 koder är kvar")
	third := b.browser()
	third.login(`AMIDO\cecilia`, goodPassword)
	third.post("/code/backup", "code", codes[3][1]).shows(t, 403, "/code/backup", "använts redan")
}

func TestRememberedDevice(t *testing.T) {
	b := under(t, factor.Rule{Need: factor.Required, Remember: 30 * 24 * time.Hour})
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "i 30 dagar")
	cecilia.post("/code", "code", b.code("+46701740607"), "remember", "1").shows(t, 200, "/")
	cecilia.get("/account").shows(t, 200, "/account", "Webbläsare som vi kommer ihåg")
	cecilia.post("/logout")
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/", "XXX.MultiAccess01")
	cecilia.get("/account/app").shows(t, 200, "/again?to=%2Faccount%2Fapp") // no proof of anything else
	if !slices.Contains(b.events(), "factor ok remembered") {
		t.Errorf("audit: %q", b.events())
	}
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	cecilia.post("/logout")
	cecilia.login(`AMIDO\hanna`, goodPassword).shows(t, 200, "/code") // another account in the same browser
	cecilia.post("/logout")
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/")
	cecilia.post("/account/device", "id", shownID.FindStringSubmatch(cecilia.get("/account").body)[1]).shows(t, 200, "/account?saved")
	cecilia.post("/logout")
	b.clock.advance(2 * time.Minute)
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	cecilia.post("/code", "code", b.code("+46701740607"), "remember", "1").shows(t, 200, "/")
	cecilia.post("/password", "username", `AMIDO\cecilia`, "current", goodPassword, "new", "Höstlöv-2026!", "confirm", "Höstlöv-2026!").
		shows(t, 200, "/password?changed")
	b.clock.advance(2 * time.Minute)
	cecilia.login(`AMIDO\cecilia`, "Höstlöv-2026!").shows(t, 200, "/code") // a new password forgets devices
}

// A remembered browser stands for a factor that its person has: once the policy
// takes none of theirs, they must set one up there too.
func TestRememberedDeviceWithoutAFactor(t *testing.T) {
	for name, c := range map[string]struct {
		enrol []factor.Kind
		page  string
	}{
		"may enrol":        {[]factor.Kind{factor.App}, "/enrol"},
		"helpdesk's to do": {nil, "/code"},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			date := time.Date(now.Year(), now.Month(), now.Day()+2, 0, 0, 0, 0, time.Local)
			b := open(t, func(s *gateway.Settings) {
				s.Factors = factor.Policy{
					{Allowed: []factor.Kind{factor.App}, Need: factor.Required, From: date, Enrol: c.enrol, Remember: 30 * 24 * time.Hour},
					{Allowed: everything, Need: factor.Required, Remember: 30 * 24 * time.Hour},
				}
			})
			cecilia := b.browser()
			cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "i 30 dagar")
			cecilia.post("/code", "code", b.code("+46701740607"), "remember", "1").shows(t, 200, "/")
			cecilia.post("/logout")
			cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/", "XXX.MultiAccess01")
			cecilia.post("/logout")
			b.clock.advance(date.Sub(b.clock.Now()))
			cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, c.page)
			cecilia.get("/").shows(t, 200, c.page)
		})
	}
}

// What changes who can log in asks for password and second factor again, and
// comes back; the session goes on under a new secret.
func TestAgain(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	before := cecilia.cookies()
	b.clock.advance(11 * time.Minute)
	cecilia.get("/account/app").shows(t, 200, "/again?to=%2Faccount%2Fapp", `value="AMIDO\cecilia"`)
	cecilia.get("/code").shows(t, 200, "/") // nothing is asked for before the password
	cecilia.post("/again", "to", "/account/app", "password", "nej").shows(t, 403, "/again", "Fel lösenord")
	cecilia.post("/again", "to", "/account/app").shows(t, 403, "/again")
	cecilia.post("/again", "to", "/account/app", "password", goodPassword).shows(t, 200, "/code", "Tillbaka till listan")
	cecilia.get("/account/app").shows(t, 200, "/again?to=%2Faccount%2Fapp") // the password alone is not enough
	cecilia.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/account/app", "data:image/png")
	after := cecilia.cookies()
	value := func(cookies []*http.Cookie) string {
		i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == "stagedoor" })
		return cookies[i].Value
	}
	id, secret, _ := strings.Cut(value(before), ".")
	newID, newSecret, _ := strings.Cut(value(after), ".")
	if id != newID || secret == newSecret {
		t.Errorf("the session is the same: %v; its secret is: %v", id == newID, secret == newSecret)
	}
	if events := b.events(); !slices.Contains(events, "again ok") || !slices.Contains(events, "again-password refused wrong-password") && !slices.ContainsFunc(events, func(e string) bool { return strings.HasPrefix(e, "again-password refused") }) {
		t.Errorf("audit: %q", events)
	}
	if _, err := b.store.VerifyEvents(t.Context()); err != nil {
		t.Error(err)
	}
	// A proof that was begun and left is over after ten minutes.
	b.clock.advance(11 * time.Minute)
	cecilia.post("/again", "to", "/account/app", "password", goodPassword).shows(t, 200, "/code")
	b.clock.advance(11 * time.Minute)
	cecilia.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/")
}

// Wrong passwords at /again count as those of a login do.
func TestAgainIsThrottled(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.TriesPerAccount = 2 })
	cecilia := b.ready()
	for range 2 {
		cecilia.post("/again", "password", "nej").shows(t, 403, "/again")
	}
	cecilia.post("/again", "password", goodPassword).shows(t, 429, "/again", "För många försök")
}

// Whose policy needs no factor and who has none proves the password alone.
func TestAgainWithoutFactor(t *testing.T) {
	b := under(t, factor.Rule{Need: factor.Voluntary})
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/", "Skydda ditt konto")
	erik.get("/account/app").shows(t, 200, "/again?to=%2Faccount%2Fapp")
	erik.post("/again", "to", "/account/app", "password", goodPassword).shows(t, 200, "/account/app", "data:image/png")
}

// Only paths of the portal itself are gone to.
func TestAgainGoesNowhereElse(t *testing.T) {
	b := under(t, factor.Rule{Need: factor.Off, Allowed: []factor.Kind{factor.App}})
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/")
	for to, want := range map[string]string{
		"https://evil.example/": "/", "//evil.example/": "/", `/\evil.example/`: "/", "javascript:alert(1)": "/", "evil.example": "/", "": "/",
		"/%2f/evil.example": "/", "/\t/evil.example": "/", "/%5cevil.example": "/", "/account?saved": "/account?saved", "/" + strings.Repeat("x", 600): "/",
	} {
		erik.get("/again?to="+url.QueryEscape(to)).shows(t, 200, "/again?to="+url.QueryEscape(to))
		if got := erik.post("/again", "to", to, "password", goodPassword); got.path != want {
			t.Errorf("%q leads to %s", to, got.path)
		}
	}
}

// Helpdesk needs a factor of its own whatever the policy says, and the password
// alone does not open its pages.
func TestHelpdeskNeedsAFactor(t *testing.T) {
	b := open(t, func(s *gateway.Settings) {
		s.HelpdeskGroups = []string{`AMIDO\Helpdesk`}
		s.Factors = factor.Policy{{Need: factor.Off, Allowed: everything, Remember: time.Hour}}
	})
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/")
	hanna := b.browser()
	hanna.login(`AMIDO\hanna`, goodPassword).shows(t, 200, "/code")
	if page := hanna.get("/code"); strings.Contains(page.body, `name="remember"`) {
		t.Error("a browser of helpdesk's may be remembered")
	}
	hanna.post("/code", "code", b.code("+46701740609")).shows(t, 200, "/")
}

func TestOwnSessions(t *testing.T) {
	b := open(t, nil)
	here := b.ready()
	b.clock.advance(2 * time.Minute)
	there := b.ready()
	ids := shownID.FindAllStringSubmatch(here.get("/account").body, -1)
	if len(ids) != 1 {
		t.Fatalf("%d sessions can be ended, want the other one", len(ids))
	}
	hanna := b.as("hanna", "+46701740609")
	hanna.post("/account/session", "id", ids[0][1]).shows(t, 200, "/account?saved")
	there.get("/").shows(t, 200, "/") // somebody else's is not one's own
	here.post("/account/session", "id", ids[0][1]).shows(t, 200, "/account?saved")
	there.get("/").shows(t, 200, "/login")
	here.get("/").shows(t, 200, "/")
	own, err := b.store.Events(t.Context(), store.EventFilter{Kind: "session-end"})
	b.must(err)
	if len(own) != 1 || !strings.HasSuffix(own[0].Name, `\cecilia`) {
		t.Errorf("audit: %+v", own)
	}
}
