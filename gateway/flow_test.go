package gateway_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/directory/directorytest"
	"stagedoor/gateway"
	"stagedoor/store"
)

const refusal = "Fel användarnamn eller lösenord, eller så är kontot inte tillgängligt."

// The whole way of the seed: an expired password is changed, the new one and a
// code log in, the list shows what the groups allow.
func TestWholeWay(t *testing.T) {
	b := open(t, nil)
	anna := b.browser()
	anna.get("/").shows(t, 200, "/login", "Säkerhet", "Instruktioner och felsökning")
	anna.login(`AMIDO\anna`, "Gammalt-2025").shows(t, 200, "/login", "Ditt lösenord har gått ut.", `href="/password"`)
	anna.get("/password").shows(t, 200, "/password", `value="AMIDO\anna"`, "Minst ")
	changed := anna.post("/password", "username", `AMIDO\anna`, "current", "Gammalt-2025", "new", "Höstlöv-2026!", "confirm", "Höstlöv-2026!")
	changed.shows(t, 200, "/password?changed", "Ditt lösenord har ändrats.", `href="/login"`)
	anna.login(`AMIDO\anna`, "Höstlöv-2026!").shows(t, 200, "/code", "Engångskod (från SMS)", "05")
	anna.post("/code", "code", b.code("+46701740605")).shows(t, 200, "/",
		"XXX.MultiAccess01", "XXX.Stockholm.MultiAccess02", "INSTRUKTIONER OCH HJÄLPVERKTYG", "https://handbook.example/")
	anna.post("/logout").shows(t, 200, "/login?ended=logout", "Du är utloggad.")
	anna.get("/").shows(t, 200, "/login")

	want := []string{
		"login ok password-expired", "password-proof ok password-expired", "password-change begun", "password-change ok",
		"session-end ok password-changed", "login ok", "code-sent ok", "code ok", "session-end ok logout",
	}
	if diff := cmp.Diff(want, b.events()); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
	for _, secret := range []string{"Gammalt-2025", "Höstlöv-2026", b.code("+46701740605")} {
		if strings.Contains(b.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if _, err := b.store.VerifyEvents(t.Context()); err != nil {
		t.Errorf("audit chain: %v", err)
	}
}

func TestMustChange(t *testing.T) {
	b := open(t, nil)
	bertil := b.browser()
	bertil.login("bertil@amido.example", "Tillfalligt-1").shows(t, 200, "/login", "Ditt lösenord har gått ut.")
	bertil.get("/").shows(t, 200, "/password")
}

// Every refusal looks the same, whatever its cause.
func TestRefusalsLookAlike(t *testing.T) {
	b := open(t, nil)
	cases := []struct{ name, user, password string }{
		{"wrong password", `AMIDO\cecilia`, "nej"},
		{"unknown account", `AMIDO\nobody`, "nej"},
		{"disabled account, right password", `AMIDO\david`, goodPassword},
		{"expired account, wrong password", `AMIDO\anna`, "nej"},
		{"other domain", `FOO\cecilia`, goodPassword},
		{"empty password", `AMIDO\cecilia`, ""},
		{"empty name", "", goodPassword},
		{"filter in the name", `AMIDO\*)(objectClass=*)`, goodPassword},
		{"NUL", "AMIDO\\ceci\x00lia", goodPassword},
		{"CR and LF", "AMIDO\\cecilia\r\nX: y", goodPassword},
		{"emoji", `AMIDO\😀`, "😀"},
		{"300 characters", `AMIDO\` + strings.Repeat("a", 300), strings.Repeat("b", 300)},
	}
	var first string
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			browser := b.browser()
			got := browser.login(c.user, c.password)
			got.shows(t, 403, "/login", refusal)
			page := withoutName(got.body)
			if first == "" {
				first = page
			}
			if diff := cmp.Diff(first, page); diff != "" {
				t.Errorf("this refusal looks different (-first +this):\n%s", diff)
			}
			if len(got.header.Values("Set-Cookie")) != 0 {
				t.Errorf("a refusal set a cookie: %q", got.header.Values("Set-Cookie"))
			}
		})
	}
}

// withoutName takes out what the person typed, which the form shows again.
func withoutName(body string) string {
	start := strings.Index(body, `name="username" value="`)
	end := start + strings.Index(body[start:], `" maxlength`)
	return body[:start] + body[end:]
}

func TestLoginThrottle(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.TriesPerAccount = 4 }) // one of them is for browsers that know the account
	stranger := b.browser()
	for i, spelling := range []string{`AMIDO\cecilia`, `amido\CECILIA`, "cecilia@amido.example"} {
		if got := stranger.login(spelling, "wrong"); got.status != 403 {
			t.Fatalf("try %d: %d", i+1, got.status)
		}
	}
	got := stranger.login(`AMIDO\Cecilia`, goodPassword)
	got.shows(t, http.StatusTooManyRequests, "/login", "För många försök. Försök igen om 30 minuter.")
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	stranger.login(`AMIDO\hanna`, goodPassword).shows(t, 200, "/code")
	b.clock.advance(31 * time.Minute)
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
}

func TestCodePage(t *testing.T) {
	b := open(t, nil)
	cecilia := b.browser()
	cecilia.get("/code").shows(t, 200, "/login")
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "07")
	for range 3 {
		cecilia.get("/code").shows(t, 200, "/code")
	}
	if n := len(b.outbox.Messages("+46701740607")); n != 1 {
		t.Fatalf("%d messages after three reloads, want 1", n)
	}
	right := b.code("+46701740607")
	wrong := "000000"
	if wrong == right {
		wrong = "000001"
	}
	cecilia.get("/").shows(t, 200, "/code")
	for left := 4; left >= 1; left-- {
		cecilia.post("/code", "code", wrong).shows(t, 403, "/code", "Fel kod", "Försök kvar: "+string(rune('0'+left)))
	}
	for _, odd := range []string{"", "😀", "\x00", strings.Repeat("1", 300)} {
		got := b.browser()
		got.login(`AMIDO\hanna`, goodPassword)
		if a := got.post("/code", "code", odd); a.status != 403 && a.status != 429 || a.path != "/code" {
			t.Errorf("code %q: %d at %s", odd, a.status, a.path)
		}
	}
	last := cecilia.post("/code", "code", wrong)
	last.shows(t, 403, "/code")
	if a := cecilia.post("/code", "code", right); a.path == "/" {
		t.Fatal("a sixth try was let in")
	}
}

func TestResend(t *testing.T) {
	b := open(t, nil)
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword)
	first := b.code("+46701740607")
	if got := cecilia.post("/code/resend"); got.status != http.StatusTooManyRequests {
		t.Errorf("resend at once: %d", got.status)
	}
	b.clock.advance(61 * time.Second)
	cecilia.post("/code/resend").shows(t, 200, "/code?resent", "en gång till")
	if n, again := len(b.outbox.Messages("+46701740607")), b.code("+46701740607"); n != 2 || again != first {
		t.Fatalf("%d messages, the second code is the first: %v", n, again == first)
	}
	spaced := first[:3] + " " + first[3:]
	cecilia.post("/code", "code", spaced).shows(t, 200, "/")
}

