package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
	"stagedoor/otp"
)

type codePage struct {
	portal.Page
	Masked   string // "•• 67", or "a•••@amido.example"
	Mail     bool   // the code goes by mail
	NoPhone  bool   // the directory has no number that a code can be sent to
	NoWay    bool   // nor may one: the policy wants something that the person has not
	NotSent  bool   // the sender failed
	Recent   bool   // none was sent, since one went to another login a moment ago
	Wrong    bool
	Left     int // tries
	Expired  bool
	UsedUp   bool
	Blocked  bool // too many wrong codes on the account: helpdesk opens it
	Wait     int  // minutes until another code may be sent or tried; 0: none
	ResendIn int  // seconds
	Resent   bool
	ways
	Way portal.CodeWay // of the last message
}

// startCode makes a challenge and sends its code. What stood in the way, if
// anything, is remembered for the code page; it is no error of the login.
func (p *Gateway) startCode(v *portal.Visit, phone otp.Phone, mail string) error {
	s := v.Session
	challenge, err := p.Codes.Start(v.Context(), otp.Request{
		SessionID: s.ID, AccountID: s.AccountID, Phone: phone, Mail: mail,
		Words: p.Site.T(v.Lang, "code.sms"), Subject: p.Site.T(v.Lang, "code.mail.subject"),
	})
	s.Challenge, s.Who.Notice, s.Who.Until = challenge.ID, "", time.Time{}
	result, reason := "ok", ""
	var wait *otp.WaitError
	switch {
	case err == nil:
	case errors.As(err, &wait):
		result, reason = "refused", wait.Rule
		s.Who.Notice, s.Who.Until = wait.Rule, wait.Until
	case errors.Is(err, otp.ErrNotSent):
		result, reason = "error", "not-sent"
		s.Who.Notice = "not-sent"
		v.Log.Error("code not sent", "error", err)
	default:
		return fmt.Errorf("start code: %w", err)
	}
	if err := s.Encode(); err != nil {
		return err
	}
	if err := p.Store.SetChallenge(v.Context(), s.ID, s.Challenge, s.Account); err != nil {
		return fmt.Errorf("start code: %w", err)
	}
	return p.AuditCode(v, s, "code-sent", result, reason)
}

// codePage shows where the code went. Looking at it never sends one.
func (p *Gateway) codePage(w http.ResponseWriter, v *portal.Visit) error {
	if to := codeAddress(v.Session.Who.Way); to != "/code" {
		return p.Redirect(w, v, to)
	}
	data, err := p.codeState(v)
	if err != nil {
		return err
	}
	data.Resent = v.URL.Query().Has("resent")
	return p.renderCode(w, v, http.StatusOK, data)
}

// codeState is the page as the challenge stands.
func (p *Gateway) codeState(v *portal.Visit) (codePage, error) {
	s := v.Session
	phone, mail := p.Recipient(s, s.Who.Way)
	data := codePage{Masked: portal.Masked(phone, mail), Mail: s.Who.Way == factor.Mail, NotSent: s.Who.Notice == "not-sent"}
	if data.Masked == "" {
		data.NoWay = s.Who.Phone != "" || !s.Who.Factors.Allows(factor.SMS)
		data.NoPhone = !data.NoWay
		return data, nil
	}
	if s.Challenge == "" {
		data.Blocked = s.Who.Notice == "blocked"
		if s.Who.Until.After(p.Now()) {
			data.Wait = p.MinutesUntil(s.Who.Until)
		}
		data.NotSent = data.NotSent || data.Wait == 0
		return data, nil
	}
	challenge, err := p.Codes.Get(v.Context(), s.Challenge, s.ID)
	if errors.Is(err, otp.ErrExpired) {
		data.Expired = true
		return data, nil
	}
	if err != nil {
		return codePage{}, fmt.Errorf("code page: %w", err)
	}
	data.Left = challenge.Left
	data.ResendIn = max(0, int(challenge.ResendAt.Sub(p.Now()).Seconds()+0.999))
	switch {
	case !challenge.SentAt.IsZero():
		data.NotSent = false
	case s.Who.Notice == "cooldown":
		data.Recent = true
	case s.Who.Until.After(p.Now()):
		data.Wait = p.MinutesUntil(s.Who.Until)
	default:
		data.NotSent = true
	}
	return data, nil
}

func (p *Gateway) renderCode(w http.ResponseWriter, v *portal.Visit, status int, data codePage) error {
	data.Page, data.ways = p.Page(v, "title.code"), p.waysOf(v.Session)
	var err error
	if data.Way, err = p.CodeWay(v, v.Session.Challenge, "/code/way"); err != nil {
		return err
	}
	return p.Render(w, v, status, "code", data)
}

