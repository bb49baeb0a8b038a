package portal

import (
	"context"
	"sync"
	"time"

	"stagedoor/directory"
)

// look is what the portal's peers answered when they were last asked.
type look struct {
	At          time.Time
	Database    error
	guacd       error // nil: one that takes new desktops answers
	Directories []directory.Health
}

// healthCache keeps the last look, so that asking cannot be used to load the
// directory.
type healthCache struct {
	mu   sync.Mutex
	last look
}

// PeersTimeout is how long the peers have for an answer, all together.
const PeersTimeout = 5 * time.Second

// Peers asks the database, every directory server and every guacd at the same
// time, unless that was done within maxAge.
func (p *Portal) Peers(ctx context.Context, maxAge time.Duration) look {
	p.health.mu.Lock()
	defer p.health.mu.Unlock()
	if time.Since(p.health.last.At) < maxAge {
		return p.health.last
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), PeersTimeout)
	defer cancel()
	var found look
	var all sync.WaitGroup
	all.Go(func() { found.Database = p.Store.Ping(ctx) })
	all.Go(func() { found.Directories = p.Directory.Check(ctx) })
	all.Go(func() { found.guacd = p.guacds(ctx) })
	all.Wait()
	for _, h := range found.Directories {
		if h.Err != nil {
			p.Log.Warn("directory server not well", "server", h.Server, "error", h.Err)
		}
	}
	for part, fault := range found.Faults() {
		p.Log.Error("not ready", "part", part, "fault", fault)
	}
	found.At = time.Now()
	p.health.last = found
	return found
}

// Faults are the parts without which nobody can work.
func (l look) Faults() map[string]string {
	faults := map[string]string{}
	if l.Database != nil {
		faults["database"] = l.Database.Error()
	}
	well := map[string]bool{}
	for _, h := range l.Directories {
		well[h.Domain] = well[h.Domain] || h.Err == nil
	}
	for domain, ok := range well {
		if !ok {
			faults["directory"] = domain
		}
	}
	if l.guacd != nil {
		faults["guacd"] = l.guacd.Error()
	}
	return faults
}

// guacds is nil when a guacd that takes new desktops answers.
func (p *Portal) guacds(ctx context.Context) error {
	if err := p.Drain(ctx); err != nil {
		return err
	}
	return p.Guacds.Check(ctx)
}

// Drain tells the guacds which of them operators are emptying (stagedoor guacd
// drain). It is asked for every desktop, so that it holds at once on every node.
func (p *Portal) Drain(ctx context.Context) error {
	drains, err := p.Store.Drains(ctx)
	if err != nil {
		return err
	}
	p.Guacds.Drain(drains)
	return nil
}
