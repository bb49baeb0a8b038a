package gateway

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/store"
	"stagedoor/targets"
)

type loginPage struct {
	page
	Username      string
	Target        string // to go to after the login
	DefaultDomain string
	Refused       bool
	Expired       bool
	Unavailable   bool
	Malformed     bool
	Wait          int    // minutes; 0: none
	Ended         string // why the last session is over
	EndedMinutes  int
	EndedTarget   string // name of the target whose programs are still open
}

// loginPage asks for name and password, and says why the last session is over.
func (p *Portal) loginPage(w http.ResponseWriter, v *visit) error {
	if v.session != nil && v.session.Step == string(stepReady) {
		return p.proceed(w, v)
	}
	data := loginPage{}
	if over := v.ended; over != nil {
		data.Ended, data.EndedMinutes = over.EndReason, max(1, int(p.set.Idle/time.Minute))
		if over.EndReason == endAbsolute {
			data.EndedMinutes = int(p.set.Absolute / time.Minute)
		}
		v.returnTo = over.Return
		p.forget(w)
	}
	if v.URL.Query().Get("ended") == endLogout {
		data.Ended = endLogout
	}
	if place := v.URL.Query().Get("target"); placeForm.MatchString(place) {
		v.returnTo = place // several desktops, which the page itself knows best
	}
	if v.ended != nil {
		data.EndedTarget = p.namesOf(v.ended, v.returnTo)
	}
	return p.renderLogin(w, v, http.StatusOK, data)
}

func (p *Portal) renderLogin(w http.ResponseWriter, v *visit, status int, data loginPage) error {
	data.page = p.page(v, "title.login")
	data.DefaultDomain, data.Target = p.set.DefaultDomain, v.returnTo
	return p.render(w, v, status, "login", data)
}

// placeForm is where somebody was: the desktops of a page, by their targets' ids.
var placeForm = regexp.MustCompile(`^[a-z0-9-]{1,64}(,[a-z0-9-]{1,64}){0,3}$`)

// namesOf are the names of a place's targets, those that the session's person may see.
func (p *Portal) namesOf(s *session, place string) string {
	var names []string
	for id := range strings.SplitSeq(place, ",") {
		if target, ok := p.targetOf(s, id); ok {
			names = append(names, target.Name)
		}
	}
	return strings.Join(names, ", ")
}

// desktopAddress is the page of a place.
func desktopAddress(place string) string {
	first, beside, several := strings.Cut(place, ",")
	address := "/desktop/" + url.PathEscape(first)
	if several {
		address += "?with=" + beside
	}
	return address
}

// login checks name and password and goes on to the code, or to the change of
// an expired password. All refusals look alike.
func (p *Portal) login(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	name, password := strings.TrimSpace(v.PostForm.Get("username")), v.PostForm.Get("password")
	if place := v.PostForm.Get("target"); placeForm.MatchString(place) {
		v.returnTo = place
	}
	data := loginPage{Username: name}
	if name == "" || password == "" {
		data.Refused = true
		return p.renderLogin(w, v, http.StatusForbidden, data)
	}
	proof, err := p.prove(v, "login", name, password)
	if err != nil {
		return err
	}
	switch proof.outcome {
	case proven:
		return p.passwordProven(w, v, proof.account, password)
	case expired:
		return p.offerChange(w, v, proof.account, data)
	case throttled:
		data.Wait = p.minutesUntil(proof.retry)
		w.Header().Set("Retry-After", retryAfter(proof.retry.Sub(p.Now())))
		return p.renderLogin(w, v, http.StatusTooManyRequests, data)
	case unavailable:
		data.Unavailable = true
		return p.renderLogin(w, v, http.StatusServiceUnavailable, data)
	}
	if data.Malformed = !p.wellFormed(name); !data.Malformed {
		data.Refused = true
	}
	return p.renderLogin(w, v, http.StatusForbidden, data)
}

// wellFormed is false only for a bare name where no domain is the default: the
// person is told how to write it. It tells nothing about accounts.
func (p *Portal) wellFormed(name string) bool {
	_, ok := p.Directory.Canonical(name)
	return ok || strings.ContainsAny(name, `\@`)
}

// offerChange: the password was right but has expired. The person is told so
// on the login page, with the way on; the session remembers who it is.
func (p *Portal) offerChange(w http.ResponseWriter, v *visit, account directory.Account, data loginPage) error {
	s := &session{Session: store.Session{ID: rand.Text(), Step: string(stepExpired), AccountID: account.ID}}
	s.who = who{Account: account, CheckedAt: p.Now()}
	s.Return = v.returnTo
	if err := p.begun(w, v, s); err != nil {
		return err
	}
	data.Expired = true
	return p.renderLogin(w, v, http.StatusOK, data)
}

// passwordProven begins the session of somebody whose password was right, at
// the step that their factors and the policy lead to.
func (p *Portal) passwordProven(w http.ResponseWriter, v *visit, account directory.Account, password string) error {
	s := &session{Session: store.Session{ID: rand.Text(), AccountID: account.ID}}
	again := v.session != nil && v.session.Step == string(stepCode) && v.session.AccountID == account.ID
	if again { // the code that is on its way stays good
		s = v.session
	}
	s.who = who{Account: account, CheckedAt: p.Now()}
	s.Return = v.returnTo
	if p.needsPassword(account) {
		sealed, err := p.seal(w, s.ID, password)
		if err != nil {
			return err
		}
		s.Sealed = sealed
	}
	to, reason, err := p.afterPassword(v, s)
	if err != nil {
		return err
	}
	if again && to == stepCode {
		err = p.stepUp(w, v, stepCode, p.Now().Add(p.set.PreAuth))
	} else {
		s.Step = string(to)
		if again { // the session that waits for a code ends, and a new one begins
			fresh := *s
			fresh.ID, fresh.Challenge = rand.Text(), ""
			s = &fresh
			if s.Sealed != nil {
				if s.Sealed, err = p.seal(w, s.ID, password); err != nil {
					return err
				}
			}
		}
		err = p.begun(w, v, s)
	}
	if err != nil {
		return err
	}
	if to == stepReady {
		err = p.settle(v, "", reason)
	} else {
		err = p.recordPerson(v, false, "")
	}
	if err == nil && to == stepCode {
		err = p.startWay(v)
	}
	if err != nil {
		return err
	}
	return p.proceed(w, v)
}

// needsPassword tells whether any target that the account sees signs in with
// the portal's password; only then is it kept, sealed.
func (p *Portal) needsPassword(account directory.Account) bool {
	for _, t := range p.Targets.List().VisibleTo(account.MemberOf) {
		if t.Credentials == targets.Session {
			return true
		}
	}
	return false
}
