package gateway

import (
	"net/http"
	"time"
)

// alive: the process answers.
func (p *Portal) alive(w http.ResponseWriter, v *visit) error {
	return p.renderJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness: the database can be written, a directory server of each domain
// answers, and so does a guacd. The reasons stand in the log only.
func (p *Portal) readiness(w http.ResponseWriter, v *visit) error {
	faults := p.peers(v.Context(), 10*time.Second).faults()
	status, state := http.StatusOK, "ready"
	if len(faults) > 0 {
		status, state = http.StatusServiceUnavailable, "not ready"
	}
	parts := map[string]string{"status": state, "database": "ok", "directory": "ok", "guacd": "ok"}
	for part := range faults {
		parts[part] = "failed"
	}
	return p.renderJSON(w, status, parts)
}
