package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"stagedoor/directory"
	"stagedoor/gateway/portal"
	"stagedoor/store"
)

type passwordPage struct {
	portal.Page
	Username    string
	Rules       []passwordRule // the directory's own, before anything is typed
	Broken      string         // the rule that the new password broke
	Refused     bool
	Mismatch    bool // new and confirm differ
	Same        bool // new is the current one
	Empty       bool
	NotExpired  bool // only somebody logged in changes a password that is still good
	Forbidden   bool // the account may not change its own password
	Unavailable bool
	Wait        int  // minutes
	Voluntary   bool // the person is logged in
}

// passwordRule is one rule in words.
type passwordRule struct {
	Text  string
	Least int // characters, which the page counts as they are typed; 0: only the directory can tell
}

// passwordPage asks for the current password and the new one twice.
func (p *Gateway) passwordPage(w http.ResponseWriter, v *portal.Visit) error {
	if v.URL.Query().Has("changed") {
		return p.Render(w, v, http.StatusOK, "password-changed", p.Page(v, "title.password-changed"))
	}
	data := passwordPage{}
	if v.Session != nil {
		data.Username = v.Session.Login()
	}
	return p.renderPassword(w, v, http.StatusOK, data)
}

func (p *Gateway) renderPassword(w http.ResponseWriter, v *portal.Visit, status int, data passwordPage) error {
	data.Page = p.Page(v, "title.password")
	data.Voluntary = v.Session.Ready()
	data.Rules = p.rules(v, data.Username)
	return p.Render(w, v, status, "password", data)
}

// rules are the directory's password rules in words; none where it does not
// tell them.
func (p *Gateway) rules(v *portal.Visit, name string) []passwordRule {
	policy, err := p.policy(v.Context(), name)
	if err != nil && name != "" {
		policy, err = p.policy(v.Context(), "")
	}
	if err != nil {
		v.Log.Warn("password policy not readable", "error", err)
		return nil
	}
	var rules []passwordRule
	add := func(least int, key string, args ...any) {
		rules = append(rules, passwordRule{p.Site.T(v.Lang, key, args...), least})
	}
	if policy.MinLength > 0 {
		add(policy.MinLength, "rule.length", "n", policy.MinLength)
	}
	if policy.Complexity {
		add(0, "rule.complexity")
	}
	if policy.History > 0 {
		add(0, "rule.history", "n", policy.History)
	}
	if policy.MinAge > 0 {
		add(0, "rule.min-age", "time", p.Site.Span(v.Lang, policy.MinAge))
	}
	return rules
}

// broken is the text of the rule that a new password broke.
func (p *Gateway) broken(v *portal.Visit, rule directory.Rule) string {
	switch rule {
	case directory.RuleLength:
		return p.Site.T(v.Lang, "rule.broken.length")
	case directory.RuleComplexity:
		return p.Site.T(v.Lang, "rule.broken.complexity")
	case directory.RuleHistory:
		return p.Site.T(v.Lang, "rule.broken.history")
	case directory.RuleTooYoung:
		return p.Site.T(v.Lang, "rule.broken.too-young")
	}
	return p.Site.T(v.Lang, "rule.broken.any")
}

// changePassword changes an expired password for anybody who proves the
// current one, and a good one for the person who is logged in.
func (p *Gateway) changePassword(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	form := v.PostForm
	name, current, fresh := strings.TrimSpace(form.Get("username")), form.Get("current"), form.Get("new")
	data := passwordPage{Username: name}
	switch {
	case name == "" || current == "" || fresh == "":
		data.Empty = true
	case fresh != form.Get("confirm"):
		data.Mismatch = true
	case fresh == current:
		data.Same = true
	}
	if data.Empty || data.Mismatch || data.Same {
		return p.renderPassword(w, v, http.StatusUnprocessableEntity, data)
	}
	proof, err := p.prove(v, "password-proof", name, current)
	if err != nil {
		return err
	}
	status := http.StatusForbidden
	switch {
	case proof.outcome == throttled:
		status, data.Wait = http.StatusTooManyRequests, p.MinutesUntil(proof.retry)
		w.Header().Set("Retry-After", portal.RetryAfter(proof.retry.Sub(p.Now())))
	case proof.outcome == unavailable:
		status, data.Unavailable = http.StatusServiceUnavailable, true
	case proof.outcome == refused:
		data.Refused = true
	case proof.outcome == proven && !p.isSelf(v, proof.account):
		data.NotExpired = true
	default:
		return p.writePassword(w, v, proof.account, current, fresh, data)
	}
	return p.renderPassword(w, v, status, data)
}

