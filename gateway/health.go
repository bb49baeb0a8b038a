package gateway

import (
	"net/http"
	"time"

	"stagedoor/gateway/portal"
)

// alive: the process answers.
func (p *Gateway) alive(w http.ResponseWriter, v *portal.Visit) error {
	return p.RenderJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness: the database can be written, a directory server of each domain
// answers, and so does a guacd. The reasons stand in the log only.
func (p *Gateway) readiness(w http.ResponseWriter, v *portal.Visit) error {
	faults := p.Peers(v.Context(), 10*time.Second).Faults()
	status, state := http.StatusOK, "ready"
	if len(faults) > 0 {
		status, state = http.StatusServiceUnavailable, "not ready"
	}
	parts := map[string]string{"status": state, "database": "ok", "directory": "ok", "guacd": "ok"}
	for part := range faults {
		parts[part] = "failed"
	}
	return p.RenderJSON(w, status, parts)
}
