package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// person is a session's, as package factor sees them.
func (p *Portal) person(s *session) factor.Person {
	account := s.who.Account
	return factor.Person{
		AccountID: account.ID, Domain: account.Domain, Name: account.Domain + `\` + account.Name,
		DisplayName: account.DisplayName, MemberOf: account.MemberOf,
		Number: s.who.Phone != "", Mail: p.mailFor(account) != "", Strong: p.strong(account),
	}
}

// mailFor is the address that an account's codes can go to; empty: none can.
func (p *Portal) mailFor(account directory.Account) string {
	if !p.mailCarried(account.Mail) {
		return ""
	}
	return account.Mail
}

// mailCarried tells whether a code can go to an address.
func (p *Portal) mailCarried(address string) bool { return p.Codes.SendsMail() && otp.IsMail(address) }

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

// afterPassword asks what the account has and what the policy wants, and tells
// which step comes next; reason is why no second factor is asked for.
func (p *Portal) afterPassword(v *visit, s *session) (to step, reason string, err error) {
	number, err := p.refreshNumber(v, s)
	if err != nil {
		return "", "", err
	}
	person := p.person(s)
	if s.who.Factors, err = p.factors.State(v.Context(), person); err != nil {
		return "", "", err
	}
	p.offerPhone(s, number)
	state := s.who.Factors
	if !state.Asks() {
		return stepReady, string(state.Need), nil
	}
	if cookie, err := v.Cookie(p.cookieName(deviceCookie)); err == nil {
		remembered, err := p.factors.Remembers(v.Context(), person, cookie.Value, v.address)
		if err != nil {
			return "", "", err
		}
		if remembered {
			return stepReady, "remembered", nil
		}
	}
	if state.MustEnrol() {
		return stepEnrol, "", nil
	}
	if s.who.Way = state.First(); s.who.Way == "" {
		s.who.Way = factor.SMS // whose page tells that a code can go nowhere, and what to do
	}
	return stepCode, "", nil
}

// codeAddress is the page that asks for a kind of second factor.
func codeAddress(way factor.Kind) string {
	switch way {
	case factor.App:
		return "/code/app"
	case factor.Key:
		return "/code/key"
	case factor.Backup, factor.Bypass:
		return "/code/backup"
	}
	return "/code"
}

// startWay sends a code where the way takes one. The session has one on its way
// where it has a challenge: Start sends that one's again, if it is time to.
func (p *Portal) startWay(v *visit) error {
	s := v.session
	if codeAddress(s.who.Way) != "/code" {
		return nil
	}
	switch phone, mail := p.recipient(s, s.who.Way); {
	case phone != "" || mail != "":
		return p.startCode(v, phone, mail)
	case s.who.Phone != "": // which the policy does not allow
		return p.auditCode(v, s, "code-sent", "refused", "no-factor")
	}
	return p.auditCode(v, s, "code-sent", "refused", "no-phone")
}

// ways is what every page that asks for a second factor shows besides.
type ways struct {
	Again        bool // within a session; else on the way in
	RememberDays int  // for how long the browser may be remembered; 0: it may not
}

func (p *Portal) waysOf(s *session) ways {
	again := s.who.Again != nil && s.Step == string(stepReady)
	w := ways{Again: again}
	if !again {
		w.RememberDays = int((s.who.Factors.Remember + 12*time.Hour) / (24 * time.Hour))
	}
	return w
}

// secondProven: a second factor was right.
func (p *Portal) secondProven(w http.ResponseWriter, v *visit, kind factor.Kind) error {
	s := v.session
	if s.Step == string(stepReady) {
		return p.provenAgain(w, v, kind)
	}
	if kind == factor.Bypass && len(s.who.Factors.Has) == 0 && len(s.who.Factors.Owns()) > 0 {
		// Helpdesk knows who this is: they may set up what they lack.
		s.Challenge, s.who.Way, s.who.Factor = "", "", kind
		if err := p.stepUp(w, v, stepEnrol, p.Now().Add(p.set.PreAuth)); err != nil {
			return err
		}
		if err := p.auditFactor(v, kind, "ok", ""); err != nil {
			return err
		}
		return p.proceed(w, v)
	}
	if err := p.loggedIn(w, v, kind, ""); err != nil {
		return err
	}
	if kind != factor.Bypass && v.PostForm.Get("remember") != "" {
		if err := p.remember(w, v); err != nil {
			return err
		}
	}
	return p.proceed(w, v)
}

// loggedIn: all that is asked of somebody was right. The session gets a new
// secret and its full life.
func (p *Portal) loggedIn(w http.ResponseWriter, v *visit, kind factor.Kind, reason string) error {
	s := v.session
	s.Challenge, s.who.Notice, s.who.Way, s.who.Factor = "", "", "", kind
	if kind != "" && kind != factor.Bypass {
		s.who.ProvenAt = p.Now()
	}
	if err := p.stepUp(w, v, stepReady, p.Now().Add(p.set.Absolute)); err != nil {
		return err
	}
	return p.settle(v, kind, reason)
}

// settle is what comes with every session that has become ready: the audit, the
// row of people who have logged in, and the end of the account's oldest sessions
// beyond the limit.
func (p *Portal) settle(v *visit, kind factor.Kind, reason string) error {
	s := v.session
	if err := p.auditFactor(v, kind, "ok", reason); err != nil {
		return err
	}
	if err := p.recordPerson(v, true, kind); err != nil {
		return err
	}
	ended, err := p.Store.EndOldestSessions(v.Context(), s.AccountID, string(stepReady), p.set.PerAccount, endReplaced)
	if err != nil {
		return fmt.Errorf("limit sessions: %w", err)
	}
	return p.endOthers(v, s.who.Account, ended, endReplaced)
}

// recordPerson keeps what is known of somebody who logs in, for helpdesk's
// search and the enrolment of a domain; last is the factor to ask for first from
// now on, empty where that stays as it is.
func (p *Portal) recordPerson(v *visit, ready bool, last factor.Kind) error {
	s := v.session
	account, state := s.who.Account, s.who.Factors
	person := store.Person{
		AccountID: account.ID, Domain: account.Domain, Name: account.Name, DisplayName: account.DisplayName,
		Mail: account.Mail, Phone: string(s.who.Phone), Policy: string(state.Need), PolicyFrom: state.From,
		Groups: p.set.Factors.GroupsOf(p.person(s)), Strong: p.strong(account),
	}
	if s.who.Phone != "" {
		person.PhoneSource = s.who.PhoneFrom
	}
	for _, kind := range state.Has {
		person.Factors = append(person.Factors, string(kind))
	}
	if ready {
		person.LastLogin = p.Now()
	}
	if last != factor.Bypass && last != factor.Backup {
		person.LastFactor = string(last)
	}
	if err := p.Store.PutPerson(v.Context(), person); err != nil {
		return fmt.Errorf("record person: %w", err)
	}
	return nil
}

// refreshFactors has the session and the person's row know of a factor that was
// removed or added. Who has just set one up means to use it: it is asked for
// first.
func (p *Portal) refreshFactors(v *visit, added factor.Kind) error {
	s := v.session
	var err error
	if s.who.Factors, err = p.factors.State(v.Context(), p.person(s)); err != nil {
		return err
	}
	if err := p.keepWho(v); err != nil {
		return err
	}
	return p.recordPerson(v, false, added)
}

// keepWho writes what the session knows of its person.
func (p *Portal) keepWho(v *visit) error {
	if err := v.session.encode(); err != nil {
		return err
	}
	if err := p.Store.SetChallenge(v.Context(), v.session.ID, v.session.Challenge, v.session.Account); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	return nil
}

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

const deviceCookie = "stagedoor-device" // id.secret of a remembered device

// remember has this browser asked for the password only from now on, as long as
// the policy lets it.
func (p *Portal) remember(w http.ResponseWriter, v *visit) error {
	s := v.session
	value, expires, err := p.factors.RememberDevice(v.Context(), p.person(s), s.UserAgent, v.address)
	if err != nil || value == "" {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(deviceCookie), Value: value, Path: "/", Expires: expires,
		HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	})
	return p.audit(v, store.Event{Kind: "device-remember", Result: "ok"})
}
