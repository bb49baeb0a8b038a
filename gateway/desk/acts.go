package desk

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/helpdesk"
	"stagedoor/gateway/portal"
	"stagedoor/otp"
)

// deskVisit is one act that an agent's form asks for.
type deskVisit struct {
	*portal.Visit
	p          *Pages
	desk       helpdesk.Desk
	agent      helpdesk.Agent
	id, reason string
	page       personPage // what is shown at once, without a redirect: a bypass code
}

// deskAct is one that an agent can do; its name stands in the address.
type deskAct struct {
	name string
	do   func(*deskVisit) error
	// offered tells whether it makes sense on a person.
	offered func(helpdesk.Facts) bool
	// form adds fields of its own to the form; nil: the reason alone.
	form func(p *Pages, lang string, f helpdesk.Facts, form *actForm)
}

// words are those of a message to the person, in whatever language is theirs.
func (v *deskVisit) words(key string) helpdesk.Words {
	return func(lang string) string { return v.p.Site.T(lang, key) }
}

// plain is an act that takes a reason and nothing else.
func plain(do func(helpdesk.Desk, *deskVisit) error) func(*deskVisit) error {
	return func(v *deskVisit) error { return do(v.desk, v) }
}

func never(helpdesk.Facts) bool { return false }

// deskActs are all that an agent can do to help, in the order of the page.
var deskActs = []deskAct{
	{"caller", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.AskCaller(v.Context(), v.agent, v.id, v.reason, v.words("code.caller"))
	}), func(f helpdesk.Facts) bool { return f.Phone.Problem == "" }, nil},
	{"caller-code", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.CheckCaller(v.Context(), v.agent, v.id, v.PostForm.Get("code"))
	}), never, nil}, // has a form of its own
	{"resend", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.ResendCode(v.Context(), v.agent, v.id, v.PostForm.Get("session"), v.reason, v.words("code.sms"), v.words("code.mail.subject"))
	}), func(f helpdesk.Facts) bool { return f.Open != nil }, resendForm},
	{"unlock", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.Unlock(v.Context(), v.agent, v.id, v.reason)
	}), func(f helpdesk.Facts) bool { return f.State.Locked }, nil},
	{"clear-password", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.ClearPasswords(v.Context(), v.agent, v.id, v.reason)
	}), func(f helpdesk.Facts) bool { return f.Limits.WrongPasswords+f.Limits.FamiliarWrong > 0 }, nil},
	{"clear-codes", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.ClearCodes(v.Context(), v.agent, v.id, v.reason)
	}), func(f helpdesk.Facts) bool { return f.Limits.WrongCodes > 0 }, nil},
	{"clear-sends", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.ClearSends(v.Context(), v.agent, v.id, v.reason)
	}), func(f helpdesk.Facts) bool { return f.Limits.Clearable() }, nil},
	{"bypass", bypass, func(f helpdesk.Facts) bool { return f.Factors == nil || f.Factors.Asks() }, bypassForm},
	{"number", plain(func(d helpdesk.Desk, v *deskVisit) error {
		_, err := d.CorrectNumber(v.Context(), v.agent, v.id, v.PostForm.Get("number"), v.reason)
		return err
	}), func(f helpdesk.Facts) bool { return f.Phone.Pending == nil }, numberForm},
	{"number-confirm", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.ConfirmNumber(v.Context(), v.agent, v.id, v.reason)
	}), func(f helpdesk.Facts) bool { return f.Phone.Source == otp.FromDirectory && !f.Phone.Verified }, nil},
	{"change-confirm", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.ConfirmChange(v.Context(), v.agent, v.id, v.PostForm.Get("change"), v.reason)
	}), func(f helpdesk.Facts) bool { return f.Phone.Pending != nil && !f.Phone.Pending.Own }, changeForm},
	{"change-cancel", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.CancelChange(v.Context(), v.agent, v.id, v.PostForm.Get("change"), v.reason)
	}), func(f helpdesk.Facts) bool { return f.Phone.Pending != nil }, changeForm},
	{"unfreeze", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.Unfreeze(v.Context(), v.agent, v.id, v.reason)
	}), func(f helpdesk.Facts) bool { return f.Phone.Frozen }, nil},
	{"end-sessions", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.EndSessions(v.Context(), v.agent, v.id, v.reason)
	}), func(f helpdesk.Facts) bool { return len(f.Sessions) > 0 || f.Open != nil }, nil},
	{"factor-remove", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.RemoveFactor(v.Context(), v.agent, v.id, v.PostForm.Get("factor"), v.reason)
	}), func(f helpdesk.Facts) bool { return f.Factors != nil && len(f.Factors.Factors) > 0 }, factorForm},
	{"end-devices", plain(func(d helpdesk.Desk, v *deskVisit) error {
		return d.EndDevices(v.Context(), v.agent, v.id, v.reason)
	}), func(f helpdesk.Facts) bool { return f.Factors != nil && len(f.Factors.Devices) > 0 }, nil},
}

