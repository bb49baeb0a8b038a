package gateway_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"stagedoor/gateway"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// help is one act of an agent on somebody, through the pages.
type help struct {
	*bench
	agent, second *browser // hanna, and ada who administers
	path          string   // of the person's page
	account       string
	number        otp.Phone // of the person, in the directory; "" for none
}

// can logs the person in with the code that is sent to them.
func (h *help) can() bool {
	h.t.Helper()
	browser := h.browser()
	browser.login(`AMIDO\cecilia`, goodPassword)
	return browser.post("/code", "code", h.code(h.number)).path == "/"
}

// asked has the agent ask for another number of the person's.
func (h *help) asked() {
	h.t.Helper()
	h.agent.post(h.path+"/number", "reason", "bytt telefon", "number", "070-174 06 33").shows(h.t, 200, h.path+"?done=number")
}

// change are the fields of a form about the change that waits.
func (h *help) change() []string {
	h.t.Helper()
	return []string{"change", h.second.waitingChange(h.path)}
}

// sent is whether a code would be sent to the person now.
func (h *help) sent(session string) error {
	_, err := h.codes.Start(h.t.Context(), otp.Request{SessionID: session, AccountID: h.account, Phone: h.number, Words: "{code}"})
	return err
}

func (h *help) is(what string, holds bool) {
	h.t.Helper()
	if !holds {
		h.t.Errorf("it is not so that %s", what)
	}
}

