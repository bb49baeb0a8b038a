package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// begun creates a session after a password was proven and gives it to the
// browser. Whatever session the browser had before ends.
func (p *Gateway) begun(w http.ResponseWriter, v *portal.Visit, s *portal.Session) error {
	if v.Session != nil {
		if err := p.End(v, v.Session, portal.EndReplaced); err != nil {
			return err
		}
	}
	now := p.Now()
	s.CreatedAt, s.SeenAt, s.ExpiresAt = now, now, now.Add(p.Set.PreAuth)
	if s.Ready() {
		s.ExpiresAt = now.Add(p.Set.Absolute)
	}
	s.Address, s.UserAgent = v.Address, portal.Printable(v.UserAgent(), 200)
	if err := s.Encode(); err != nil {
		return err
	}
	secret, hash := portal.NewSecret()
	if err := p.Store.CreateSession(v.Context(), s.Session, hash); err != nil {
		return fmt.Errorf("new session: %w", err)
	}
	p.SetCookie(w, portal.SessionCookie, s.ID+"."+secret)
	v.Session = s
	return nil
}

var sessionCookieForm = regexp.MustCompile(`^([A-Za-z0-9_-]{16,64})\.([A-Za-z0-9_-]{43})$`)

// loadSession finds the browser's session and ends it where its time is over.
func (p *Gateway) loadSession(w http.ResponseWriter, v *portal.Visit) error {
	cookie, err := v.Cookie(p.CookieName(portal.SessionCookie))
	if err != nil {
		return nil
	}
	parts := sessionCookieForm.FindStringSubmatch(cookie.Value)
	if parts == nil {
		p.Forget(w)
		return nil
	}
	row, err := p.Store.FindSession(v.Context(), parts[1], portal.HashSecret(parts[2]))
	if errors.Is(err, store.ErrNotFound) {
		// The cookie stays: this may be a request of another tab that was under way
		// while the session got a new secret, and the answer would take that away.
		return nil
	}
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	s := &portal.Session{Session: row}
	if err := json.Unmarshal(row.Account, &s.Who); err != nil {
		return fmt.Errorf("session %s: %w", row.ID, err)
	}
	if s.Who.Again != nil && p.Now().Sub(s.Who.Again.At) > p.Set.PreAuth {
		s.Who.Again = nil
	}
	if !row.EndedAt.IsZero() {
		v.Ended = s
		return nil
	}
	if last := p.desktops.lastInput(s.ID); last.After(s.SeenAt) {
		s.SeenAt = last
	}
	if reason := p.over(s); reason != "" {
		v.Ended = s
		return p.End(v, s, reason)
	}
	v.Session = s
	v.Log = v.Log.With("account", s.Who.Account.Domain+`\`+s.Who.Account.Name)
	return p.recheck(v)
}

// over tells why a session's time is up, or "".
func (p *Gateway) over(s *portal.Session) string {
	now := p.Now()
	switch {
	case !now.Before(s.ExpiresAt) && !s.Ready():
		return portal.EndPreAuth
	case !now.Before(s.ExpiresAt):
		return portal.EndAbsolute
	case s.Ready() && now.Sub(s.SeenAt) >= p.Set.Idle:
		return portal.EndIdle
	}
	return ""
}

// recheckEvery is how old the directory's word about a person may get.
const recheckEvery = 5 * time.Minute

// recheck asks the directory again, at most every five minutes, whether the
// person may still be here and in which groups they are. A directory that does
// not answer changes nothing: what it said last stands.
func (p *Gateway) recheck(v *portal.Visit) error {
	s := v.Session
	if !s.Ready() || p.Now().Sub(s.Who.CheckedAt) < recheckEvery {
		return nil
	}
	barred, err := p.ask(v.Context(), s)
	if err != nil || barred == "" {
		return err
	}
	v.Session, v.Ended = nil, s
	return p.End(v, s, portal.EndRevoked)
}
