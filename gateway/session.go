package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// session is a store.Session with its account decoded.
type session struct {
	store.Session
	who who
}

// who is what the session's row holds of the person, as JSON. No secret.
type who struct {
	Account   directory.Account
	Phone     otp.Phone // empty: no usable number
	CheckedAt time.Time // when the directory was last asked
	ProvenAt  time.Time // when all that is asked of them was last proven; zero: less was enough to log in
	Factors   factor.State
	Way       factor.Kind // the second factor that is being asked for
	Factor    factor.Kind // the one that was proven; empty: none
	Again     *again      // they are proving themselves once more; nil: they are not
	Notice    string      // why no code was sent: a WaitError's rule, or "not-sent"
	Until     time.Time   // of the notice
	PhoneFrom string      // otp.FromVerified or otp.FromDirectory; empty: no number
	Phoning   phoning     // how far a number of theirs has come
}

// Reasons that a session ends for; they stand in the row, in the audit and, as
// a text, on the login page.
const (
	endLogout   = "logout"
	endIdle     = "idle"
	endAbsolute = "absolute"
	endPreAuth  = "pre-auth" // the code, or the new password, took too long
	endReplaced = "replaced" // the same account logged in too many times
	endChanged  = "password-changed"
	endRevoked  = "revoked"
)

// cookieName is name with the __Host- prefix, which makes browsers insist on
// Secure, Path=/ and no Domain. Over plain HTTP, which only a loopback address
// may have, browsers differ in what they accept, so there it has none.
func (p *Portal) cookieName(name string) string {
	if p.secure {
		return "__Host-" + name
	}
	return name
}

