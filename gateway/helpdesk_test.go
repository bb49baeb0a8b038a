package gateway_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stagedoor/directory/directorytest"
	"stagedoor/gateway"
	"stagedoor/otp"
	"stagedoor/store"
)

// withDesk makes hanna an agent.
func withDesk(s *gateway.Settings) {
	s.HelpdeskGroups, s.AdministratorGroups = []string{`AMIDO\Helpdesk`}, []string{`AMIDO\Portal-Admins`}
}

// desk is a portal with hanna logged in to help.
func openDesk(t *testing.T) (*bench, *browser) {
	t.Helper()
	b := open(t, withDesk)
	return b, b.as("hanna", "+46701740609")
}

// personPath is the address of somebody's page, by way of the search.
func (b *browser) personPath(text string) string {
	b.t.Helper()
	found := regexp.MustCompile(`href="(/helpdesk/person/[0-9a-f-]{36})"`).FindStringSubmatch(b.get("/helpdesk?q=" + url.QueryEscape(text)).body)
	if found == nil {
		b.t.Fatalf("nobody is found by %q", text)
	}
	return found[1]
}

func TestHelpdeskIsForAgents(t *testing.T) {
	b := open(t, withDesk)
	person := b.as("hanna", "+46701740609").personPath("cecilia")
	stranger := b.browser()
	stranger.get("/helpdesk").shows(t, 200, "/login")
	cecilia := b.loggedIn()
	for _, path := range []string{"/helpdesk", person} {
		cecilia.get(path).shows(t, 404, path)
	}
	cecilia.post(person+"/unlock", "reason", "because I can").shows(t, 404, person+"/unlock")
	if strings.Contains(cecilia.get("/").body, "/helpdesk") {
		t.Error("the list leads somebody to helpdesk who is no agent")
	}
	nobody := open(t, func(s *gateway.Settings) { s.HelpdeskGroups, s.AdministratorGroups = nil, nil })
	nobody.as("hanna", "+46701740609").get("/helpdesk").shows(t, 404, "/helpdesk")
}

func TestHelpdeskFindsPeople(t *testing.T) {
	_, hanna := openDesk(t)
	hanna.get("/helpdesk").shows(t, 200, "/helpdesk", "Vem gäller det?")
	for _, text := range []string{"cecilia", "Lind", "070-174 06 07", "+46701740607", `AMIDO\cecilia`} {
		answer := hanna.get("/helpdesk?q=" + url.QueryEscape(text))
		if answer.status != 200 || !strings.Contains(answer.body, "Cecilia Lind") || !strings.Contains(answer.body, "••• 0607") {
			t.Errorf("%q does not find Cecilia: %s", text, excerpt(answer.body))
		}
		_, table, _ := strings.Cut(answer.body, "<tbody>")
		if table, _, _ = strings.Cut(table, "</tbody>"); strings.Contains(strings.NewReplacer(" ", "", "-", "").Replace(table), "1740607") {
			t.Errorf("%q: the page has the whole number: %s", text, table)
		}
	}
	hanna.get("/helpdesk?q=zzzz").shows(t, 200, "/helpdesk?q=zzzz", "Ingen träff")
	hanna.get("/helpdesk?q=z").shows(t, 422, "/helpdesk?q=z", "2 till 100 tecken")
	hanna.get("/helpdesk?q="+url.QueryEscape("*)(objectClass=*")).shows(t, 200, "/helpdesk?q="+url.QueryEscape("*)(objectClass=*"), "Ingen träff")
	hanna.get(hanna.personPath("cecilia"))
	hanna.get("/helpdesk").shows(t, 200, "/helpdesk", "Senast besökta", `AMIDO\cecilia`)
	hanna.get("/helpdesk/person/00000000-0000-0000-0000-000000000000").shows(t, 404, "/helpdesk/person/00000000-0000-0000-0000-000000000000")
	hanna.get("/helpdesk/person/..%2f..").shows(t, 404, "/helpdesk/person/..%2f..")
}

func TestHelpdeskFindsBySupportID(t *testing.T) {
	b, hanna := openDesk(t)
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, "wrong")
	events, err := b.store.Events(t.Context(), store.EventFilter{Kind: "login", Result: "refused"})
	b.must(err)
	said := strings.ToLower(strings.NewReplacer("0", "O", "1", "l").Replace(events[0].RequestID))
	answer := hanna.get("/helpdesk?q=" + url.QueryEscape(said[:4]+" "+said[4:]))
	if answer.status != 200 || !strings.HasPrefix(answer.path, "/helpdesk/person/") || !strings.Contains(answer.body, "Cecilia Lind") {
		t.Errorf("support id %s leads to %s: %s", said, answer.path, excerpt(answer.body))
	}
}

