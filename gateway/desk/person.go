package desk

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"stagedoor/gateway/helpdesk"
	"stagedoor/gateway/portal"
	"stagedoor/store"
)

type personPage struct {
	deskPage
	Facts       helpdesk.Facts
	Name        string // display name; the user name where there is none
	User        string // DOMAIN\name
	Done        string // what was just done, in words
	Fault       string // why something was just not done, in words
	Secret      string // a bypass code, shown once
	SecretUntil time.Time
	Barred      string // why this agent may do nothing here, in words
	Why         []causeView
	Caller      callerView
	Acts        []actForm
	Tries       []tryView

	tried string     // the act that was refused
	typed url.Values // what was typed in its form
}

// causeView is one thing in a person's way: a sentence, what to do, and the form
// that does it.
type causeView struct {
	Text, Advice string
	Stops        bool
	Form         *actForm
}

// callerView is how far an agent has come with whom they have on the telephone.
type callerView struct {
	Verified, Asked bool
	Until           time.Time
	Form            *actForm // sends a code; nil: the agent may not
	Action          string   // where the code that was read back goes
}

// actForm is one thing that an agent may do, with what it leads to.
type actForm struct {
	Action, ID    string
	Title, Effect string
	Reason        string // what was typed, when it was refused
	Open, Tick    bool
	Field, Value  string // a further field's name and what was typed in it; empty: there is none
	Label         string // of that field
	Picks         []pick // of that field, where one picks
	Change        pick   // the change of number that it is about; zero: about none
}

// pick is one of several things that an act can be about.
type pick struct{ Value, Text string }

// tryView is one line of what happened.
type tryView struct {
	At              time.Time
	Text, Where, ID string
	Bad             bool
	Note            string // an agent's reason
}

// accountForm is an account's id as it stands in an address.
var accountForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// personPage shows why somebody cannot get in, and what to do about it.
func (p *Pages) personPage(w http.ResponseWriter, v *portal.Visit) error {
	data := personPage{}
	if done := v.URL.Query().Get("done"); deskActNamed(done) != nil {
		data.Done = p.Site.T(v.Lang, "desk.done."+done)
	}
	return p.renderPerson(w, v, http.StatusOK, data)
}

// renderPerson fills the page in with all that is known of the person.
func (p *Pages) renderPerson(w http.ResponseWriter, v *portal.Visit, status int, data personPage) error {
	id := v.PathValue("account")
	if !accountForm.MatchString(id) {
		return portal.ErrNotFound
	}
	facts, err := p.helpdeskOf(v).Look(v.Context(), p.agentOf(v), id)
	if err != nil {
		return err
	}
	if facts.Gone && len(facts.Tries) == 0 {
		return portal.ErrNotFound
	}
	data.deskPage, data.Facts = p.deskPage(v, "title.person", "find"), facts
	data.User = p.personName(facts)
	if data.Name = facts.State.DisplayName; data.Name == "" {
		data.Name = data.User
	}
	data.Title = data.Name
	if facts.Bars != "" {
		data.Barred = p.refusalText(v, &helpdesk.RefusedError{Rule: facts.Bars})
	}
	used := map[string]bool{}
	for _, cause := range facts.Why {
		data.Why = append(data.Why, p.causeView(v, &data, cause, used))
	}
	data.Caller = p.callerView(v, &data, used)
	if facts.Bars == "" && !facts.Gone {
		for i := range deskActs {
			if act := &deskActs[i]; !used[act.name] && act.offered(facts) {
				data.Acts = append(data.Acts, p.actForm(v, &data, act))
			}
		}
	}
	for _, event := range facts.Tries {
		data.Tries = append(data.Tries, p.tryView(v, event))
	}
	if data.Secret != "" {
		v.Header.Del("Accept-Encoding") // a page with a secret is sent as it is: see gzip in gateway/portal
	}
	return p.Render(w, v, status, "person", data)
}

