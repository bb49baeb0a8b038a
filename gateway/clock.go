package gateway

import (
	"net/http"
	"time"

	"stagedoor/gateway/portal"
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
func (p *Gateway) clock(w http.ResponseWriter, v *portal.Visit) error {
	now := p.Now()
	return p.RenderJSON(w, http.StatusOK, clockAnswer{
		State:        "ready",
		IdleLeft:     seconds(v.Session.SeenAt.Add(p.Set.Idle).Sub(now)),
		AbsoluteLeft: seconds(v.Session.ExpiresAt.Sub(now)),
		Warn:         seconds(p.Set.Warning),
	})
}

// extend is the dialog's "keep working": being an ordinary request of a person
// it has moved the clock already, in enter.
func (p *Gateway) extend(w http.ResponseWriter, v *portal.Visit) error { return p.clock(w, v) }

// overJSON answers a script of a page whose session is over.
func (p *Gateway) overJSON(w http.ResponseWriter, v *portal.Visit) error {
	answer := clockAnswer{State: "over"}
	if v.Ended != nil {
		answer.Reason = v.Ended.EndReason
	}
	return p.RenderJSON(w, http.StatusUnauthorized, answer)
}

// seconds rounds to the nearest whole second.
func seconds(d time.Duration) int { return max(0, int(d.Round(time.Second)/time.Second)) }