func bypass(v *deskVisit) (err error) {
	v.page.Secret, v.page.SecretUntil, err = v.desk.IssueBypass(v.Context(), v.agent, v.id, v.reason, v.PostForm.Get("known") == "yes")
	return err
}

// bypassForm asks whether the agent knows the person, where no caller is verified.
func bypassForm(_ *Pages, _ string, f helpdesk.Facts, form *actForm) {
	form.Tick = f.Caller.Until.IsZero()
}

func numberForm(p *Pages, lang string, _ helpdesk.Facts, form *actForm) {
	form.Field, form.Label = "number", p.Site.T(lang, "desk.field.number")
}

// changeForm is about the change of number that the page shows, whatever waits when
// the form is sent.
func changeForm(_ *Pages, _ string, f helpdesk.Facts, form *actForm) {
	if waits := f.Phone.Pending; waits != nil {
		form.Change = pick{waits.ID, waits.Masked}
	}
}

func factorForm(p *Pages, lang string, f helpdesk.Facts, form *actForm) {
	form.Field, form.Label = "factor", p.Site.T(lang, "desk.field.factor")
	for _, one := range f.Factors.Factors {
		form.Picks = append(form.Picks, pick{one.ID, strings.TrimSpace(p.kindName(lang, one.Kind) + " " + one.Name)})
	}
}

// resendForm has the agent pick whose code it is, by where and since when they wait.
func resendForm(p *Pages, lang string, f helpdesk.Facts, form *actForm) {
	form.Field, form.Label = "session", p.Site.T(lang, "desk.field.session")
	for _, one := range f.Waiting {
		form.Picks = append(form.Picks, pick{one.SessionID, p.Site.T(lang, "desk.field.session-since", "address", one.Address, "time", p.Site.Clock(lang, one.Since))})
	}
}

func (p *Pages) kindName(lang string, kind factor.Kind) string {
	if key := "desk.kind." + string(kind); p.Site.T(lang, key) != key {
		return p.Site.T(lang, key)
	}
	return string(kind)
}

func deskActNamed(name string) *deskAct {
	i := slices.IndexFunc(deskActs, func(a deskAct) bool { return a.name == name })
	if i < 0 {
		return nil
	}
	return &deskActs[i]
}

// helpPerson does one act, and shows the person as they are now: after a
// success by way of a redirect, so that a reload does nothing twice.
func (p *Pages) helpPerson(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	act, id := deskActNamed(v.PathValue("act")), v.PathValue("account")
	if act == nil || !accountForm.MatchString(id) {
		return portal.ErrNotFound
	}
	doing, done := v.Lasting(actLasts)
	defer done()
	at := &deskVisit{Visit: doing, p: p, desk: p.helpdeskOf(doing), agent: p.agentOf(v), id: id, reason: v.PostForm.Get("reason")}
	err := act.do(at)
	var refused *helpdesk.RefusedError
	switch {
	case errors.As(err, &refused):
		v.Log.Info("helpdesk act refused", "act", act.name, "account", id, "error", err)
		at.page.Fault, at.page.tried, at.page.typed = p.refusalText(v, refused), act.name, v.PostForm
		return p.renderPerson(w, v, p.refusalStatus(refused), at.page)
	case err != nil:
		return err
	case at.page.Secret != "":
		return p.renderPerson(w, v, http.StatusOK, at.page)
	}
	return p.Redirect(w, v, personAddress(id)+"?done="+act.name)
}
