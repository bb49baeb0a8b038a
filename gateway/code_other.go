package gateway

import (
	"net/http"

	"stagedoor/gateway/factor"
)

type otherPage struct {
	page
	ways
	SMS, Mail, App, Key, Backup bool
	Masked                      string
}

// otherWays lists what somebody can prove themselves with. A code that helpdesk
// gave out is typed where a printed one is, so that way is always there.
func (p *Portal) otherWays(w http.ResponseWriter, v *visit) error {
	s := v.session
	state := s.who.Factors
	return p.render(w, v, http.StatusOK, "code-other", otherPage{
		page: p.page(v, "title.code-other"), ways: p.waysOf(s), Masked: s.who.Phone.Masked(),
		SMS: state.Offers(factor.SMS), App: state.Offers(factor.App), Key: state.Offers(factor.Key),
		Backup: state.Offers(factor.Backup),
	})
}

// otherWay has a code sent to somebody who wants one rather than what they were
// asked for. All other ways are links.
func (p *Portal) otherWay(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	s := v.session
	way := factor.Kind(v.PostForm.Get("way"))
	if way != factor.SMS || !s.who.Factors.Offers(way) {
		return p.redirect(w, v, "/code/other")
	}
	s.who.Way = way
	if s.Challenge != "" { // one is on its way already
		if err := p.keepWho(v); err != nil {
			return err
		}
		return p.redirect(w, v, codeAddress(way))
	}
	if err := p.startWay(v); err != nil {
		return err
	}
	return p.redirect(w, v, codeAddress(way))
}