// personName is DOMAIN\name, from the record where the directory does not tell.
func (p *Pages) personName(f helpdesk.Facts) string {
	if f.State.Name != "" {
		return f.State.Domain + `\` + f.State.Name
	}
	for _, event := range f.Tries {
		if event.AccountID == f.ID {
			return event.Name
		}
	}
	return f.ID
}

func (p *Pages) causeView(v *portal.Visit, data *personPage, c helpdesk.Cause, used map[string]bool) causeView {
	args := []any{"count", c.Count, "since", p.moment(v.Lang, c.Since), "until", p.moment(v.Lang, nextMinute(c.Until))}
	view := causeView{
		Text: p.Site.T(v.Lang, "desk.why."+c.Key, args...), Advice: p.Site.T(v.Lang, "desk.advice."+c.Key, args...), Stops: c.Stops,
	}
	if act := deskActNamed(c.Act); act != nil && data.Facts.Bars == "" && !used[c.Act] {
		used[c.Act] = true
		form := p.actForm(v, data, act)
		view.Form = &form
	}
	return view
}

// moment is a time as a page has it: the clock, with the date where it is not today's.
func (p *Pages) moment(lang string, at time.Time) string {
	if at.IsZero() {
		return p.Site.T(lang, "desk.unknown-time")
	}
	clock := p.Site.Time(lang, at)
	if y, m, d := at.Local().Date(); at.IsZero() || !sameDay(p.Now(), y, m, d) {
		return p.Site.Date(lang, at) + " " + clock
	}
	return clock
}

// nextMinute is when a time has surely come, on a clock without seconds.
func nextMinute(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.Add(time.Minute - time.Nanosecond).Truncate(time.Minute)
}

func sameDay(t time.Time, year int, month time.Month, day int) bool {
	y, m, d := t.Local().Date()
	return y == year && m == month && d == day
}

func (p *Pages) callerView(v *portal.Visit, data *personPage, used map[string]bool) callerView {
	f := data.Facts
	view := callerView{Verified: !f.Caller.Until.IsZero(), Until: f.Caller.Until, Asked: f.Caller.Asked}
	if f.Bars == "" && !f.Gone && f.Phone.Problem == "" {
		used["caller"] = true
		form := p.actForm(v, data, deskActNamed("caller"))
		view.Form, view.Action = &form, personAddress(f.ID)+"/caller-code"
	}
	return view
}

// actForm is the form of an act. One that was just refused is open and keeps
// what was typed.
func (p *Pages) actForm(v *portal.Visit, data *personPage, act *deskAct) actForm {
	form := actForm{
		Action: personAddress(data.Facts.ID) + "/" + act.name, ID: act.name,
		Title:  p.Site.T(v.Lang, "desk.act."+act.name),
		Effect: p.Site.T(v.Lang, "desk.effect."+act.name),
	}
	if act.form != nil {
		act.form(p, v.Lang, data.Facts, &form)
	}
	if form.Open = act.name == data.tried; form.Open {
		form.Reason = portal.Printable(data.typed.Get("reason"), 200)
		form.Value = portal.Printable(data.typed.Get(form.Field), 64)
	}
	return form
}

// tryView says what happened, as the pages of the audit do.
func (p *Pages) tryView(v *portal.Visit, e store.Event) tryView {
	view := tryView{At: e.At, ID: e.RequestID, Bad: e.Result != "ok", Note: e.Detail["why"], Where: e.Address}
	if e.Target != "" {
		view.Where = p.targetName(e.Target)
	}
	kind, result, reason := p.eventWords(v, e)
	view.Text = kind
	if reason != "" {
		view.Text += ": " + reason
	} else if view.Bad {
		view.Text += ": " + result
	}
	if e.Detail["account"] == e.AccountID || e.Detail["account"] == "" {
		return view
	}
	_, agent, _ := strings.Cut(e.Name, `\`)
	view.Where = agent
	return view
}
