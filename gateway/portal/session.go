package portal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// Session is a store.Session with its account decoded.
type Session struct {
	store.Session
	Who Who
}

// Ready tells whether its person is logged in; nobody is where s is nil.
func (s *Session) Ready() bool { return s != nil && s.Step == string(StepReady) }

// Login is the canonical user name, DOMAIN\name.
func (s *Session) Login() string { return s.Who.Account.Domain + `\` + s.Who.Account.Name }

// Who is what the session's row holds of the person, as JSON. No secret.
type Who struct {
	Account   directory.Account
	Phone     otp.Phone // empty: no usable number
	CheckedAt time.Time // when the directory was last asked
	ProvenAt  time.Time // when all that is asked of them was last proven; zero: less was enough to log in
	Factors   factor.State
	Way       factor.Kind // the second factor that is being asked for
	Factor    factor.Kind // the one that was proven; empty: none
	Again     *Again      // they are proving themselves once more; nil: they are not
	Notice    string      // why no code was sent: a WaitError's rule, or "not-sent"
	Until     time.Time   // of the notice
	PhoneFrom string      // otp.FromVerified or otp.FromDirectory; empty: no number
	Phoning   Phoning     // how far a number of theirs has come
}

// Reasons that a session ends for; they stand in the row, in the audit and, as
// a text, on the login page.
const (
	EndLogout   = "logout"
	EndIdle     = "idle"
	EndAbsolute = "absolute"
	EndPreAuth  = "pre-auth" // the code, or the new password, took too long
	EndReplaced = "replaced" // the same account logged in too many times
	EndChanged  = "password-changed"
	EndRevoked  = "revoked"
)

// CookieName is name with the __Host- prefix, which makes browsers insist on
// Secure, Path=/ and no Domain. Over plain HTTP, which only a loopback address
// may have, browsers differ in what they accept, so there it has none.
func (p *Portal) CookieName(name string) string {
	if p.Secure {
		return "__Host-" + name
	}
	return name
}

// SetCookie gives the browser a cookie for its own lifetime; an empty value takes
// it away.
func (p *Portal) SetCookie(w http.ResponseWriter, name, value string) {
	cookie := &http.Cookie{
		Name: p.CookieName(name), Value: value, Path: "/",
		HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

const (
	SessionCookie = "stagedoor"     // id.secret of the session
	KeyCookie     = "stagedoor-key" // the key that the portal password is sealed under
)

// NewSecret is 256 random bits for a cookie, and the hash that the database holds.
func NewSecret() (secret, hash string) {
	var b [32]byte
	_, _ = rand.Read(b[:])
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, HashSecret(secret)
}

// HashSecret is what the database holds of a secret: its SHA-256 in hex.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Encode writes what is known of the person into the row.
func (s *Session) Encode() error {
	account, err := json.Marshal(s.Who)
	s.Account = account
	return err
}

// StepUp moves a session to its next step under a new secret.
func (p *Portal) StepUp(w http.ResponseWriter, v *Visit, to Step, expires time.Time) error {
	s := v.Session
	from := s.Step
	s.Step, s.SeenAt, s.ExpiresAt = string(to), p.Now(), expires
	if err := s.Encode(); err != nil {
		return err
	}
	secret, hash := NewSecret()
	if err := p.Store.StepUp(v.Context(), s.ID, from, s.Session, hash); err != nil {
		return fmt.Errorf("step up to %s: %w", to, err)
	}
	p.SetCookie(w, SessionCookie, s.ID+"."+secret)
	return nil
}

// End ends a session for good: the row, the desktops, the audit.
func (p *Portal) End(v *Visit, s *Session, reason string) error {
	ended, err := p.Store.EndSession(v.Context(), s.ID, reason)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	s.EndReason = reason
	p.Kill(s.ID, reason)
	if v.Session == s {
		v.Session = nil
	}
	if !ended {
		return nil
	}
	return p.AuditEnd(v, s, reason)
}

// AuditEnd records the end of a session that the statement just made has ended.
func (p *Portal) AuditEnd(v *Visit, s *Session, reason string) error {
	return p.Audit(v, store.Event{Kind: "session-end", Result: "ok", Reason: reason,
		AccountID: s.AccountID, Name: s.Login(), SessionID: s.ID})
}

// EndOthers closes and audits sessions of the visit's account that a statement
// has ended: each of them, whatever happens to another's event.
func (p *Portal) EndOthers(v *Visit, account directory.Account, ids []string, reason string) error {
	for _, id := range ids {
		p.Kill(id, reason)
	}
	var failed error
	for _, id := range ids {
		other := &Session{Session: store.Session{ID: id, AccountID: account.ID}, Who: Who{Account: account}}
		failed = errors.Join(failed, p.AuditEnd(v, other, reason))
	}
	return failed
}

// Forget takes the session away from the browser.
func (p *Portal) Forget(w http.ResponseWriter) {
	p.SetCookie(w, SessionCookie, "")
	p.SetCookie(w, KeyCookie, "")
}

// Printable keeps at most max runes of a foreign text and no control characters.
func Printable(text string, max int) string {
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
	var w Who
	if err := json.Unmarshal(row.Account, &w); err != nil {
		return "", "", fmt.Errorf("session %s: %w", row.ID, err)
	}
	return w.Account.Domain + `\` + w.Account.Name, w.Account.DisplayName, nil
}

// Again is a session's person proving themselves once more: the password was
// right at At, and they want to go to To.
type Again struct {
	To string
	At time.Time
}

// Phoning is how far somebody has come with a number of theirs.
type Phoning struct {
	OldCode string    // challenge of the code to the number that they have
	OldDone bool      // it was typed rightly
	New     otp.Phone // the number to have
	NewCode string    // challenge of the code to it
	Notice  string    // why no code was sent: a WaitError's rule, or "not-sent"
	Until   time.Time // of the notice
}

// LoggedIn: all that is asked of somebody was right. The session gets a new
// secret and its full life.
func (p *Portal) LoggedIn(w http.ResponseWriter, v *Visit, kind factor.Kind, reason string) error {
	s := v.Session
	s.Challenge, s.Who.Notice, s.Who.Way, s.Who.Factor = "", "", "", kind
	if kind != "" && kind != factor.Bypass {
		s.Who.ProvenAt = p.Now()
	}
	if err := p.StepUp(w, v, StepReady, p.Now().Add(p.Set.Absolute)); err != nil {
		return err
	}
	return p.Settle(w, v, kind, reason)
}

// Settle is what comes with every session that has become ready: the audit, the
// row of people who have logged in, the browser's mark that they have, and the
// end of the account's oldest sessions beyond the limit.
func (p *Portal) Settle(w http.ResponseWriter, v *Visit, kind factor.Kind, reason string) error {
	s := v.Session
	if err := p.AuditFactor(v, kind, "ok", reason); err != nil {
		return err
	}
	if err := p.RecordPerson(v, true, kind); err != nil {
		return err
	}
	if kind != factor.Bypass { // which vouches for the person, on whatever computer
		if err := p.MakeFamiliar(w, v, s.AccountID); err != nil {
			return err
		}
	}
	ended, err := p.Store.EndOldestSessions(v.Context(), s.AccountID, string(StepReady), p.Set.PerAccount, EndReplaced)
	if err != nil {
		return fmt.Errorf("limit sessions: %w", err)
	}
	return p.EndOthers(v, s.Who.Account, ended, EndReplaced)
}

// KeepWho writes what the session knows of its person.
func (p *Portal) KeepWho(v *Visit) error {
	if err := v.Session.Encode(); err != nil {
		return err
	}
	if err := p.Store.SetChallenge(v.Context(), v.Session.ID, v.Session.Challenge, v.Session.Account); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	return nil
}
