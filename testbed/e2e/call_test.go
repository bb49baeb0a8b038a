package e2e

import (
	"strings"
	"testing"
	"time"

	"stagedoor/directory"
	"stagedoor/testbed"
)

// TestBrowserCall is an agent's whole call, against a real Active Directory: a
// person whose account is locked is on the telephone. The agent finds them, sees why, verifies the caller, unlocks the
// account, lifts the limit and gives a one-time code; the person logs in with it.
// Two more are on the telephone: whose code did not come, and who has a new number.
func TestBrowserCall(t *testing.T) {
	testbed.Need(t, "chromium")
	r := newRig(t)
	r.withTarget()
	r.serve()
	browser := testbed.StartBrowser(t, testbed.BrowserOptions{})

	frida := r.waitsForCode(browser, "frida", "+46701740612")

	// Something of Cecilia's tries an old password; her own one is refused then.
	r.lock("cecilia")
	caller := browser.NewPerson()
	caller.Limit = 20 * time.Second
	caller.Language("sv")
	caller.Open(r.address + "/login")
	signIn(caller, `AMIDO\cecilia`, "Sommar-2026-åäö")
	caller.WaitFor("#fault")

	agent := r.agent(browser, "hanna", "+46701740609")
	agent.Open(r.address + "/helpdesk")
	agent.Fill("#q", "cecilia lind")
	agent.Press("Enter")
	agent.WaitFor("tbody a")
	agent.Click("tbody a")
	agent.WaitText("Kontot är låst i katalogen sedan")
	agent.WaitText("••• 0607")

	// Who is calling? The code comes to Cecilia's phone; the agent never sees it.
	act(agent, "caller", "Ringer om låst konto")
	agent.WaitFor("#caller-code")
	code := r.code("+46701740607")
	if strings.Contains(testbed.Eval[string](agent, "document.documentElement.outerHTML"), code) {
		t.Error("the agent sees the code")
	}
	agent.Fill("#caller-code", code)
	agent.Press("Enter")
	agent.WaitText("Den som ringer har personens mobil")

	act(agent, "unlock", "Låst efter fel lösenord")
	agent.WaitText("Kontot är upplåst i katalogen")
	for range 5 { // she has caps lock on; the portal counts, and keeps it from the directory
		caller.Open(r.address + "/login")
		signIn(caller, `AMIDO\cecilia`, "fel lösenord")
		caller.WaitFor("#fault")
	}
	agent.Open(testbed.Eval[string](agent, "location.pathname && location.origin + location.pathname"))
	act(agent, "clear-password", "Hon hade skiftlås på")
	agent.WaitText("Personen får försöka med lösenordet igen")
	act(agent, "bypass", "Mobilen är hemma")
	agent.WaitFor(".secret .id")
	bypass := testbed.Eval[string](agent, `document.querySelector(".secret .id").textContent`)

	// In another browser, on another computer.
	elsewhere := browser.NewPerson()
	elsewhere.Limit = 20 * time.Second
	elsewhere.Language("sv")
	elsewhere.Open(r.address + "/login")
	signIn(elsewhere, `AMIDO\cecilia`, "Sommar-2026-åäö")
	elsewhere.WaitUntil(`location.pathname.startsWith("/code")`)
	elsewhere.Open(r.address + "/code/backup")
	elsewhere.Fill("#code", bypass)
	elsewhere.Press("Enter")
	elsewhere.WaitText("Välj system")

	r.correctsNumber(browser, agent)
	r.resendsAndEnds(agent, frida)

	audit, exit := stagedoor(t, "audit", "--config", r.dir+"/config.yaml", "--limit", "200")
	if exit != 0 {
		t.Fatal(audit)
	}
	for _, want := range [][]string{
		{`"Kind":"helpdesk-look"`}, {`"Kind":"helpdesk-caller-code"`, "Ringer om låst konto"}, {`"Kind":"helpdesk-caller"`, `"Result":"ok"`},
		{`"Kind":"helpdesk-unlock"`, `"Result":"begun"`, "Låst efter fel lösenord"}, {`"Kind":"helpdesk-unlock"`, `"Result":"ok"`, "Låst efter fel lösenord"},
		{`"Kind":"helpdesk-clear-password"`, "Hon hade skiftlås på"}, {`"Kind":"helpdesk-bypass"`, "Mobilen är hemma", `"verified":"caller"`},
		{`"Kind":"bypass"`, `AMIDO\\cecilia`, `"Result":"ok"`},
		{`"Kind":"helpdesk-caller"`, `"Result":"ok"`, "Ringer om låst konto"},
		{`"Kind":"helpdesk-resend"`, `"Result":"ok"`, "Koden kom inte", `AMIDO\\frida`},
		{`"Kind":"helpdesk-end-sessions"`, `"Result":"ok"`, "Glömde logga ut", `AMIDO\\frida`},
		{`"Kind":"phone-change"`, `"Result":"ok"`, "Ny telefon", `AMIDO\\hanna`, `AMIDO\\gerd`},
		{`"Kind":"phone-change-confirm"`, `"Result":"ok"`, "Har ringt upp henne", `AMIDO\\ada`, `AMIDO\\gerd`},
	} {
		if !hasLine(audit, want) {
			t.Errorf("the audit has no line with %q:\n%s", want, audit)
		}
	}
	if strings.Contains(audit, bypass) || strings.Contains(r.process.Output(), bypass) || strings.Contains(audit, code) {
		t.Error("a code stands in the audit or in the log")
	}
}

