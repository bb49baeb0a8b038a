package gateway

import (
	"errors"
	"math"
	"net/http"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
	"strconv"
	"time"
)

// auditFactor records what became of a second factor: codes by SMS and mail as "code",
// helpdesk's bypass codes by themselves, all others as "factor".
func (p *Portal) auditFactor(v *visit, kind factor.Kind, result, reason string) error {
	s := v.session
	event := store.Event{Kind: "factor", Result: result, Reason: reason, AccountID: s.AccountID,
		Name: s.who.Account.Domain + `\` + s.who.Account.Name, SessionID: s.ID, Detail: map[string]string{"factor": string(kind)}}
	switch kind {
	case factor.SMS:
		return p.auditCode(v, s, "code", result, reason)
	case factor.Mail:
		event.Kind = "code"
	case factor.Bypass:
		event.Kind, event.Detail = "bypass", nil
	case "":
		event.Detail = nil
	}
	return p.audit(v, event)
}

// trouble is what was wrong with a try at a second factor, as its page says it.
type trouble struct {
	Wrong, Expired, Cloned, Full bool
	Wait                         int // minutes; 0: none
	Blocked                      bool
}

// refusedFactor audits a wrong try, and tells the page what to say. An error
// that is none of package factor's own comes back.
func (p *Portal) refusedFactor(w http.ResponseWriter, v *visit, kind factor.Kind, err error) (t trouble, status int, _ error) {
	status = http.StatusForbidden
	reason := "wrong"
	var locked *factor.LockedError
	switch {
	case errors.As(err, &locked):
		status = http.StatusTooManyRequests
		if reason, t.Blocked = "locked", locked.Until.IsZero(); t.Blocked {
			reason = "blocked"
		} else {
			t.Wait = p.minutesUntil(locked.Until)
			w.Header().Set("Retry-After", retryAfter(locked.Until.Sub(p.Now())))
		}
	case errors.Is(err, factor.ErrCloned):
		reason, t.Cloned = "cloned", true
	case errors.Is(err, factor.ErrExpired):
		reason, t.Expired = "expired", true
	case errors.Is(err, factor.ErrFull):
		reason, t.Full = "full", true
	case errors.Is(err, factor.ErrWrong):
		t.Wrong = true
		v.log.Info("second factor refused", "factor", kind, "error", err)
	default:
		return t, 0, err
	}
	return t, status, p.auditFactor(v, kind, "refused", reason)
}

func (p *Portal) auditCode(v *visit, s *session, kind, result, reason string) error {
	event := store.Event{Kind: kind, Result: result, Reason: reason, AccountID: s.AccountID,
		Name: s.who.Account.Domain + `\` + s.who.Account.Name, SessionID: s.ID}
	switch phone, mail := p.recipient(s, s.who.Way); {
	case kind == "code-sent" && mail != "":
		event.Detail = map[string]string{"mail": otp.MaskMail(mail)}
	case kind == "code-sent" && phone != "":
		event.Detail = map[string]string{"phone": phone.Masked()}
	case mail != "":
		event.Detail = map[string]string{"factor": string(factor.Mail)}
	}
	return p.audit(v, event)
}

// retryAfter is the header's value: whole seconds, at least one.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int(d.Seconds()+0.999)))
}

// recipient is where a code goes by a way: one of the two, or neither where the
// policy does not allow that way or there is nowhere to send it.
func (p *Portal) recipient(s *session, way factor.Kind) (phone otp.Phone, mail string) {
	switch {
	case !s.who.Factors.Offers(way):
	case way == factor.SMS:
		return s.who.Phone, ""
	case way == factor.Mail:
		return "", p.mailFor(s.who.Account)
	}
	return "", ""
}

// masked is a recipient as pages and the audit show it.
func masked(phone otp.Phone, mail string) string {
	switch {
	case mail != "":
		return otp.MaskMail(mail)
	case phone != "":
		return phone.Masked()
	}
	return ""
}

// badForm: the body was not a form.
func badForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return &fault{status: http.StatusBadRequest, message: "bad-request", err: err}
}

// minutesUntil rounds up, and is never less than one.
func (p *Portal) minutesUntil(when time.Time) int {
	return max(1, int(math.Ceil(when.Sub(p.Now()).Minutes())))
}
