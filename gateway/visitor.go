package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
	"strings"
	"time"
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

// end ends a session for good: the row, the desktops, the audit.
func (p *Portal) end(v *visit, s *session, reason string) error {
	ended, err := p.Store.EndSession(v.Context(), s.ID, reason)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	s.EndReason = reason
	p.kill(s.ID, reason)
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
		p.kill(id, reason)
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

// again is a session's person proving themselves once more: the password was
// right at At, and they want to go to To.
type again struct {
	To string
	At time.Time
}

// phoning is how far somebody has come with a number of theirs.
type phoning struct {
	OldCode string    // challenge of the code to the number that they have
	OldDone bool      // it was typed rightly
	New     otp.Phone // the number to have
	NewCode string    // challenge of the code to it
	Notice  string    // why no code was sent: a WaitError's rule, or "not-sent"
	Until   time.Time // of the notice
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