// Each act of helpdesk, through the pages: what was so before is no more, and the
// audit has it twice, begun and done, with the reason. (Unlocking is TestUnlock's
// in package helpdesk: the directory here lets nobody.)
func TestEachAct(t *testing.T) {
	var session store.Session
	var own *browser
	var before int
	for _, c := range []struct {
		act, kind string
		prepare   func(h *help)
		second    bool // the second agent does it
		fields    func(h *help) []string
		effect    func(h *help)
	}{
		{act: "caller", kind: "helpdesk-caller-code", effect: func(h *help) {
			h.agent.post(h.path+"/caller-code", "code", h.code(h.number)).shows(h.t, 200, h.path+"?done=caller-code")
		}},
		{act: "resend", kind: "helpdesk-resend", prepare: func(h *help) {
			h.browser().login(`AMIDO\cecilia`, goodPassword)
			session, before = h.waiting(h.account)[0], len(h.outbox.Messages(h.number))
			h.clock.advance(time.Minute)
		}, fields: func(*help) []string { return []string{"session", session.ID} }, effect: func(h *help) {
			h.is("one more message went out", len(h.outbox.Messages(h.number)) == before+1)
		}},
		{act: "clear-password", kind: "helpdesk-clear-password", prepare: func(h *help) {
			for range 5 {
				h.browser().login(`AMIDO\cecilia`, "wrong")
			}
			h.is("the right password is refused", h.browser().login(`AMIDO\cecilia`, goodPassword).path == "/login")
		}, effect: func(h *help) { h.is("they can log in", h.can()) }},
		{act: "clear-codes", kind: "helpdesk-clear-codes", prepare: func(h *help) {
			limits := store.TryLimits{LockEvery: 10, Lock: 15 * time.Minute, Stop: 100}
			for range 10 {
				_, _, err := h.store.TakeAccountTry(h.t.Context(), h.account, h.clock.Now(), limits)
				h.must(err)
			}
			h.browser().login(`AMIDO\cecilia`, goodPassword).shows(h.t, 200, "/code", "Försök igen om 15 minuter")
			h.is("no code was sent", len(h.outbox.Messages(h.number)) == 0)
		}, effect: func(h *help) { h.is("they can log in", h.can()) }},
		{act: "clear-sends", kind: "helpdesk-clear-sends", prepare: func(h *help) {
			for i := range 5 {
				h.must(h.sent(fmt.Sprint("s", i)))
				h.clock.advance(2 * time.Minute)
			}
			var wait *otp.WaitError
			h.is("the hour is full", errors.As(h.sent("full"), &wait) && wait.Rule == "hour")
		}, effect: func(h *help) { h.must(h.sent("again")) }},
		{act: "bypass", kind: "helpdesk-bypass", fields: func(*help) []string { return []string{"known", "yes"} }, effect: func(h *help) {
			status, err := h.portal.Factors.Status(h.t.Context(), factor.Person{AccountID: h.account})
			h.is("a code is out", err == nil && !status.BypassUntil.IsZero())
		}},
		{act: "number", kind: "phone-change", fields: func(*help) []string { return []string{"number", "070-174 06 33"} }, effect: func(h *help) {
			change, err := h.store.PendingChange(h.t.Context(), h.account)
			h.is("a change waits", err == nil && change.New == "+46701740633" && change.Reason == "ringde in")
		}},
		{act: "number-confirm", kind: "phone-confirm", effect: func(h *help) {
			number, err := h.store.Number(h.t.Context(), h.account)
			h.is("the directory's number is confirmed", err == nil && number.How == otp.HowConfirmed && number.Phone == string(h.number))
		}},
		{act: "change-confirm", kind: "phone-change-confirm", second: true, prepare: (*help).asked, fields: (*help).change, effect: func(h *help) {
			h.number = "+46701740633"
			h.is("codes go to the new number", h.can())
		}},
		{act: "change-cancel", kind: "phone-change-cancel", prepare: (*help).asked, fields: (*help).change, effect: func(h *help) {
			h.clock.advance(25 * time.Hour)
			h.is("codes go to the old number", h.can())
		}},
		{act: "unfreeze", kind: "phone-unfreeze", second: true, prepare: func(h *help) {
			h.asked()
			link, token, _ := strings.Cut(h.notice(h.number), "?t=")
			h.browser().post(link, "t", token).shows(h.t, 200, link, "Bytet är stoppat")
			h.agent.post(h.path+"/unfreeze", "reason", "det var jag").shows(h.t, 403, h.path+"/unfreeze", "annan handläggare")
		}, effect: func(h *help) {
			number, err := h.store.Number(h.t.Context(), h.account)
			h.is("nothing is frozen", err == nil && number.FrozenAt.IsZero())
			h.asked()
		}},
		{act: "end-sessions", kind: "helpdesk-end-sessions", prepare: func(h *help) { own = h.ready() }, effect: func(h *help) {
			own.get("/").shows(h.t, 200, "/login", "Du loggades ut av en administratör")
		}},
		{act: "factor-remove", kind: "factor-remove", prepare: func(h *help) { h.giveApp(h.account, "app") },
			fields: func(*help) []string { return []string{"factor", "app"} }, effect: func(h *help) {
				left, err := h.store.Factors(h.t.Context(), h.account)
				h.is("no app is left", err == nil && len(left) == 0)
				h.awaitText(h.number, "är borttaget från ditt konto")
			}},
		{act: "end-devices", kind: "helpdesk-end-devices", prepare: func(h *help) {
			own = h.browser()
			own.login(`AMIDO\cecilia`, goodPassword)
			own.post("/code", "code", h.code(h.number), "remember", "1").shows(h.t, 200, "/")
			own.post("/logout")
			own.login(`AMIDO\cecilia`, goodPassword).shows(h.t, 200, "/")
			own.post("/logout")
		}, effect: func(h *help) { own.login(`AMIDO\cecilia`, goodPassword).shows(h.t, 200, "/code") }},
	} {
		t.Run(c.act, func(t *testing.T) {
			b := open(t, func(s *gateway.Settings) {
				s.Factors = factor.Policy{{Need: factor.Required, Allowed: []factor.Kind{factor.SMS, factor.App, factor.Backup}, Remember: 24 * time.Hour}}
			})
			h := &help{bench: b, agent: b.as("hanna", "+46701740609"), second: b.as("ada", "+46701740610"), number: "+46701740607"}
			h.path = h.agent.personPath("cecilia")
			h.account = accountOf(h.path)
			if c.prepare != nil {
				c.prepare(h)
			}
			agent, name := h.agent, "hanna"
			if c.second {
				agent, name = h.second, "ada"
			}
			fields := []string{"reason", "ringde in"}
			if c.fields != nil {
				fields = append(fields, c.fields(h)...)
			}
			if answer := agent.post(h.path+"/"+c.act, fields...); answer.status != 200 || c.act != "bypass" && answer.path != h.path+"?done="+c.act {
				t.Fatalf("%d at %s: %s", answer.status, answer.path, excerpt(answer.body))
			}
			c.effect(h)
			recorded := b.deskEvents()
			for _, result := range []string{"begun", "ok"} {
				if line := c.kind + " " + result + `  AMIDO\` + name + ` -> AMIDO\cecilia: ringde in`; !slices.Contains(recorded, line) {
					t.Errorf("no event %q among\n%s", line, strings.Join(recorded, "\n"))
				}
			}
		})
	}
}
