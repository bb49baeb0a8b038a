package account

import (
	"errors"
	"fmt"
	"net/http"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
	"stagedoor/otp"
)

// checkPhoneCode takes one try at the code that the page waits for: the one
// from the old number opens the form, the one from the new number ends it.
func (p *Pages) checkPhoneCode(w http.ResponseWriter, v *portal.Visit, data phonePage) error {
	at := &v.Session.Who.Phoning
	challenge := at.OldCode
	if data.Stage == "new" {
		challenge = at.NewCode
	}
	if challenge == "" {
		return p.Redirect(w, v, "/phone")
	}
	if err := p.Codes.Check(v.Context(), challenge, v.Session.ID, v.PostForm.Get("code")); err != nil {
		return p.phoneCodeRefused(w, v, data, err)
	}
	if err := p.auditPhone(v, "phone-code", "ok", data.Stage, at.New); err != nil {
		return err
	}
	if data.Stage == "new" {
		return p.numberProven(w, v, data)
	}
	at.OldDone = true
	return p.keepPhoning(w, v, "/phone")
}

// numberProven makes the proven number the account's. Whoever came to it on
// their way in is in.
func (p *Pages) numberProven(w http.ResponseWriter, v *portal.Visit, data phonePage) error {
	s, at := v.Session, v.Session.Who.Phoning
	act := otp.Act{By: s.AccountID, Name: s.Login(), Address: v.Address,
		Session: s.ID, OldCode: at.OldCode, NewCode: at.NewCode, Proven: s.Who.Factor != ""}
	kind, change := "phone-changed", p.Numbers.Change
	if data.First {
		kind, change = "phone-enrolled", p.Numbers.Enrol
	}
	_, err := change(v.Context(), p.NumberPerson(s.Who.Account, v.Lang), at.New, act)
	s.Who.Phoning = portal.Phoning{}
	if err != nil {
		return p.numberRefused(w, v, kind, at.New, err)
	}
	if err := p.auditPhone(v, kind, "ok", "", at.New); err != nil {
		return err
	}
	if _, err := p.RefreshNumber(v, s); err != nil {
		return err
	}
	return p.enrolled(w, v, factor.SMS, "/phone?done")
}

// numberRefused: the codes were right, and a rule or something that happened
// meanwhile stands against it all the same.
func (p *Pages) numberRefused(w http.ResponseWriter, v *portal.Visit, kind string, phone otp.Phone, err error) error {
	fault := ""
	switch {
	case errors.Is(err, otp.ErrPending):
		fault = "pending"
	case errors.Is(err, otp.ErrTooMany):
		fault = "too-many"
	case errors.Is(err, otp.ErrMoved), errors.Is(err, otp.ErrHasNumber), errors.Is(err, otp.ErrNoPhone), errors.Is(err, otp.ErrUnproven),
		errors.Is(err, otp.ErrSameNumber), errors.Is(err, otp.ErrFrozen), errors.Is(err, otp.ErrElsewhere), errors.Is(err, otp.ErrNotAllowed):
		fault = "moved"
	default:
		return fmt.Errorf("%s: %w", kind, err)
	}
	if err := p.auditPhone(v, kind, "refused", fault, phone); err != nil {
		return err
	}
	if err := p.KeepWho(v); err != nil {
		return err
	}
	data, err := p.phoneState(v)
	if err != nil {
		return err
	}
	data.Fault = fault
	return p.renderPhone(w, v, http.StatusConflict, data)
}

// phoneCodeRefused says what was wrong with a try.
func (p *Pages) phoneCodeRefused(w http.ResponseWriter, v *portal.Visit, data phonePage, err error) error {
	status := http.StatusForbidden
	var wrong *otp.WrongError
	var wait *otp.WaitError
	reason := "wrong"
	switch {
	case errors.As(err, &wrong):
		data.Fault, data.Left = "wrong", wrong.Left
	case errors.Is(err, otp.ErrExpired):
		reason, data.Fault = "expired", "expired"
	case errors.Is(err, otp.ErrUsedUp):
		reason, data.Fault = "used-up", "used-up"
	case errors.As(err, &wait):
		reason = wait.Rule
		p.waits(&data, wait.Rule, wait.Until)
		status = http.StatusTooManyRequests
		if !wait.Until.IsZero() {
			w.Header().Set("Retry-After", portal.RetryAfter(wait.Until.Sub(p.Now())))
		}
	default:
		return fmt.Errorf("check code: %w", err)
	}
	if err := p.auditPhone(v, "phone-code", "refused", reason, v.Session.Who.Phoning.New); err != nil {
		return err
	}
	return p.renderPhone(w, v, status, data)
}

