package gateway

import (
	"cmp"
	"math"
	"net/http"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/webroot"
)

type helpPage struct {
	portal.Page
	Help webroot.HelpPage
}

// helpPage is "Instruktioner och felsökning", readable before the login.
func (p *Gateway) helpPage(w http.ResponseWriter, v *portal.Visit) error {
	data := helpPage{p.Page(v, "title.help"), p.help.Page(v.Lang)}
	data.Title = cmp.Or(data.Help.Title, data.Title)
	return p.Render(w, v, http.StatusOK, "help", data)
}

// helpWords are what the help texts say of this portal.
func helpWords(s portal.Settings) webroot.HelpWords {
	return webroot.HelpWords{
		Portal: s.Name, Address: s.PublicURL.Scheme + "://" + s.PublicURL.Host,
		Domain:   cmp.Or(s.DefaultDomain, "AMIDO"), // as the login page's own example
		Helpdesk: s.Helpdesk.Name, Phone: s.Helpdesk.Phone, Mail: s.Helpdesk.Mail,
		Idle: minutes(s.Idle), Warning: minutes(s.Warning),
	}
}

// minutes rounds up.
func minutes(d time.Duration) int { return int(math.Ceil(d.Minutes())) }