func TestNoUsablePhone(t *testing.T) {
	b := open(t, nil)
	for _, name := range []string{"erik", "frida"} {
		t.Run(name, func(t *testing.T) {
			browser := b.browser()
			browser.login(`AMIDO\`+name, goodPassword).shows(t, 200, "/code", "mobilnummer", "08-465 004 99")
			browser.post("/code", "code", "123456").shows(t, 200, "/code")
			browser.post("/code/resend").shows(t, 200, "/code")
		})
	}
	if n := len(b.outbox.Phones()); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}

func TestPasswordChange(t *testing.T) {
	b := open(t, nil)
	cases := []struct {
		name, user, current, new, confirm string
		status                            int
		says                              string
	}{
		{"empty", `AMIDO\anna`, "", "", "", 422, "Fyll i alla fälten."},
		{"not alike", `AMIDO\anna`, "Gammalt-2025", "Ett-nytt-2026", "Ett-annat-2026", 422, "inte likadana"},
		{"the same", `AMIDO\anna`, "Gammalt-2025", "Gammalt-2025", "Gammalt-2025", 422, "samma som det nuvarande"},
		{"wrong current", `AMIDO\anna`, "nej", "Ett-nytt-2026", "Ett-nytt-2026", 403, "Fel användarnamn eller nuvarande lösenord"},
		{"too short", `AMIDO\anna`, "Gammalt-2025", "Aa1!", "Aa1!", 422, "godtogs inte"},
		{"not expired and not logged in", `AMIDO\cecilia`, goodPassword, "Ett-nytt-2026", "Ett-nytt-2026", 403, "har inte gått ut"},
		{"disabled", `AMIDO\david`, goodPassword, "Ett-nytt-2026", "Ett-nytt-2026", 403, "Fel användarnamn eller nuvarande lösenord"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := b.browser().post("/password", "username", c.user, "current", c.current, "new", c.new, "confirm", c.confirm)
			got.shows(t, c.status, "/password", c.says)
			if strings.Contains(got.body, "Gammalt-2025") || strings.Contains(got.body, "Ett-nytt-2026") {
				t.Error("the page shows a password")
			}
		})
	}
}

// A changed password ends every session of the account.
func TestVoluntaryChangeEndsSessions(t *testing.T) {
	b := open(t, nil)
	here := b.ready()
	b.clock.advance(2 * time.Minute)
	there := b.ready()
	here.post("/password", "username", `AMIDO\cecilia`, "current", goodPassword, "new", "Höstlöv-2026!", "confirm", "Höstlöv-2026!").
		shows(t, 200, "/password?changed", "Ditt lösenord har ändrats.")
	there.get("/").shows(t, 200, "/login", "ditt lösenord har ändrats")
	here.login(`AMIDO\cecilia`, goodPassword).shows(t, 403, "/login")
}

func TestIdleLogout(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	b.clock.advance(14 * time.Minute)
	cecilia.get("/session").shows(t, 200, "/session", `"state":"ready"`, `"idle_left":60`, `"warn":120`)
	cecilia.get("/help").shows(t, 200, "/help")
	b.clock.advance(59 * time.Second)
	cecilia.post("/session/extend").shows(t, 200, "/session/extend", `"idle_left":900`)
	b.clock.advance(14 * time.Minute)
	cecilia.get("/").shows(t, 200, "/", "XXX.MultiAccess01")
	b.clock.advance(15 * time.Minute)
	cecilia.get("/session").shows(t, 401, "/session", `"state":"over"`, `"reason":"idle"`)
	cecilia.get("/").shows(t, 200, "/login", "Du loggades ut efter 15 min")
	cecilia.get("/").shows(t, 200, "/login")
	if !slices.Contains(b.events(), "session-end ok idle") {
		t.Errorf("the idle logout was not audited: %q", b.events())
	}
}

func TestAbsoluteLogout(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	for range 12*6 - 1 {
		b.clock.advance(10 * time.Minute)
		if got := cecilia.post("/session/extend"); got.status != 200 {
			t.Fatalf("extend: %d", got.status)
		}
	}
	b.clock.advance(10 * time.Minute)
	cecilia.get("/session").shows(t, 401, "/session", `"reason":"absolute"`)
}

func TestSessionsPerAccount(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.PerAccount = 2 })
	oldest := b.ready()
	b.clock.advance(2 * time.Minute)
	newer := b.ready()
	b.clock.advance(2 * time.Minute)
	newest := b.ready()
	oldest.get("/").shows(t, 200, "/login", "loggat in på flera andra ställen")
	newer.get("/").shows(t, 200, "/")
	newest.get("/").shows(t, 200, "/")
}

// Somebody whom the directory bars is out within five minutes.
func TestDirectoryRecheck(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Groups = nil }))
	b.clock.advance(5 * time.Minute)
	if got := cecilia.get("/"); strings.Contains(got.body, "XXX.MultiAccess01") || !strings.Contains(got.body, "HJÄLPVERKTYG") {
		t.Errorf("the list does not follow the groups: %s", excerpt(got.body))
	}
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Disabled = true }))
	b.clock.advance(5 * time.Minute)
	cecilia.get("/").shows(t, 200, "/login", "kontot inte längre tillgängligt")
}

func TestTargetsAreHidden(t *testing.T) {
	b := open(t, nil)
	hanna := b.browser()
	hanna.login(`AMIDO\hanna`, goodPassword)
	got := hanna.post("/code", "code", b.code("+46701740609"))
	got.shows(t, 200, "/", "HJÄLPVERKTYG")
	if strings.Contains(got.body, "MultiAccess01") {
		t.Error("hanna sees a target of another group")
	}
	hidden, unknown := hanna.get("/desktop/multiaccess01"), hanna.get("/desktop/no-such")
	if hidden.status != 404 || unknown.status != 404 {
		t.Errorf("hidden %d, unknown %d", hidden.status, unknown.status)
	}
	if a := hanna.get("/tunnel/multiaccess01"); a.status != 404 {
		t.Errorf("tunnel of a hidden target: %d", a.status)
	}
}

func TestBackToTheTarget(t *testing.T) {
	b := open(t, nil)
	cecilia := b.browser()
	cecilia.get("/desktop/multiaccess01").shows(t, 200, "/login?target=multiaccess01", `name="target" value="multiaccess01"`)
	cecilia.post("/login", "username", `AMIDO\cecilia`, "password", goodPassword, "target", "multiaccess01").shows(t, 200, "/code")
	cecilia.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/desktop/multiaccess01", `data-desktops="[{&#34;id&#34;:&#34;multiaccess01&#34;`)
}

func TestTargetListReload(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	read := b.watcher.Changed()
	b.must(os.WriteFile(b.targets, []byte("targets:\n\t- broken"), 0o600))
	<-read
	cecilia.get("/").shows(t, 200, "/", "XXX.MultiAccess01")
	if log := b.log.String(); !strings.Contains(log, b.targets) || !strings.Contains(log, "tab") {
		t.Error("the log does not say what is wrong with the list")
	}
	read = b.watcher.Changed()
	b.must(os.WriteFile(b.targets, []byte(strings.Replace(list, "XXX.MultiAccess01", "XXX.Nytt", 1)), 0o600))
	<-read
	cecilia.get("/").shows(t, 200, "/", "XXX.Nytt")
}

func TestCrossSiteIsRefused(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	got := cecilia.do("POST", "/logout", nil, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	got.shows(t, 403, "/logout")
	cecilia.get("/").shows(t, 200, "/")
}

func TestWrongHost(t *testing.T) {
	b := open(t, nil)
	r, err := http.NewRequestWithContext(t.Context(), "GET", b.server.URL+"/login", nil)
	b.must(err)
	r.Host = "evil.example"
	response, err := http.DefaultClient.Do(r)
	b.must(err)
	response.Body.Close()
	if response.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("got %d", response.StatusCode)
	}
}

func TestTooLargeForm(t *testing.T) {
	b := open(t, nil)
	b.browser().login(`AMIDO\cecilia`, strings.Repeat("x", 9<<10)).shows(t, 413, "/login")
}

func TestUnknownPage(t *testing.T) {
	b := open(t, nil)
	b.browser().get("/no/such").shows(t, 404, "/no/such", "Sidan finns inte")
}

// Whoever logs in twice keeps the code that is on its way; in another browser
// they are told that it is not for there.
func TestLoginTwice(t *testing.T) {
	b := open(t, nil)
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "till numret som slutar på")
	elsewhere := b.browser()
	elsewhere.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "En kod skickades nyss till en annan inloggning")
	cecilia.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/")
}

// An office shares one address: its good logins are no guesses.
func TestAddressLimit(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.TriesPerAddress = 2 })
	for range 4 {
		b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
		b.browser().login(`AMIDO\anna`, "Gammalt-2025").shows(t, 200, "/login", "gått ut")
	}
	b.browser().login(`AMIDO\nobody`, "nej").shows(t, 403, "/login")
	b.browser().login(`AMIDO\cecilia`, "nej").shows(t, 403, "/login")
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 429, "/login")
}

