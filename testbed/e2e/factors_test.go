package e2e

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"stagedoor/gateway/factor"
	"stagedoor/store"
	"stagedoor/testbed"
)

// Second factors as people meet them: set up in the browser, asked for at the
// next login, and what stands in for them.
func TestBrowserFactors(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	r.blocks["codes"] += "factors:\n  - {remember: 720h, enrol: [app, key]}\n"
	page := r.atList(testbed.BrowserOptions{})
	r.authenticatorApp(page)
	codes := r.securityKey(page)
	r.backupCode(page, codes[2])
	r.rememberedBrowser(page)
	r.bypassCode(page)
	noComplaints(t, page)
}

// again logs cecilia out and her password in.
func (r *rig) again(p *testbed.Page, path string) {
	r.t.Helper()
	p.Open(r.address + "/account")
	p.Click(`header form[action="/logout"] button`)
	p.WaitURL("/login")
	signIn(p, `AMIDO\cecilia`, "Sommar-2026-åäö")
	p.WaitUntil(fmt.Sprintf(`location.pathname === %q`, path))
}

// appCode is what the app shows, some steps of half a minute from now.
func (r *rig) appCode(secret string, steps time.Duration) string {
	r.t.Helper()
	return must[string](r.t)(totp.GenerateCode(secret, time.Now().Add(steps*30*time.Second)))
}

func (r *rig) authenticatorApp(p *testbed.Page) {
	r.t.Helper()
	p.Open(r.address + "/account")
	p.Click(`a[href="/account/app"]`)
	p.WaitUntil(`document.querySelector(".qr")?.naturalWidth === 256`)
	secret := strings.ReplaceAll(testbed.Eval[string](p, `document.querySelector(".secret").textContent`), " ", "")
	p.Fill("#code", "000000")
	p.Press("Enter")
	p.WaitFor("#fault")
	p.Fill("#name", "Min telefon")
	p.Fill("#code", r.appCode(secret, 0))
	p.Press("Enter")
	p.WaitURL("/account?saved")
	p.WaitText("Min telefon")
	r.again(p, "/code/app")
	p.Fill("#code", r.appCode(secret, 0)) // the one that confirmed it
	p.Press("Enter")
	p.WaitFor("#fault")
	p.Fill("#code", r.appCode(secret, 1))
	p.Press("Enter")
	p.WaitText("Välj system")
}

// securityKey ends at a page that asks for a key, which has been copied; it
// returns backup codes.
func (r *rig) securityKey(p *testbed.Page) (codes []string) {
	r.t.Helper()
	key := p.Authenticator()
	p.Open(r.address + "/account/key")
	p.Fill("#name", "Nyckelknippan")
	p.WaitUntil(`!document.querySelector("#key-use").disabled`)
	p.Click("#key-use")
	p.WaitURL("/account?saved")
	p.WaitText("Nyckelknippan")
	p.Open(r.address + "/account/key") // the same authenticator again
	p.WaitUntil(`!document.querySelector("#key-use").disabled`)
	p.Click("#key-use")
	p.WaitText("finns redan på ditt konto")

	r.again(p, "/code/key")
	use := func() {
		p.WaitUntil(`!!document.querySelector("#key-use") && !document.querySelector("#key-use").disabled`)
		p.Click("#key-use")
	}
	refused := func() {
		testbed.Eval[bool](p, "window.answered = true")
		use()
		p.WaitUntil(`!window.answered && !!document.querySelector("#fault")`)
	}
	key.Lie(true, false)
	refused()
	key.Lie(false, true) // nobody's finger was on it
	refused()
	key.Lie(false, false)
	key.Verifies(false)
	use()
	p.WaitText("Nyckeln användes inte")
	key.Verifies(true)
	use()
	p.WaitText("Välj system")

	codes = r.makeBackup(p)
	r.again(p, "/code/key")
	key.TurnBack()
	refused()
	p.WaitText("Nyckeln har kopierats")
	return codes
}

// inStore acts on the portal's database from another process than the portal's.
func (r *rig) inStore(act func(ctx context.Context, db *store.Store) error) error {
	ctx := r.t.Context()
	db, err := store.Open(ctx, filepath.Join(r.dir, "stagedoor.db"), time.Now)
	if err != nil {
		return err
	}
	defer db.Close()
	return act(ctx, db)
}

