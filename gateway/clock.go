package gateway

import (
	"net/http"
)

// clock tells how long the session has left. Asking is not human input.
func (p *Portal) clock(w http.ResponseWriter, v *visit) error {
	now := p.Now()
	return p.renderJSON(w, http.StatusOK, clockAnswer{
		State:        "ready",
		IdleLeft:     seconds(v.session.SeenAt.Add(p.set.Idle).Sub(now)),
		AbsoluteLeft: seconds(v.session.ExpiresAt.Sub(now)),
		Warn:         seconds(p.set.Warning),
	})
}

// extend is the dialog's "keep working": being an ordinary request of a person
// it has moved the clock already, in enter.
func (p *Portal) extend(w http.ResponseWriter, v *visit) error { return p.clock(w, v) }