// An IPv6 client is its /64 network: it has all the addresses in it.
func TestAddressLimitOfANetwork(t *testing.T) {
	b := open(t, func(s *gateway.Settings) {
		s.TriesPerAddress = 2
		s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	try := func(address string) int {
		form := url.Values{"username": {`AMIDO\nobody` + rand.Text()}, "password": {"nej"}}
		return b.browser().do("POST", "/login", form, "X-Forwarded-For", address).status
	}
	for i, want := range []int{403, 403, 429, 429} {
		if got := try(fmt.Sprintf("2001:db8::%x", i+1)); got != want {
			t.Errorf("try %d from its network: %d, want %d", i, got, want)
		}
	}
	for _, elsewhere := range []string{"2001:db8:0:1::1", "192.0.2.1", "192.0.2.2"} {
		if got := try(elsewhere); got != 403 {
			t.Errorf("from %s: %d", elsewhere, got)
		}
	}
}

// The directory counts wrong tries until there has been none for half an hour: so
// does the portal, even where its own window is shorter.
func TestTriesThatAreSpreadOut(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.TriesPerAccount, s.TriesWindow = 3, time.Minute }) // of which one is for known browsers
	try := func(status int) {
		t.Helper()
		b.browser().login(`AMIDO\cecilia`, "nej").shows(t, status, "/login")
	}
	try(403)
	b.clock.advance(29 * time.Minute)
	try(403)
	b.clock.advance(2 * time.Minute)
	try(429)
	b.clock.advance(28*time.Minute + time.Second)
	try(403)
}