func TestHelpdeskSaysWhy(t *testing.T) {
	b, hanna := openDesk(t)
	for name, want := range map[string]string{
		"anna": "Lösenordet har gått ut", "bertil": "Lösenordet måste bytas", "cecilia": "Inget hindrar inloggning",
		"david": "Kontot är avstängt i katalogen", "erik": "Har inget mobilnummer", "frida": "Mobilnumret går inte att läsa",
	} {
		path := hanna.personPath(name)
		hanna.get(path).shows(t, 200, path, want)
	}
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Locked = true }))
	path := hanna.personPath("cecilia")
	hanna.get(path).shows(t, 200, path, "Kontot är låst i katalogen", "Lås upp i katalogen", path+"/unlock")
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Locked = false }))
	for range 2 {
		b.browser().login(`AMIDO\cecilia`, "wrong")
	}
	hanna.get(path).shows(t, 200, path, "Fel lösenord 2 gånger", "<dt>Fel lösenord här</dt><dd>2 av ", "Lösenord vid inloggning: Fel lösenord", "<dt>Gräns för nya koder</dt><dd>Inte nådd")
	b.must(b.directory.Stop())
	hanna.get(path).shows(t, 200, path, "Katalogen svarar inte")
}

func TestHelpdeskActs(t *testing.T) {
	b, hanna := openDesk(t)
	path := hanna.personPath("cecilia")
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Locked = true }))

	hanna.post(path+"/unlock", "reason", " x ").shows(t, 422, path+"/unlock", "anledning på 3 till 200 tecken")
	hanna.post(path+"/unlock", "reason", "ringde, semester").shows(t, 403, path+"/unlock", "tjänstekonto får inte låsa upp", `value="ringde, semester"`)
	hanna.post(path+"/no-such-act", "reason", "ringde").shows(t, 404, path+"/no-such-act")
	hanna.post(path+"/end-sessions", "reason", "ringde").shows(t, 409, path+"/end-sessions", "ingenting att göra")
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Locked = false }))

	cecilia := b.loggedIn()
	hanna.post(path+"/end-sessions", "reason", "borttappad dator").shows(t, 200, path+"?done=end-sessions", "utloggad överallt")
	cecilia.get("/").shows(t, 200, "/login", "Du loggades ut av en administratör")
	want := []string{
		`helpdesk-end-sessions ok  AMIDO\hanna -> AMIDO\cecilia: borttappad dator`,
		`helpdesk-end-sessions begun  AMIDO\hanna -> AMIDO\cecilia: borttappad dator`,
		`helpdesk-unlock refused forbidden AMIDO\hanna -> AMIDO\cecilia: ringde, semester`,
	}
	got := b.deskEvents()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("no event %q among\n%s", line, strings.Join(got, "\n"))
		}
	}
}

// deskEvents are helpdesk's events, the newest first.
func (b *bench) deskEvents() (lines []string) {
	events, err := b.store.Events(b.t.Context(), store.EventFilter{})
	b.must(err)
	for _, e := range events {
		if e.Detail["person"] != "" {
			lines = append(lines, fmt.Sprintf("%s %s %s %s -> %s: %s", e.Kind, e.Result, e.Reason, e.Name, e.Detail["person"], e.Detail["why"]))
		}
	}
	return lines
}

func TestHelpdeskNotOnOneself(t *testing.T) {
	b, hanna := openDesk(t)
	own := hanna.personPath("hanna")
	hanna.get(own).shows(t, 200, own, "Det här är ditt eget konto")
	for _, act := range []string{"unlock", "bypass", "number", "caller", "clear-codes", "end-sessions"} {
		hanna.post(own+"/"+act, "reason", "jag behöver det", "number", "0701740611", "known", "yes").shows(t, 403, own+"/"+act, "ditt eget konto")
	}
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Groups = []string{"MultiAccess", "Helpdesk"} }))
	colleague := hanna.personPath("cecilia")
	hanna.get(colleague).shows(t, 200, colleague, "hör till supporten eller administratörerna")
	hanna.post(colleague+"/bypass", "reason", "en vän", "known", "yes").shows(t, 403, colleague+"/bypass", "hör till supporten")
	// Without the directory nobody knows whom it would be on.
	b.must(b.directory.Stop())
	path := strings.TrimSuffix(own, "/")
	hanna.post(path+"/clear-codes", "reason", "ringde in").shows(t, 503, path+"/clear-codes", "Katalogen svarar inte")
}

