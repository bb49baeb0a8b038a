package gateway

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// alive: the process answers.
func (p *Portal) alive(w http.ResponseWriter, v *visit) error {
	return p.renderJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// healthCache keeps the last readiness for ten seconds, so that asking cannot
// be used to load the directory.
type healthCache struct {
	mu     sync.Mutex
	at     time.Time
	faults map[string]string
}

// readiness: the database can be written, a directory server of each domain
// answers, and so does a guacd. The reasons stand in the log only.
func (p *Portal) readiness(w http.ResponseWriter, v *visit) error {
	faults := p.faults(v.Context())
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

func (p *Portal) faults(ctx context.Context) map[string]string {
	p.health.mu.Lock()
	defer p.health.mu.Unlock()
	if time.Since(p.health.at) < 10*time.Second {
		return p.health.faults
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 8*time.Second)
	defer cancel()
	faults := map[string]string{}
	if err := p.Store.Ping(ctx); err != nil {
		faults["database"] = err.Error()
	}
	well := map[string]bool{}
	for _, h := range p.Directory.Check(ctx) {
		well[h.Domain] = well[h.Domain] || h.Err == nil
		if h.Err != nil {
			p.Log.Warn("directory server not well", "server", h.Server, "error", h.Err)
		}
	}
	for domain, ok := range well {
		if !ok {
			faults["directory"] = domain
		}
	}
	if err := p.guacds(ctx); err != nil {
		faults["guacd"] = err.Error()
	}
	for part, fault := range faults {
		p.Log.Error("not ready", "part", part, "fault", fault)
	}
	p.health.at, p.health.faults = time.Now(), faults
	return faults
}

// guacds is nil when a guacd that takes new desktops answers.
func (p *Portal) guacds(ctx context.Context) error {
	if err := p.drain(ctx); err != nil {
		return err
	}
	return p.Guacds.Check(ctx)
}

// drain tells the guacds which of them operators are emptying (stagedoor guacd
// drain). It is asked for every desktop, so that it holds at once on every node.
func (p *Portal) drain(ctx context.Context) error {
	drains, err := p.Store.Drains(ctx)
	if err != nil {
		return err
	}
	p.Guacds.Drain(drains)
	return nil
}