// resendPhoneCode sends the same code again, or a new one where that one is no
// good any more.
func (p *Pages) resendPhoneCode(w http.ResponseWriter, v *portal.Visit, data phonePage) error {
	at := &v.Session.Who.Phoning
	words, challenge, phone := "phone.sms.new", &at.NewCode, at.New
	if data.Stage == "old" {
		number, err := p.NumberOf(v.Context(), v.Session.Who.Account)
		if err != nil {
			return err
		}
		words, challenge, phone = "phone.sms.old", &at.OldCode, number.Phone
	}
	if *challenge != "" {
		_, err := p.Codes.Resend(v.Context(), *challenge, v.Session.ID, p.Site.T(v.Lang, words), "")
		var wait *otp.WaitError
		switch {
		case err == nil:
			if err := p.auditPhone(v, "phone-code-sent", "ok", "resend", phone); err != nil {
				return err
			}
			if data.Recent { // it is the first one: none had been sent
				return p.Redirect(w, v, "/phone")
			}
			return p.Redirect(w, v, "/phone?resent")
		case errors.As(err, &wait):
			return p.phoneResendTooEarly(w, v, data, wait, phone)
		case errors.Is(err, otp.ErrNotSent):
			v.Log.Error("code not sent", "error", err)
			if err := p.auditPhone(v, "phone-code-sent", "error", "not-sent", phone); err != nil {
				return err
			}
			return p.Redirect(w, v, "/phone")
		case !errors.Is(err, otp.ErrExpired) && !errors.Is(err, otp.ErrUsedUp):
			return fmt.Errorf("resend code: %w", err)
		}
	}
	fresh, err := p.startPhoneCode(v, phone, words)
	if err != nil {
		return err
	}
	*challenge = fresh
	return p.keepPhoning(w, v, "/phone")
}

func (p *Pages) phoneResendTooEarly(w http.ResponseWriter, v *portal.Visit, data phonePage, wait *otp.WaitError, phone otp.Phone) error {
	if err := p.auditPhone(v, "phone-code-sent", "refused", wait.Rule, phone); err != nil {
		return err
	}
	if wait.Rule != "cooldown" {
		p.waits(&data, wait.Rule, wait.Until)
	}
	if !wait.Until.IsZero() {
		w.Header().Set("Retry-After", portal.RetryAfter(wait.Until.Sub(p.Now())))
	}
	return p.renderPhone(w, v, http.StatusTooManyRequests, data)
}

// awaitedCode is the challenge whose code /phone waits for: that of the new
// number where there is one, else of the old; empty: none.
func awaitedCode(at portal.Phoning) string {
	if at.New != "" {
		return at.NewCode
	}
	if at.OldDone {
		return ""
	}
	return at.OldCode
}

func (p *Pages) phoneWayOf(v *portal.Visit) (portal.CodeWay, error) {
	return p.CodeWay(v, awaitedCode(v.Session.Who.Phoning), "/phone/way")
}

// phoneWay tells the script of /phone what has become of the code since. Asking
// is not human input, and sends nothing.
func (p *Pages) phoneWay(w http.ResponseWriter, v *portal.Visit) error {
	way, err := p.phoneWayOf(v)
	if err != nil {
		return err
	}
	var data phonePage
	if challenge := awaitedCode(v.Session.Who.Phoning); challenge != "" {
		if err := p.phoneCodeState(v, &data, challenge); err != nil {
			return err
		}
	}
	return p.AnswerCodeWay(w, way, data.ResendIn)
}

// withdrawNumber cancels a waiting change of one's own number: it says no to
// helpdesk's change without freezing anything.
func (p *Pages) withdrawNumber(w http.ResponseWriter, v *portal.Visit, changeID string) error {
	s := v.Session
	change, err := p.Numbers.Cancel(v.Context(), s.AccountID, changeID, otp.Act{
		By: s.AccountID, Name: s.Login(), Address: v.Address, Reason: "withdrawn"})
	if err != nil && !errors.Is(err, otp.ErrNoChange) {
		return err
	}
	if err == nil {
		if err := p.auditPhone(v, "phone-change-cancelled", "ok", "", otp.Phone(change.New)); err != nil {
			return err
		}
	}
	return p.Redirect(w, v, "/phone")
}
