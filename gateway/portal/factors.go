package portal

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// AuditFactor records what became of a second factor: codes by SMS and mail as "code",
// helpdesk's bypass codes by themselves, all others as "factor".
func (p *Portal) AuditFactor(v *Visit, kind factor.Kind, result, reason string) error {
	s := v.Session
	event := store.Event{Kind: "factor", Result: result, Reason: reason, AccountID: s.AccountID,
		Name: s.Login(), SessionID: s.ID, Detail: map[string]string{"factor": string(kind)}}
	switch kind {
	case factor.SMS:
		return p.AuditCode(v, s, "code", result, reason)
	case factor.Mail:
		event.Kind = "code"
	case factor.Bypass:
		event.Kind, event.Detail = "bypass", nil
	case "":
		event.Detail = nil
	}
	return p.Audit(v, event)
}

// Trouble is what was wrong with a try at a second factor, as its page says it.
type Trouble struct {
	Wrong, Expired, Cloned, Full bool
	Wait                         int // minutes; 0: none
	Blocked                      bool
}

// RefusedFactor audits a wrong try, and tells the page what to say. An error
// that is none of package factor's own comes back.
func (p *Portal) RefusedFactor(w http.ResponseWriter, v *Visit, kind factor.Kind, err error) (t Trouble, status int, _ error) {
	status = http.StatusForbidden
	reason := "wrong"
	var locked *factor.LockedError
	switch {
	case errors.As(err, &locked):
		status = http.StatusTooManyRequests
		if reason, t.Blocked = "locked", locked.Until.IsZero(); t.Blocked {
			reason = "blocked"
		} else {
			t.Wait = p.MinutesUntil(locked.Until)
			w.Header().Set("Retry-After", RetryAfter(locked.Until.Sub(p.Now())))
		}
	case errors.Is(err, factor.ErrCloned):
		reason, t.Cloned = "cloned", true
	case errors.Is(err, factor.ErrExpired):
		reason, t.Expired = "expired", true
	case errors.Is(err, factor.ErrFull):
		reason, t.Full = "full", true
	case errors.Is(err, factor.ErrWrong):
		t.Wrong = true
		v.Log.Info("second factor refused", "factor", kind, "error", err)
	default:
		return t, 0, err
	}
	return t, status, p.AuditFactor(v, kind, "refused", reason)
}

// AuditCode records what became of a code, with where it goes: masked.
func (p *Portal) AuditCode(v *Visit, s *Session, kind, result, reason string) error {
	event := store.Event{Kind: kind, Result: result, Reason: reason, AccountID: s.AccountID,
		Name: s.Login(), SessionID: s.ID}
	switch phone, mail := p.Recipient(s, s.Who.Way); {
	case kind == "code-sent" && mail != "":
		event.Detail = map[string]string{"mail": otp.MaskMail(mail)}
	case kind == "code-sent" && phone != "":
		event.Detail = map[string]string{"phone": phone.Masked()}
	case mail != "":
		event.Detail = map[string]string{"factor": string(factor.Mail)}
	}
	return p.Audit(v, event)
}

// RetryAfter is the header's value: whole seconds, at least one.
func RetryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int(d.Seconds()+0.999)))
}

// Recipient is where a code goes by a way: one of the two, or neither where the
// policy does not allow that way or there is nowhere to send it.
func (p *Portal) Recipient(s *Session, way factor.Kind) (phone otp.Phone, mail string) {
	switch {
	case !s.Who.Factors.Offers(way):
	case way == factor.SMS:
		return s.Who.Phone, ""
	case way == factor.Mail:
		return "", p.MailFor(s.Who.Account)
	}
	return "", ""
}

// Masked is a recipient as pages and the audit show it.
func Masked(phone otp.Phone, mail string) string {
	switch {
	case mail != "":
		return otp.MaskMail(mail)
	case phone != "":
		return phone.Masked()
	}
	return ""
}

// BadForm: the body was not a form.
func BadForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return &Fault{Status: http.StatusBadRequest, Message: "bad-request", Err: err}
}

// MinutesUntil rounds up, and is never less than one.
func (p *Portal) MinutesUntil(when time.Time) int {
	return max(1, int(math.Ceil(when.Sub(p.Now()).Minutes())))
}