func TestHelpdeskVerifiesCaller(t *testing.T) {
	b, hanna := openDesk(t)
	path := hanna.personPath("cecilia")
	hanna.post(path+"/caller", "reason", "ringde in").shows(t, 200, path+"?done=caller", "Be den som ringer läsa upp den", path+"/caller-code")
	sent := b.outbox.Messages("+46701740607")[0].Text
	if strings.Contains(sent, "@") || !strings.Contains(sent, "Läs upp den bara om du själv har ringt") {
		t.Errorf("the message to the caller: %q", sent)
	}
	page := hanna.get(path).body
	code := b.code("+46701740607")
	if strings.Contains(page, code) {
		t.Error("the agent sees the code")
	}
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	hanna.post(path+"/caller-code", "code", wrong).shows(t, 403, path+"/caller-code", "Fel kod. Försök kvar: 4.")
	hanna.post(path+"/caller-code", "code", code).shows(t, 200, path+"?done=caller-code", "Den som ringer har personens mobil")
	// It is good for the caller alone: not for a login, and not twice.
	hanna.post(path+"/caller-code", "code", code).shows(t, 409, path+"/caller-code")
	b.clock.advance(16 * time.Minute)
	if strings.Contains(hanna.get(path).body, "Den som ringer har personens mobil") {
		t.Error("a caller stays verified for longer than 15 minutes")
	}
}

func TestHelpdeskBypass(t *testing.T) {
	b, hanna := openDesk(t)
	path := hanna.personPath("cecilia")
	hanna.post(path+"/bypass", "reason", "tappat mobilen").shows(t, 403, path+"/bypass", "Kontrollera först vem som ringer")
	answer := hanna.post(path+"/bypass", "reason", "tappat mobilen", "known", "yes")
	answer.shows(t, 200, path+"/bypass", "Engångskoden")
	code := regexp.MustCompile(`<strong class="id">([0-9A-Z]{5}-[0-9A-Z]{5})</strong>`).FindStringSubmatch(answer.body)
	if code == nil {
		t.Fatalf("no code on the page: %s", excerpt(answer.body))
	}
	if strings.Contains(hanna.get(path).body, code[1]) || strings.Contains(b.log.String(), code[1]) {
		t.Error("the code is shown again, or stands in the log")
	}
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	cecilia.post("/code/backup", "code", strings.ToLower(code[1])).shows(t, 200, "/", "XXX.MultiAccess01")
	other := b.browser()
	other.login(`AMIDO\cecilia`, goodPassword)
	if answer := other.post("/code/backup", "code", code[1]); answer.path == "/" {
		t.Error("the code works twice")
	}
}

func TestHelpdeskNumber(t *testing.T) {
	b, hanna := openDesk(t)
	erik := hanna.personPath("erik")
	hanna.post(erik+"/number", "reason", "ny anställd", "number", "08-123").shows(t, 422, erik+"/number", "inget mobilnummer", `value="08-123"`)
	hanna.post(erik+"/number", "reason", "ny anställd", "number", "070-174 06 22").shows(t, 200, erik+"?done=number", "••• 0622")
	if _, err := b.codes.Start(t.Context(), otp.Request{SessionID: "s", AccountID: "x", Phone: "+46701740622", Words: "{code}"}); err != nil {
		t.Fatal(err)
	}
	cecilia := hanna.personPath("cecilia")
	hanna.post(cecilia+"/number-confirm", "reason", "kollat med chefen").shows(t, 200, cecilia+"?done=number-confirm", "bekräftat av supporten")
	hanna.post(cecilia+"/number", "reason", "bytt telefon", "number", "070-174 06 33").shows(t, 200, cecilia+"?done=number", "Byte av nummer väntar", "••• 0607", "••• 0633")
	change := hanna.waitingChange(cecilia)
	hanna.post(cecilia+"/change-confirm", "reason", "jag igen", "change", change).shows(t, 403, cecilia+"/change-confirm", "annan handläggare")
	hanna.post(cecilia+"/change-cancel", "reason", "fel person", "change", change).shows(t, 200, cecilia+"?done=change-cancel", "tillbakadraget")
}

func TestHelpdeskQuota(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { withDesk(s); s.ActsPerDay = 3 })
	hanna := b.as("hanna", "+46701740609")
	path := hanna.personPath("cecilia")
	for range 3 {
		hanna.post(path+"/clear-codes", "reason", "ringde in").shows(t, 200, path+"?done=clear-codes")
	}
	hanna.post(path+"/clear-codes", "reason", "ringde in").shows(t, 429, path+"/clear-codes", "inga åtgärder kvar")
	b.clock.advance(25 * time.Hour)
	hanna = b.as("hanna", "+46701740609")
	hanna.post(path+"/clear-codes", "reason", "ringde in").shows(t, 200, path+"?done=clear-codes")
}
