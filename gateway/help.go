package gateway

import (
	"cmp"
	"math"
	"net/http"
	"time"

	"stagedoor/webroot"
)

type helpPage struct {
	page
	Help webroot.HelpPage
}

// helpPage is "Instruktioner och felsökning", readable before the login.
func (p *Portal) helpPage(w http.ResponseWriter, v *visit) error {
	data := helpPage{p.page(v, "title.help"), p.help.Page(v.lang)}
	data.Title = cmp.Or(data.Help.Title, data.Title)
	return p.render(w, v, http.StatusOK, "help", data)
}

// helpWords are what the help texts say of this portal.
func (s Settings) helpWords() webroot.HelpWords {
	return webroot.HelpWords{
		Portal: s.Name, Address: s.PublicURL.Scheme + "://" + s.PublicURL.Host,
		Domain:   cmp.Or(s.DefaultDomain, "AMIDO"), // as the login page's own example
		Helpdesk: s.Helpdesk.Name, Phone: s.Helpdesk.Phone, Mail: s.Helpdesk.Mail,
		Idle: minutes(s.Idle), Warning: minutes(s.Warning),
	}
}

// minutes rounds up.
func minutes(d time.Duration) int { return int(math.Ceil(d.Minutes())) }
