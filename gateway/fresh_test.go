package gateway_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"stagedoor/gateway/factor"
)

// What changes who can log in is not done with a proof that is older than ten
// minutes, by whichever form: it leads to /again, and changes nothing. A moment
// before it is done.
func TestChangesWantFreshProof(t *testing.T) {
	b := named(t, factor.Rule{Need: factor.Required, Allowed: allFactors})
	cecilia := b.ready()
	printed := shownCodes.FindAllStringSubmatch(cecilia.post("/account/backup").body, -1)
	first := b.scan(cecilia.get("/account/app"))
	cecilia.post("/account/app", "code", first.code()).shows(t, 200, "/account?saved")
	state := func() string {
		t.Helper()
		own, err := b.store.Factors(t.Context(), b.accountOf("cecilia"))
		b.must(err)
		left, made, err := b.store.FactorCodesLeft(t.Context(), b.accountOf("cecilia"), "backup", b.clock.Now())
		b.must(err)
		number, err := b.store.Number(t.Context(), b.accountOf("cecilia"))
		b.must(err)
		return fmt.Sprint(own, left, made, number, b.codesTo("+46701740607"), b.codesTo("+46701740699"))
	}
	// All of it was begun in time, and is sent too late.
	b.clock.advance(9 * time.Minute)
	second := b.scan(cecilia.get("/account/app"))
	key := newPasskey(b).make(b.options(cecilia.get("/account/key")))
	b.clock.advance(61 * time.Second)
	before := state()
	own, err := b.store.Factors(t.Context(), b.accountOf("cecilia"))
	b.must(err)
	forms := []struct {
		path, back string
		fields     []string
	}{
		{"/account/app", "/account/app", []string{"code", second.code()}},
		{"/account/key", "/account/key", []string{"answer", key}},
		{"/account/backup", "/account", nil},
		{"/account/remove", "/account", []string{"id", own[0].ID}},
		{"/phone", "/phone", []string{"act", "old"}},
		{"/phone", "/phone", []string{"act", "number", "country", "SE", "number", "0701740699"}},
	}
	for _, form := range forms {
		again := "/again?to=" + url.QueryEscape(form.back)
		cecilia.post(form.path, form.fields...).shows(t, http.StatusOK, again, "Lösenord")
		if after := state(); after != before {
			t.Errorf("POST %s with an old proof:\n before %s\n after  %s", form.path, before, after)
		}
	}
	// With a fresh one they do what they say.
	cecilia.post("/again", "to", "/account", "password", goodPassword).shows(t, 200, "/code/app")
	cecilia.post("/code/backup", "code", printed[0][1]).shows(t, 200, "/account")
	for _, form := range forms[:5] {
		was := state()
		cecilia.post(form.path, form.fields...)
		if state() == was {
			t.Errorf("POST %s with a fresh proof changed nothing", form.path)
		}
	}
}

// Helpdesk's forms lead back to the page that they stand on; what a header says
// of where somebody was counts for nothing.
func TestAgainFromHelpdesk(t *testing.T) {
	b, hanna := openDesk(t)
	person := hanna.personPath("cecilia")
	for range 7 { // an hour and more, and never idle
		b.clock.advance(10 * time.Minute)
		hanna.get("/").shows(t, 200, "/")
	}
	for _, referer := range []string{"", b.server.URL + "/account", "https://evil.example/helpdesk"} {
		form := url.Values{"reason": {"ringde in"}}
		hanna.do(http.MethodPost, person+"/clear-codes", form, "Referer", referer).shows(t, 200, "/again?to="+url.QueryEscape(person))
	}
	hanna.post("/again", "to", person, "password", goodPassword).shows(t, 200, "/code")
	hanna.post("/code", "code", b.code("+46701740609")).shows(t, 200, person, "Cecilia Lind")
	for _, event := range b.events() {
		if strings.HasPrefix(event, "helpdesk-clear-codes") {
			t.Errorf("done with an old proof: %s", event)
		}
	}
}
