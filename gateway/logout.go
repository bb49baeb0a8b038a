package gateway

import (
	"net/http"

	"stagedoor/gateway/portal"
)

// logout ends the session and its desktops. The cookies are dropped by name,
// so that the chosen language stays; the rest of what the browser keeps goes
// by Clear-Site-Data.
func (p *Gateway) logout(w http.ResponseWriter, v *portal.Visit) error {
	if v.Session != nil {
		if err := p.End(v, v.Session, portal.EndLogout); err != nil {
			return err
		}
	}
	p.Forget(w)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return p.Redirect(w, v, "/login?ended="+portal.EndLogout)
}
