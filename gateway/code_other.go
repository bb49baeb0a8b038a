package gateway

import (
	"errors"
	"fmt"
	"net/http"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
	"stagedoor/otp"
)

type otherPage struct {
	portal.Page
	ways
	SMS, Mail, App, Key, Backup bool
	Masked, MaskedMail          string
}

// otherWays lists what somebody can prove themselves with. A code that helpdesk
// gave out is typed where a printed one is, so that way is always there.
func (p *Gateway) otherWays(w http.ResponseWriter, v *portal.Visit) error {
	s := v.Session
	state := s.Who.Factors
	phone, _ := p.Recipient(s, factor.SMS)
	_, mail := p.Recipient(s, factor.Mail)
	return p.Render(w, v, http.StatusOK, "code-other", otherPage{
		Page: p.Page(v, "title.code-other"), ways: p.waysOf(s), Masked: portal.Masked(phone, ""), MaskedMail: portal.Masked("", mail),
		SMS: phone != "", Mail: mail != "", App: state.Offers(factor.App), Key: state.Offers(factor.Key),
		Backup: state.Offers(factor.Backup),
	})
}

// otherWay has a code sent to somebody who wants one rather than what they were
// asked for. All other ways are links.
func (p *Gateway) otherWay(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	s := v.Session
	way := factor.Kind(v.PostForm.Get("way"))
	if phone, mail := p.Recipient(s, way); phone == "" && mail == "" {
		return p.Redirect(w, v, "/code/other")
	}
	s.Who.Way = way
	waits, err := p.waitsFor(v, way)
	if err != nil {
		return err
	}
	if waits { // one is on its way already
		if err := p.KeepWho(v); err != nil {
			return err
		}
		return p.Redirect(w, v, codeAddress(way))
	}
	if err := p.startWay(v); err != nil {
		return err
	}
	return p.Redirect(w, v, codeAddress(way))
}

// waitsFor tells whether the session is asked for a code that went this way. One
// that went another way ends as soon as a code is sent this way.
func (p *Gateway) waitsFor(v *portal.Visit, way factor.Kind) (bool, error) {
	s := v.Session
	if s.Challenge == "" {
		return false, nil
	}
	challenge, err := p.Codes.Get(v.Context(), s.Challenge, s.ID)
	if errors.Is(err, otp.ErrExpired) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("other way: %w", err)
	}
	return wayOf(challenge) == way, nil
}

// wayOf is how a challenge's code went.
func wayOf(challenge otp.Challenge) factor.Kind {
	if challenge.Mail != "" {
		return factor.Mail
	}
	return factor.SMS
}