// agent is somebody of helpdesk who has logged in.
func (r *rig) agent(browser *testbed.Browser, name, number string) *testbed.Page {
	r.t.Helper()
	agent := r.waitsForCode(browser, name, number)
	typeCode(agent.Page, agent.code)
	agent.WaitUntil(`location.pathname === "/"`)
	return agent.Page
}

// waiting is somebody at the page that asks for the code that they have got.
type waiting struct {
	*testbed.Page
	code string
}

func (r *rig) waitsForCode(browser *testbed.Browser, name, number string) waiting {
	r.t.Helper()
	p := browser.NewPerson()
	p.Limit = 20 * time.Second
	p.Language("sv")
	p.Open(r.address + "/login")
	signIn(p, `AMIDO\`+name, "Sommar-2026-ok")
	p.WaitURL("/code")
	w := waiting{p, ""}
	for w.code == "" { // notices go there too
		w.code = r.code(number)
	}
	return w
}

// personOf opens helpdesk's page of somebody, by way of the search.
func (r *rig) personOf(agent *testbed.Page, name string) {
	agent.Open(r.address + "/helpdesk?q=" + name)
	agent.WaitFor("tbody a")
	agent.Click("tbody a")
	agent.WaitFor("#why")
}

// resendsAndEnds: Frida's code did not come. The agent sees where and since when
// she waits, has it sent again, and later logs her out of where she forgot to.
func (r *rig) resendsAndEnds(agent *testbed.Page, frida waiting) {
	r.t.Helper()
	frida.Limit = 40 * time.Second // half a minute must lie between two messages
	frida.WaitUntil(`!document.querySelector(".resend button").disabled`)
	r.personOf(agent, "frida")
	agent.WaitText("En kod skickades")
	if since := testbed.Eval[string](agent, `document.querySelector("#pick-resend").textContent`); !strings.Contains(since, ", sedan ") {
		r.t.Errorf("the agent is told of who waits: %q", since)
	}
	act(agent, "resend", "Koden kom inte")
	agent.WaitText("Koden är skickad igen")
	if again := r.code("+46701740612"); again != frida.code {
		r.t.Errorf("another code was sent: %s, not %s", again, frida.code)
	}
	typeCode(frida.Page, frida.code)
	frida.WaitText("Välj system")
	r.personOf(agent, "frida")
	act(agent, "end-sessions", "Glömde logga ut")
	agent.WaitText("Personen är utloggad överallt")
	frida.Open(r.address + "/")
	frida.WaitText("Du loggades ut av en administratör")
}

// correctsNumber: Gerd has a new number. One agent enters it, it waits, a second
// one confirms it, and her code goes there.
func (r *rig) correctsNumber(browser *testbed.Browser, agent *testbed.Page) {
	r.t.Helper()
	r.personOf(agent, "gerd")
	agent.Click("#act-number summary")
	agent.Fill("#field-number", "070-174 06 88")
	act(agent, "number", "Ny telefon")
	agent.WaitText("Numret är inskrivet")
	agent.WaitText("••• 0688")
	if testbed.Eval[bool](agent, `document.querySelector("#act-change-confirm") !== null`) {
		r.t.Error("the agent who asked is offered to confirm")
	}
	second := r.agent(browser, "ada", "+46701740616")
	r.personOf(second, "gerd")
	act(second, "change-confirm", "Har ringt upp henne")
	second.WaitText("Det nya numret gäller nu")
	gerd := r.waitsForCode(browser, "gerd", "+46701740688")
	typeCode(gerd.Page, gerd.code)
	gerd.WaitUntil(`location.pathname === "/"`)
}

func hasLine(text string, parts []string) bool {
	for line := range strings.Lines(text) {
		found := true
		for _, part := range parts {
			found = found && strings.Contains(line, part)
		}
		if found {
			return true
		}
	}
	return false
}

// withTarget gives the list one system that nobody opens here.
func (r *rig) withTarget() {
	r.targets = "targets:\n  - {id: multiaccess01, name: XXX.MultiAccess01, group: MultiAccess, host: 127.0.0.1, port: 1, visible_to: everyone}\n" +
		"  - {id: multiaccess02, name: XXX.MultiAccess02, group: MultiAccess, host: 127.0.0.1, port: 1, visible_to: everyone}\n"
}

// lock types wrong passwords at the directory itself, as a forgotten phone with
// an old password does, until it locks the account.
func (r *rig) lock(name string) {
	r.t.Helper()
	d := must[*directory.Directory](r.t)(directory.Open([]directory.Domain{{
		Name: r.samba.Domain, Servers: []string{r.samba.URL}, CAFile: r.samba.CAFile, BindDN: r.samba.BindDN, BindPassword: r.samba.BindPassword,
	}}))
	defer d.Close()
	for range 8 {
		if _, err := d.Authenticate(r.t.Context(), name, "wrong"); err == nil {
			r.t.Fatal("a wrong password was right")
		}
	}
}