// codeWay tells the script of the code page what has become of the code since.
// Asking is not human input, and sends nothing.
func (p *Gateway) codeWay(w http.ResponseWriter, v *portal.Visit) error {
	way, err := p.CodeWay(v, v.Session.Challenge, "/code/way")
	if err != nil {
		return err
	}
	data, err := p.codeState(v)
	if err != nil {
		return err
	}
	return p.AnswerCodeWay(w, way, data.ResendIn)
}

// checkCode takes one try at the code and, when it is right, logs the person in.
func (p *Gateway) checkCode(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	s := v.Session
	if s.Challenge == "" {
		return p.Redirect(w, v, "/code")
	}
	challenge, err := p.Codes.Get(v.Context(), s.Challenge, s.ID)
	if err != nil && !errors.Is(err, otp.ErrExpired) {
		return fmt.Errorf("check code: %w", err)
	}
	way := wayOf(challenge)
	if err == nil && !s.Who.Factors.Offers(way) { // the policy, or what they have, has changed since it was sent
		return p.Redirect(w, v, codeAddress(s.Who.Way))
	}
	if err == nil {
		err = p.Codes.Check(v.Context(), s.Challenge, s.ID, v.PostForm.Get("code"))
	}
	if err == nil {
		return p.secondProven(w, v, way)
	}
	return p.codeRefused(w, v, err)
}

// codeRefused says what was wrong with a try. After the last try at a code
// another one may be asked for; what is wrong on the account counts on.
func (p *Gateway) codeRefused(w http.ResponseWriter, v *portal.Visit, err error) error {
	s := v.Session
	data, stateErr := p.codeState(v)
	if stateErr != nil {
		return stateErr
	}
	status, reason := http.StatusForbidden, "wrong"
	var wrong *otp.WrongError
	var wait *otp.WaitError
	switch {
	case errors.As(err, &wrong):
		data.Wrong, data.Left = true, wrong.Left
	case errors.Is(err, otp.ErrExpired):
		reason, data.Expired = "expired", true
	case errors.Is(err, otp.ErrUsedUp):
		reason, data.UsedUp = "used-up", true
	case errors.As(err, &wait):
		reason, status = wait.Rule, http.StatusTooManyRequests
		if data.Blocked = wait.Until.IsZero(); !data.Blocked {
			data.Wait = p.MinutesUntil(wait.Until)
			w.Header().Set("Retry-After", portal.RetryAfter(wait.Until.Sub(p.Now())))
		}
	default:
		return fmt.Errorf("check code: %w", err)
	}
	if err := p.AuditCode(v, s, "code", "refused", reason); err != nil {
		return err
	}
	return p.renderCode(w, v, status, data)
}

// resendCode sends the same code again; after it has expired, or when none
// could be sent before, a new one.
func (p *Gateway) resendCode(w http.ResponseWriter, v *portal.Visit) error {
	s := v.Session
	phone, mail := p.Recipient(s, s.Who.Way)
	if phone == "" && mail == "" {
		return p.Redirect(w, v, codeAddress(s.Who.Way))
	}
	if s.Challenge == "" {
		if err := p.startCode(v, phone, mail); err != nil {
			return err
		}
		return p.Redirect(w, v, "/code")
	}
	_, err := p.Codes.Resend(v.Context(), s.Challenge, s.ID, p.Site.T(v.Lang, "code.sms"), p.Site.T(v.Lang, "code.mail.subject"))
	var wait *otp.WaitError
	switch {
	case err == nil:
		if err := p.AuditCode(v, s, "code-sent", "ok", "resend"); err != nil {
			return err
		}
		return p.Redirect(w, v, "/code?resent")
	case errors.Is(err, otp.ErrExpired), errors.Is(err, otp.ErrUsedUp):
		if err := p.startCode(v, phone, mail); err != nil {
			return err
		}
	case errors.Is(err, otp.ErrNotSent):
		v.Log.Error("code not sent", "error", err)
		if err := p.AuditCode(v, s, "code-sent", "error", "not-sent"); err != nil {
			return err
		}
	case errors.As(err, &wait):
		return p.resendTooEarly(w, v, wait)
	default:
		return fmt.Errorf("resend code: %w", err)
	}
	return p.Redirect(w, v, "/code")
}

func (p *Gateway) resendTooEarly(w http.ResponseWriter, v *portal.Visit, wait *otp.WaitError) error {
	if err := p.AuditCode(v, v.Session, "code-sent", "refused", wait.Rule); err != nil {
		return err
	}
	data, err := p.codeState(v)
	if err != nil {
		return err
	}
	switch wait.Rule {
	case "cooldown":
	case "blocked":
		data.Blocked = true
		return p.renderCode(w, v, http.StatusTooManyRequests, data)
	default:
		data.Wait = p.MinutesUntil(wait.Until)
	}
	w.Header().Set("Retry-After", portal.RetryAfter(wait.Until.Sub(p.Now())))
	return p.renderCode(w, v, http.StatusTooManyRequests, data)
}