// database is what helpdesk's pages do to cecilia's account.
func (r *rig) database(act func(ctx context.Context, db *store.Store, account string) error) error {
	return r.inStore(func(ctx context.Context, db *store.Store) error {
		people, err := db.FindPeople(ctx, "cecilia", 2)
		if err != nil || len(people) != 1 {
			return fmt.Errorf("%d people: %w", len(people), err)
		}
		return act(ctx, db, people[0].AccountID)
	})
}

// makeBackup has ten new codes shown.
func (r *rig) makeBackup(p *testbed.Page) []string {
	r.t.Helper()
	p.Open(r.address + "/account")
	p.Click(`form[action="/account/backup"] button`)
	p.WaitFor(".codes li")
	codes := testbed.Eval[[]string](p, `[...document.querySelectorAll(".codes code")].map(e => e.textContent)`)
	if len(codes) != 10 {
		r.t.Fatalf("%d codes", len(codes))
	}
	return codes
}

// backupCode goes from the page of a key that is refused to the list, without
// JavaScript.
func (r *rig) backupCode(p *testbed.Page, code string) {
	r.t.Helper()
	p.Scripts(false)
	defer p.Scripts(true)
	p.Open(r.address + "/code/other")
	p.Click(`a[href="/code/backup"]`)
	p.WaitFor("#code")
	p.Fill("#code", strings.ToLower(code))
	p.Press("Enter")
	p.WaitText("Välj system")
}

func (r *rig) rememberedBrowser(p *testbed.Page) {
	r.t.Helper()
	ok(r.t, r.database(func(ctx context.Context, db *store.Store, account string) error {
		_, err := db.RemoveFactor(ctx, account, must[[]store.Factor](r.t)(db.Factors(ctx, account))[1].ID, store.Trace{}) // the copied key
		return err
	}))
	r.again(p, "/code/app")
	secret := r.seenSecret(p)
	p.Click(`input[name="remember"]`)
	p.Fill("#code", r.appCode(secret, 1))
	p.Press("Enter")
	p.WaitText("Välj system")
	r.again(p, "/")
	p.Open(r.address + "/account")
	p.Click(`form[action="/account/device"] button`)
	p.WaitURL("/account?saved")
	r.again(p, "/code/app")
}

// seenSecret gives cecilia an app whose secret the test knows, as setting one up
// again would.
func (r *rig) seenSecret(p *testbed.Page) (secret string) {
	r.t.Helper()
	ok(r.t, r.database(func(ctx context.Context, db *store.Store, account string) error {
		own := must[[]store.Factor](r.t)(db.Factors(ctx, account))
		if _, err := db.RemoveFactor(ctx, account, own[0].ID, store.Trace{}); err != nil {
			return err
		}
		f, err := r.factors(db, func() time.Time { return time.Now().Add(-time.Minute) })
		if err != nil {
			return err
		}
		person := factor.Person{AccountID: account, Name: `AMIDO\cecilia`}
		setup, err := f.SetUpApp(ctx, "helpdesk", person)
		if err != nil {
			return err
		}
		secret = strings.ReplaceAll(setup.Secret, " ", "")
		return f.ConfirmApp(ctx, "helpdesk", account, "", r.appCode(secret, -2), store.Trace{})
	}))
	return secret
}

// factors are the rules of the portal, under its server key.
func (r *rig) factors(db *store.Store, now func() time.Time) (*factor.Factors, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, "server-key"))
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, err
	}
	return factor.New(factor.Options{Store: db, Key: key, Portal: "Amido Alliera Backstage", Now: now})
}

func (r *rig) bypassCode(p *testbed.Page) {
	r.t.Helper()
	var code string
	ok(r.t, r.database(func(ctx context.Context, db *store.Store, account string) error {
		f, err := r.factors(db, time.Now)
		if err != nil {
			return err
		}
		code, _, err = f.IssueBypass(ctx, account, "helpdesk", store.Trace{})
		return err
	}))
	p.Click(`a[href="/code/other"]`)
	p.WaitText("Kod från Amido Support")
	p.Click(`li:last-child a[href="/code/backup"]`)
	p.WaitFor("#code")
	p.Fill("#code", code)
	p.Press("Enter")
	p.WaitText("Välj system")
	p.Open(r.address + "/account/app") // it proves nothing but this login
	p.WaitURL("/again")
	r.again(p, "/code/app")
	p.Open(r.address + "/code/backup")
	p.Fill("#code", code)
	p.Press("Enter")
	p.WaitFor("#fault")
}

