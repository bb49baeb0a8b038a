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
func TestBrowserCall(t *testing.T) {
	testbed.Need(t, "chromium")
	r := newRig(t)
	r.withTarget()
	r.serve()
	browser := testbed.StartBrowser(t, testbed.BrowserOptions{})

	// Something of Cecilia's tries an old password; her own one is refused then.
	r.lock("cecilia")
	caller := browser.NewPerson()
	caller.Limit = 20 * time.Second
	caller.Language("sv")
	caller.Open(r.address + "/login")
	signIn(caller, `AMIDO\cecilia`, "Sommar-2026-åäö")
	caller.WaitFor("#fault")

	agent := browser.NewPerson()
	agent.Limit = 20 * time.Second
	agent.Language("sv")
	agent.Open(r.address + "/login")
	signIn(agent, `AMIDO\hanna`, "Sommar-2026-ok")
	agent.WaitURL("/code")
	typeCode(agent, r.code("+46701740609"))
	agent.WaitUntil(`location.pathname === "/"`)
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

	audit, exit := stagedoor(t, "audit", "--config", r.dir+"/config.yaml", "--limit", "200")
	if exit != 0 {
		t.Fatal(audit)
	}
	for _, want := range [][]string{
		{`"Kind":"helpdesk-look"`}, {`"Kind":"helpdesk-caller-code"`, "Ringer om låst konto"}, {`"Kind":"helpdesk-caller"`, `"Result":"ok"`},
		{`"Kind":"helpdesk-unlock"`, `"Result":"begun"`, "Låst efter fel lösenord"}, {`"Kind":"helpdesk-unlock"`, `"Result":"ok"`, "Låst efter fel lösenord"},
		{`"Kind":"helpdesk-clear-password"`, "Hon hade skiftlås på"}, {`"Kind":"helpdesk-bypass"`, "Mobilen är hemma", `"verified":"caller"`},
		{`"Kind":"bypass"`, `AMIDO\\cecilia`, `"Result":"ok"`},
	} {
		if !hasLine(audit, want) {
			t.Errorf("the audit has no line with %q:\n%s", want, audit)
		}
	}
	if strings.Contains(audit, bypass) || strings.Contains(r.process.Output(), bypass) || strings.Contains(audit, code) {
		t.Error("a code stands in the audit or in the log")
	}
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