func (p *Portal) setCookie(w http.ResponseWriter, name, value string) {
	cookie := &http.Cookie{
		Name: p.cookieName(name), Value: value, Path: "/",
		HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

const (
	sessionCookie = "stagedoor"     // id.secret of the session
	keyCookie     = "stagedoor-key" // the key that the portal password is sealed under
)

// newSecret is 256 random bits for a cookie, and the hash that the database holds.
func newSecret() (secret, hash string) {
	var b [32]byte
	_, _ = rand.Read(b[:])
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, hashSecret(secret)
}

func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// begun creates a session after a password was proven and gives it to the
// browser. Whatever session the browser had before ends.
func (p *Portal) begun(w http.ResponseWriter, v *visit, s *session) error {
	if v.session != nil {
		if err := p.end(v, v.session, endReplaced); err != nil {
			return err
		}
	}
	now := p.Now()
	s.CreatedAt, s.SeenAt, s.ExpiresAt = now, now, now.Add(p.set.PreAuth)
	if s.Step == string(stepReady) {
		s.ExpiresAt = now.Add(p.set.Absolute)
	}
	s.Address, s.UserAgent = v.address, printable(v.UserAgent(), 200)
	if err := s.encode(); err != nil {
		return err
	}
	secret, hash := newSecret()
	if err := p.Store.CreateSession(v.Context(), s.Session, hash); err != nil {
		return fmt.Errorf("new session: %w", err)
	}
	p.setCookie(w, sessionCookie, s.ID+"."+secret)
	v.session = s
	return nil
}

func (s *session) encode() error {
	account, err := json.Marshal(s.who)
	s.Account = account
	return err
}

// stepUp moves a session to its next step under a new secret.
func (p *Portal) stepUp(w http.ResponseWriter, v *visit, to step, expires time.Time) error {
	s := v.session
	from := s.Step
	s.Step, s.SeenAt, s.ExpiresAt = string(to), p.Now(), expires
	if err := s.encode(); err != nil {
		return err
	}
	secret, hash := newSecret()
	if err := p.Store.StepUp(v.Context(), s.ID, from, s.Session, hash); err != nil {
		return fmt.Errorf("step up to %s: %w", to, err)
	}
	p.setCookie(w, sessionCookie, s.ID+"."+secret)
	return nil
}

var sessionCookieForm = regexp.MustCompile(`^([A-Za-z0-9_-]{16,64})\.([A-Za-z0-9_-]{43})$`)

// loadSession finds the browser's session and ends it where its time is over.
func (p *Portal) loadSession(w http.ResponseWriter, v *visit) error {
	cookie, err := v.Cookie(p.cookieName(sessionCookie))
	if err != nil {
		return nil
	}
	parts := sessionCookieForm.FindStringSubmatch(cookie.Value)
	if parts == nil {
		p.forget(w)
		return nil
	}
	row, err := p.Store.FindSession(v.Context(), parts[1], hashSecret(parts[2]))
	if errors.Is(err, store.ErrNotFound) {
		// The cookie stays: this may be a request of another tab that was under way
		// while the session got a new secret, and the answer would take that away.
		return nil
	}
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	s := &session{Session: row}
	if err := json.Unmarshal(row.Account, &s.who); err != nil {
		return fmt.Errorf("session %s: %w", row.ID, err)
	}
	if s.who.Again != nil && p.Now().Sub(s.who.Again.At) > p.set.PreAuth {
		s.who.Again = nil
	}
	if !row.EndedAt.IsZero() {
		v.ended = s
		return nil
	}
	if last := p.desktops.lastInput(s.ID); last.After(s.SeenAt) {
		s.SeenAt = last
	}
	if reason := p.over(s); reason != "" {
		v.ended = s
		return p.end(v, s, reason)
	}
	v.session = s
	v.log = v.log.With("account", s.who.Account.Domain+`\`+s.who.Account.Name)
	return p.recheck(v)
}

// over tells why a session's time is up, or "".
func (p *Portal) over(s *session) string {
	now := p.Now()
	switch {
	case !now.Before(s.ExpiresAt) && s.Step != string(stepReady):
		return endPreAuth
	case !now.Before(s.ExpiresAt):
		return endAbsolute
	case s.Step == string(stepReady) && now.Sub(s.SeenAt) >= p.set.Idle:
		return endIdle
	}
	return ""
}

// recheckEvery is how old the directory's word about a person may get.
const recheckEvery = 5 * time.Minute

// recheck asks the directory again, at most every five minutes, whether the
// person may still be here and in which groups they are. A directory that does
// not answer changes nothing: what it said last stands.
func (p *Portal) recheck(v *visit) error {
	s := v.session
	if s.Step != string(stepReady) || p.Now().Sub(s.who.CheckedAt) < recheckEvery {
		return nil
	}
	barred, err := p.ask(v.Context(), s)
	if err != nil || barred == "" {
		return err
	}
	v.session, v.ended = nil, s
	return p.end(v, s, endRevoked)
}

// end ends a session for good: the row, the desktops, the audit.
func (p *Portal) end(v *visit, s *session, reason string) error {
	ended, err := p.Store.EndSession(v.Context(), s.ID, reason)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	s.EndReason = reason
	p.desktops.kill(s.ID, reason)
	if v.session == s {
		v.session = nil
	}
	if !ended {
		return nil
	}
	return p.auditEnd(v, s, reason)
}

// auditEnd records the end of a session that the statement just made has ended.
func (p *Portal) auditEnd(v *visit, s *session, reason string) error {
	return p.audit(v, store.Event{Kind: "session-end", Result: "ok", Reason: reason,
		AccountID: s.AccountID, Name: s.who.Account.Domain + `\` + s.who.Account.Name, SessionID: s.ID})
}

// endOthers closes and audits sessions of the visit's account that a statement
// has ended.
func (p *Portal) endOthers(v *visit, account directory.Account, ids []string, reason string) error {
	for _, id := range ids {
		p.desktops.kill(id, reason)
		other := &session{Session: store.Session{ID: id, AccountID: account.ID}, who: who{Account: account}}
		if err := p.auditEnd(v, other, reason); err != nil {
			return err
		}
	}
	return nil
}

// forget takes the session away from the browser.
func (p *Portal) forget(w http.ResponseWriter) {
	p.setCookie(w, sessionCookie, "")
	p.setCookie(w, keyCookie, "")
}

// printable keeps at most max runes of a foreign text and no control characters.
func printable(text string, max int) string {
	var b strings.Builder
	for _, r := range text {
		if max--; max < 0 {
			break
		}
		if r < ' ' || r == 0x7f || r == 0xfffd {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// PersonOf is whose session a row is: the canonical user name, and the name that
// people know them by. The command line shows it.
func PersonOf(row store.Session) (name, display string, err error) {
	var w who
	if err := json.Unmarshal(row.Account, &w); err != nil {
		return "", "", fmt.Errorf("session %s: %w", row.ID, err)
	}
	return w.Account.Domain + `\` + w.Account.Name, w.Account.DisplayName, nil
}
