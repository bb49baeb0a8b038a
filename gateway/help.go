package gateway

import "net/http"

type helpPage struct{ page }

// help is "Instruktioner och felsökning", readable before the login.
func (p *Portal) help(w http.ResponseWriter, v *visit) error {
	return p.render(w, v, http.StatusOK, "help", helpPage{p.page(v, "title.help")})
}
