package gateway

import "net/http"

// logout ends the session and its desktops. The cookies are dropped by name,
// so that the chosen language stays; the rest of what the browser keeps goes
// by Clear-Site-Data.
func (p *Portal) logout(w http.ResponseWriter, v *visit) error {
	if v.session != nil {
		if err := p.end(v, v.session, endLogout); err != nil {
			return err
		}
	}
	p.forget(w)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return p.redirect(w, v, "/login?ended="+endLogout)
}
