package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"stagedoor/store"
)

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