// What costs a stranger no counted try does not fill the audit; it keeps the first
// ones, and the log has all.
func TestThrottledLoginsDoNotFillTheAudit(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.TriesPerAddress = 1 })
	b.browser().login(`AMIDO\nobody`, "nej").shows(t, 403, "/login")
	for range 40 {
		b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 429, "/login")
	}
	events, err := b.store.Events(t.Context(), store.EventFilter{Kind: "login", Result: "refused", Limit: 100})
	b.must(err)
	if len(events) != 31 || events[0].Reason != "address-throttled" || events[0].Name != `AMIDO\cecilia` {
		t.Errorf("%d events, the newest %+v", len(events), events[0])
	}
	if n := strings.Count(b.log.String(), "not in the audit"); n != 10 {
		t.Errorf("the log tells of %d more", n)
	}
}

// A login tried in somebody else's browser is audited under the name that was
// typed, and a refusal of a known account with its id.
func TestAuditNamesWhoWasTyped(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	cecilia.login(`AMIDO\hanna`, "nej").shows(t, 403, "/login")
	cecilia.login(`AMIDO\nobody`, "nej").shows(t, 403, "/login")
	events, err := b.store.Events(t.Context(), store.EventFilter{Kind: "login", Result: "refused"})
	b.must(err)
	if len(events) != 2 || events[0].Name != `AMIDO\nobody` || events[1].Name != `AMIDO\hanna` {
		t.Fatalf("audited: %+v", events)
	}
	own, err := b.store.Events(t.Context(), store.EventFilter{Kind: "code", Result: "ok"})
	b.must(err)
	if events[0].AccountID != "" || events[1].AccountID == "" || events[1].AccountID == own[0].AccountID {
		t.Errorf("accounts: nobody %q, hanna %q, cecilia %q", events[0].AccountID, events[1].AccountID, own[0].AccountID)
	}
}

