package gateway

import (
	"net/http"

	"stagedoor/targets"
)

// nextPage is the one place that knows which page comes after what has been
// learned. Handlers store what they learned and proceed.
func (p *Portal) nextPage(s *session) string {
	switch {
	case s == nil:
		return "/login"
	case s.Step == string(stepExpired):
		return "/password"
	case s.Step == string(stepCode):
		return codeAddress(s.who.Way)
	case s.Step == string(stepEnrol):
		return "/enrol"
	case s.Return != "":
		return desktopAddress(s.Return)
	case s.Step == string(stepReady):
		return p.home(s)
	default:
		return "/"
	}
}

// home is where somebody starts who wants nothing particular: at their list, or
// at once in the only system that they have, unless the list has something to
// tell them.
func (p *Portal) home(s *session) string {
	visible := p.Targets.List().VisibleTo(s.who.Account.MemberOf)
	if len(visible) == 1 && visible[0].Kind == targets.Desktop && p.expiryDays(s) < 0 && !s.who.Factors.Invites() {
		return item(visible[0]).Href
	}
	return "/"
}

// step puts the login step, the session and the limits of the body around a
// handler.
func (p *Portal) step(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		v := visitOf(req)
		v.Request, v.route = req, r.pattern
		limit := int64(8 << 10)
		if r.options&picture != 0 {
			limit = viewBytes
		}
		req.Body = http.MaxBytesReader(w, req.Body, limit)
		p.answer(w, v, p.enter(w, v, r))
	})
}
