package gateway

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/portal"
	"stagedoor/store"
	"stagedoor/targets"
)

type loginPage struct {
	portal.Page
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
func (p *Gateway) loginPage(w http.ResponseWriter, v *portal.Visit) error {
	if v.Session.Ready() {
		return p.Proceed(w, v)
	}
	data := loginPage{}
	if over := v.Ended; over != nil {
		data.Ended, data.EndedMinutes = over.EndReason, max(1, int(p.Set.Idle/time.Minute))
		if over.EndReason == portal.EndAbsolute {
			data.EndedMinutes = int(p.Set.Absolute / time.Minute)
		}
		v.ReturnTo = over.Return
		p.Forget(w)
	}
	if v.URL.Query().Get("ended") == portal.EndLogout {
		data.Ended = portal.EndLogout
	}
	if place := v.URL.Query().Get("target"); placeForm.MatchString(place) {
		v.ReturnTo = place // several desktops, which the page itself knows best
	}
	if v.Ended != nil {
		data.EndedTarget = p.namesOf(v.Ended, v.ReturnTo)
	}
	return p.renderLogin(w, v, http.StatusOK, data)
}

func (p *Gateway) renderLogin(w http.ResponseWriter, v *portal.Visit, status int, data loginPage) error {
	data.Page = p.Page(v, "title.login")
	data.DefaultDomain, data.Target = p.Set.DefaultDomain, v.ReturnTo
	return p.Render(w, v, status, "login", data)
}

// placeForm is where somebody was: the desktops of a page, by their targets' ids.
var placeForm = regexp.MustCompile(`^[a-z0-9-]{1,64}(,[a-z0-9-]{1,64}){0,3}$`)

// namesOf are the names of a place's targets, those that the session's person may see.
func (p *Gateway) namesOf(s *portal.Session, place string) string {
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
func (p *Gateway) login(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	name, password := strings.TrimSpace(v.PostForm.Get("username")), v.PostForm.Get("password")
	if place := v.PostForm.Get("target"); placeForm.MatchString(place) {
		v.ReturnTo = place
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
		data.Wait = p.MinutesUntil(proof.retry)
		w.Header().Set("Retry-After", portal.RetryAfter(proof.retry.Sub(p.Now())))
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
func (p *Gateway) wellFormed(name string) bool {
	_, ok := p.Directory.Canonical(name)
	return ok || strings.ContainsAny(name, `\@`)
}

// offerChange: the password was right but has expired. The person is told so
// on the login page, with the way on; the session remembers who it is.
func (p *Gateway) offerChange(w http.ResponseWriter, v *portal.Visit, account directory.Account, data loginPage) error {
	s := &portal.Session{Session: store.Session{ID: rand.Text(), Step: string(portal.StepExpired), AccountID: account.ID}}
	s.Who = portal.Who{Account: account, CheckedAt: p.Now()}
	s.Return = v.ReturnTo
	if err := p.begun(w, v, s); err != nil {
		return err
	}
	data.Expired = true
	return p.renderLogin(w, v, http.StatusOK, data)
}

// passwordProven begins the session of somebody whose password was right, at
// the step that their factors and the policy lead to.
func (p *Gateway) passwordProven(w http.ResponseWriter, v *portal.Visit, account directory.Account, password string) error {
	s := &portal.Session{Session: store.Session{ID: rand.Text(), AccountID: account.ID}}
	again := v.Session != nil && v.Session.Step == string(portal.StepCode) && v.Session.AccountID == account.ID
	if again { // the code that is on its way stays good
		s = v.Session
	}
	s.Who = portal.Who{Account: account, CheckedAt: p.Now()}
	s.Return = v.ReturnTo
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
	if again && to == portal.StepCode {
		err = p.StepUp(w, v, portal.StepCode, p.Now().Add(p.Set.PreAuth))
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
	if to == portal.StepReady {
		err = p.Settle(w, v, "", reason)
	} else {
		err = p.RecordPerson(v, false, "")
	}
	if err == nil && to == portal.StepCode {
		err = p.startWay(v)
	}
	if err != nil {
		return err
	}
	return p.Proceed(w, v)
}

// needsPassword tells whether any target that the account sees signs in with
// the portal's password; only then is it kept, sealed.
func (p *Gateway) needsPassword(account directory.Account) bool {
	for _, t := range p.Targets.List().VisibleTo(account.MemberOf) {
		if t.Credentials == targets.Session {
			return true
		}
	}
	return false
}