// Documents: a PDF is shown, all else saved, and neither can act as a page of
// the portal's; hidden and missing ones are not found.
func TestDocuments(t *testing.T) {
	b := open(t, nil)
	dir := t.TempDir()
	for name, text := range map[string]string{"hjälp.pdf": "%PDF-1.4", "page.html": "<script>alert(1)</script>"} {
		b.must(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	read := b.watcher.Changed()
	b.must(os.WriteFile(b.targets, []byte(`targets:
  - {id: pdf, name: P, kind: document, file: `+dir+`/hjälp.pdf, visible_to: everyone}
  - {id: html, name: H, kind: document, file: `+dir+`/page.html, visible_to: everyone}
  - {id: hidden, name: X, kind: document, file: `+dir+`/page.html, visible_to: ["AMIDO\\Helpdesk"]}
`), 0o600))
	<-read
	b.must(b.watcher.Err())
	cecilia := b.loggedIn()
	for id, disposition := range map[string]string{"pdf": "inline", "html": "attachment"} {
		got := cecilia.get("/document/" + id)
		got.shows(t, 200, "/document/"+id)
		if !strings.HasPrefix(got.header.Get("Content-Disposition"), disposition+";") {
			t.Errorf("%s: Content-Disposition %q", id, got.header.Get("Content-Disposition"))
		}
		if !strings.HasPrefix(got.header.Get("Content-Security-Policy"), "sandbox;") {
			t.Errorf("%s is not sandboxed", id)
		}
	}
	cecilia.get("/document/hidden").shows(t, 404, "/document/hidden")
	b.must(os.Remove(filepath.Join(dir, "hjälp.pdf")))
	cecilia.get("/document/pdf").shows(t, 404, "/document/pdf", "Sidan finns inte")
	b.browser().get("/document/html").shows(t, 200, "/login?target=html")
}
