package gateway

import (
	"net/http"
	"time"
)

// clockAnswer is what the idle dialog in the browser goes by. Seconds.
type clockAnswer struct {
	State        string `json:"state"` // "ready", or "over"
	Reason       string `json:"reason,omitempty"`
	IdleLeft     int    `json:"idle_left"`
	AbsoluteLeft int    `json:"absolute_left"`
	Warn         int    `json:"warn"`
}

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

// overJSON answers a script of a page whose session is over.
func (p *Portal) overJSON(w http.ResponseWriter, v *visit) error {
	answer := clockAnswer{State: "over"}
	if v.ended != nil {
		answer.Reason = v.ended.EndReason
	}
	return p.renderJSON(w, http.StatusUnauthorized, answer)
}

// seconds rounds to the nearest whole second.
func seconds(d time.Duration) int { return max(0, int(d.Round(time.Second)/time.Second)) }