// isSelf: the account is the one that is logged in here.
func (p *Gateway) isSelf(v *portal.Visit, account directory.Account) bool {
	return v.Session.Ready() && v.Session.AccountID == account.ID
}

// writePassword has the directory set the new password. Then every session of
// the account ends, this one too: whoever has the old password is out. All of it
// is done though the browser leaves: with the new password in force nobody can
// have it done once more.
func (p *Gateway) writePassword(w http.ResponseWriter, v *portal.Visit, account directory.Account, current, fresh string, data passwordPage) error {
	event := store.Event{Kind: "password-change", Result: "begun", Name: account.Domain + `\` + account.Name, AccountID: account.ID}
	// First that it was begun: a change that nobody could record must not be made.
	if err := p.Audit(v, event); err != nil {
		return err
	}
	// Without an end of its own: the directory's limits hold for each step of it.
	failed := p.Directory.ChangePassword(context.WithoutCancel(v.Context()), event.Name, current, fresh)
	after, cancel := v.Lasting(portal.FollowUp)
	defer cancel()
	if failed == nil {
		event.Result = "ok"
		p.Forget(w)
		if err := p.passwordChanged(w, after, account, event); err != nil {
			return err
		}
		return p.Redirect(w, v, "/password?changed")
	}
	status, fault := p.notChanged(v, failed, &event, &data)
	if err := errors.Join(fault, p.Audit(after, event)); err != nil {
		return err
	}
	return p.renderPassword(w, v, status, data)
}

// passwordChanged records a change that was made and ends what rests on the old
// password. Each is done, whatever happens to another.
func (p *Gateway) passwordChanged(w http.ResponseWriter, v *portal.Visit, account directory.Account, event store.Event) error {
	ended, err := p.Store.EndSessionsOf(v.Context(), account.ID, "", portal.EndChanged)
	if err != nil {
		err = fmt.Errorf("end sessions: %w", err)
	}
	return errors.Join(err, p.Factors.Changed(v.Context(), account.ID), p.EndFamiliar(w, v, account.ID),
		p.Audit(v, event), p.EndOthers(v, account, ended, portal.EndChanged))
}

// notChanged is why the directory did not change a password: for the audit, and
// for the page with its status. fault is what the page has no words for.
func (p *Gateway) notChanged(v *portal.Visit, failed error, event *store.Event, data *passwordPage) (status int, fault error) {
	event.Result, status = "refused", http.StatusUnprocessableEntity
	var rule *directory.PolicyError
	switch {
	case errors.As(failed, &rule):
		event.Reason, data.Broken = string(rule.Rule), p.broken(v, rule.Rule)
		v.Log.Info("new password refused", "rule", rule.Rule, "detail", portal.Printable(rule.Detail, 300))
	case errors.Is(failed, directory.ErrChangeForbidden):
		event.Reason, data.Forbidden = "forbidden", true
	case errors.Is(failed, directory.ErrRefused):
		event.Reason, data.Refused, status = "refused", true, http.StatusForbidden
	case errors.Is(failed, directory.ErrUnavailable):
		event.Result, event.Reason = "error", "directory-unavailable"
		data.Unavailable, status = true, http.StatusServiceUnavailable
		v.Log.Error("password change failed", "error", failed)
	default:
		event.Result, fault = "error", fmt.Errorf("change password: %w", failed)
	}
	return status, fault
}
