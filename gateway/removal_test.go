package gateway_test

import (
	"testing"
	"time"

	"stagedoor/gateway/factor"
)

// Whose only factor helpdesk has removed gets in with the password alone where the
// policy does not insist, and sets nothing up with it alone: no app, no key, no
// printed codes, whichever form is sent, and by no session that was there before.
func TestRemovalOpensNoAccountPage(t *testing.T) {
	for name, rule := range map[string]factor.Rule{
		"voluntary":       {Need: factor.Voluntary, Allowed: allFactors},
		"off":             {Need: factor.Off, Allowed: allFactors},
		"required, later": {Need: factor.Required, Allowed: allFactors, From: time.Now().Add(72 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			b := named(t, rule)
			hanna := b.as("hanna", "+46701740609")
			path := hanna.personPath("erik")
			// Somebody with the password has all of it begun, before there was a factor.
			early := b.browser()
			early.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/")
			early.post("/again", "to", "/account", "password", goodPassword).shows(t, 200, "/account", "/account/app")
			app := b.scan(early.get("/account/app"))
			key := newPasskey(b).make(b.options(early.get("/account/key")))
			b.giveApp(accountOf(path), "app")
			hanna.post(path+"/factor-remove", "reason", "tappat mobilen", "factor", "app").shows(t, 200, path+"?done=factor-remove")

			late := b.browser()
			late.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/")
			late.post("/again", "to", "/account/app", "password", goodPassword)
			const why = "kan du just nu inte lägga till något"
			for who, browser := range map[string]*browser{"early": early, "late": late} {
				for _, page := range []string{"/account/app", "/account/key"} {
					browser.get(page).shows(t, 200, "/account", why, "Kontakta Amido")
				}
				browser.post("/account/app", "code", app.code()).shows(t, 200, "/account", why)
				browser.post("/account/key", "answer", key).shows(t, 200, "/account", why)
				browser.post("/account/backup").shows(t, 200, "/account", why)
				browser.get("/enrol").shows(t, 200, "/enrol", why)
				own, err := b.store.Factors(t.Context(), accountOf(path))
				b.must(err)
				left, _, err := b.store.FactorCodesLeft(t.Context(), accountOf(path), "backup", b.clock.Now())
				b.must(err)
				if len(own) > 0 || left > 0 {
					t.Fatalf("%s: %+v and %d codes are set up with the password alone", who, own, left)
				}
			}

			b.clock.advance(25 * time.Hour)
			after := b.browser()
			after.login(`AMIDO\erik`, goodPassword)
			after.post("/again", "to", "/account/app", "password", goodPassword).shows(t, 200, "/account/app")
		})
	}
}

// Who has shown a factor that is left to them sets up another at once.
func TestRemovalLeavesTheOtherFactors(t *testing.T) {
	b := named(t, factor.Rule{Need: factor.Voluntary, Allowed: allFactors})
	hanna := b.as("hanna", "+46701740609")
	path := hanna.personPath("cecilia")
	b.giveApp(accountOf(path), "app")
	hanna.post(path+"/factor-remove", "reason", "tappat mobilen", "factor", "app").shows(t, 200, path+"?done=factor-remove")
	cecilia := b.ready()
	app := b.scan(cecilia.get("/account/app"))
	cecilia.post("/account/app", "code", app.code()).shows(t, 200, "/account?saved")
}

// Who stands before the page that has them set one up, since the password alone may,
// sets nothing up once helpdesk has removed a factor.
func TestRemovalHoldsWhoIsOnTheWayIn(t *testing.T) {
	b := named(t, factor.Rule{Need: factor.Required, Allowed: allFactors, Enrol: []factor.Kind{factor.App}})
	hanna := b.as("hanna", "+46701740609")
	path := hanna.personPath("erik")
	early := b.browser()
	early.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/enrol")
	app := b.scan(early.get("/account/app"))
	b.giveApp(accountOf(path), "app")
	hanna.post(path+"/factor-remove", "reason", "tappat mobilen", "factor", "app").shows(t, 200, path+"?done=factor-remove")
	early.post("/account/app", "code", app.code()).shows(t, 200, "/enrol", "kan du just nu inte lägga till något")
	early.get("/").shows(t, 200, "/enrol")
}