// Before the date people are invited, after it they must: two portals, of which
// one lives after the date.
func TestBrowserEnrolmentDate(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	codes := r.blocks["codes"]
	date := time.Now().AddDate(0, 0, 10)
	rule := func(from time.Time) string {
		return codes + fmt.Sprintf("factors:\n  - {from: %q, enrol: [app, key]}\n", from.Format(time.DateOnly))
	}
	r.blocks["codes"] = rule(date)
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Language("sv")
	page.Open(r.address + "/login")
	signIn(page, `AMIDO\erik`, "Sommar-2026-ok")
	page.WaitText("behöver du en kod")
	page.Click(`.notice a[href="/enrol"]`)
	page.WaitText("Gör det senare")
	page.Click(`form[action="/enrol"] button`)
	page.WaitUntil(`location.pathname === "/"`)
	page.Click(`header form[action="/logout"] button`)
	page.WaitURL("/login")
	ok(t, r.process.Stop())

	r.blocks["codes"] = rule(time.Now().AddDate(0, 0, -1))
	r.serve()
	page.Open(r.address + "/login")
	signIn(page, `AMIDO\erik`, "Sommar-2026-ok")
	page.WaitURL("/enrol")
	page.WaitText("Innan du kommer vidare")
	page.Authenticator()
	page.Click(`a[href="/account/key"]`)
	page.WaitUntil(`!!document.querySelector("#key-use") && !document.querySelector("#key-use").disabled`)
	page.Click("#key-use")
	page.WaitUntil(`location.pathname === "/"`)
	page.Click(`header form[action="/logout"] button`)
	page.WaitURL("/login")
	signIn(page, `AMIDO\erik`, "Sommar-2026-ok")
	page.WaitURL("/code/key")
	page.WaitUntil(`!document.querySelector("#key-use").disabled`)
	page.Click("#key-use")
	page.WaitUntil(`location.pathname === "/"`)
	noComplaints(t, page)
}

// fresh is loggedIn for a page that wants a login of the last ten minutes: with
// an older one, they log in anew.
func fresh(path string) func(*stage, *testbed.Page) {
	return func(s *stage, p *testbed.Page) {
		loggedIn("/account/key")(s, p)
		if strings.Contains(p.URL(), "/again") {
			p.Click(`header form[action="/logout"] button`)
			p.WaitURL("/login")
			s.atList(p)
		}
		p.Open(s.address + path)
	}
}

// atFactors goes to a page that asks for a second factor, as somebody who has an
// app and a key, which they set up at their first visit.
func atFactors(path string) func(*stage, *testbed.Page) {
	return func(s *stage, p *testbed.Page) {
		p.Open(s.address + path)
		if strings.Contains(p.URL(), "/login") {
			s.signIn(p)
			p.WaitURL("/code")
		}
		if testbed.Eval[bool](p, `location.pathname === "/code"`) {
			typeCode(p, s.code(people[s.person].number))
			p.WaitUntil(`location.pathname === "/"`)
			s.setUp(p)
			p.Click(`header form[action="/logout"] button`)
			p.WaitURL("/login")
			s.signIn(p)
			p.WaitURL("/code/")
		}
		p.Open(s.address + path)
	}
}

// setUp adds a key and then an app.
func (s *stage) setUp(p *testbed.Page) {
	p.Authenticator()
	p.Open(s.address + "/account/key")
	p.WaitUntil(`!document.querySelector("#key-use").disabled`)
	p.Click("#key-use")
	p.WaitURL("/account?saved")
	p.Open(s.address + "/account/app")
	secret := testbed.Eval[string](p, `document.querySelector(".secret").textContent`)
	typeCode(p, s.appCode(strings.ReplaceAll(secret, " ", ""), 0))
	p.WaitURL("/account?saved")
}
