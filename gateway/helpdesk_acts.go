package gateway

import (
	"errors"
	"net/http"
	"slices"

	"stagedoor/gateway/helpdesk"
)

// An act is one that an agent's form asks for; its name stands in the address.
type act struct {
	name string
	do   func(p *Portal, v *visit, desk helpdesk.Desk, agent helpdesk.Agent, id, reason string) error
	// offered tells whether it makes sense on a person; nil: always.
	offered func(helpdesk.Facts) bool
}

// acts are all that an agent can do to help, in the order of the page.
var acts = []act{
	{"caller", askCaller, func(f helpdesk.Facts) bool { return f.Phone.Problem == "" }},
	{"caller-code", checkCaller, func(helpdesk.Facts) bool { return false }}, // has a form of its own
	{"resend", resend, func(f helpdesk.Facts) bool { return f.Open != nil }},
	{"unlock", func(_ *Portal, v *visit, d helpdesk.Desk, a helpdesk.Agent, id, reason string) error {
		return d.Unlock(v.Context(), a, id, reason)
	}, func(f helpdesk.Facts) bool { return f.State.Locked }},
	{"clear-password", func(_ *Portal, v *visit, d helpdesk.Desk, a helpdesk.Agent, id, reason string) error {
		return d.ClearPasswords(v.Context(), a, id, reason)
	}, func(f helpdesk.Facts) bool { return f.Limits.WrongPasswords > 0 }},
	{"clear-codes", func(_ *Portal, v *visit, d helpdesk.Desk, a helpdesk.Agent, id, reason string) error {
		return d.ClearCodes(v.Context(), a, id, reason)
	}, func(f helpdesk.Facts) bool { return f.Limits.WrongCodes > 0 }},
	{"clear-sends", func(_ *Portal, v *visit, d helpdesk.Desk, a helpdesk.Agent, id, reason string) error {
		return d.ClearSends(v.Context(), a, id, reason)
	}, func(f helpdesk.Facts) bool { return f.Limits.SendRule == "hour" || f.Limits.SendRule == "day" }},
	{"end-sessions", func(_ *Portal, v *visit, d helpdesk.Desk, a helpdesk.Agent, id, reason string) error {
		return d.EndSessions(v.Context(), a, id, reason)
	}, func(f helpdesk.Facts) bool { return len(f.Sessions) > 0 || f.Open != nil }},
}

func askCaller(p *Portal, v *visit, d helpdesk.Desk, a helpdesk.Agent, id, reason string) error {
	return d.AskCaller(v.Context(), a, id, reason, p.Site.T(v.lang, "code.caller"))
}

func checkCaller(_ *Portal, v *visit, d helpdesk.Desk, a helpdesk.Agent, id, _ string) error {
	return d.CheckCaller(v.Context(), a, id, v.PostForm.Get("code"))
}

func resend(p *Portal, v *visit, d helpdesk.Desk, a helpdesk.Agent, id, reason string) error {
	return d.ResendCode(v.Context(), a, id, reason, p.Site.T(v.lang, "code.sms"))
}

func (p *Portal) isAct(name string) bool {
	return slices.ContainsFunc(acts, func(a act) bool { return a.name == name })
}

// actsFor are the names of the acts that make sense on a person.
func (p *Portal) actsFor(f helpdesk.Facts) (names []string) {
	for _, a := range acts {
		if a.offered == nil || a.offered(f) {
			names = append(names, a.name)
		}
	}
	return names
}

// helpPerson does one act, and shows the person as they are now: after a
// success by way of a redirect, so that a reload does nothing twice.
func (p *Portal) helpPerson(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	name, id := v.PathValue("act"), v.PathValue("account")
	i := slices.IndexFunc(acts, func(a act) bool { return a.name == name })
	if i < 0 || !accountForm.MatchString(id) {
		return errNotFound
	}
	reason := v.PostForm.Get("reason")
	err := acts[i].do(p, v, p.helpdeskOf(v), p.agentOf(v), id, reason)
	var refused *helpdesk.RefusedError
	switch {
	case err == nil:
		return p.redirect(w, v, personAddress(id)+"?done="+name)
	case errors.As(err, &refused):
		v.log.Info("helpdesk act refused", "act", name, "error", err)
		return p.renderPerson(w, v, p.refusalStatus(refused), personPage{Fault: p.refusalText(v, refused)}, name, printable(reason, 200))
	}
	return err
}
