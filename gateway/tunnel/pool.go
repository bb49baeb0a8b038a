package tunnel

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	probeEvery   = 15 * time.Second
	probeTimeout = 5 * time.Second
)

// Pool is the guacds that desktops are spread over: each goes to the one that
// has the fewest of those that answer. A guacd that does not answer is asked
// last, until it does; one that is drained gets no new desktops.
type Pool struct {
	log *slog.Logger

	mu      sync.Mutex
	members []*member // in the order of the configuration
}

type member struct {
	*Guacd
	fault    error // why it is not well; nil: it is, as far as is known
	draining bool
}

// GuacdState is what the pool knows of one guacd.
type GuacdState struct {
	Address  string
	Live     int   // connections, those included that guacd has not freed yet
	Fault    error // nil when it answered last
	Draining bool
}

// NewPool has at least one guacd. A nil log discards.
func NewPool(log *slog.Logger, guacds ...*Guacd) *Pool {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &Pool{log: log}
	for _, g := range guacds {
		p.members = append(p.members, &member{Guacd: g})
	}
	return p
}

// States are in the order of the configuration.
func (p *Pool) States() []GuacdState {
	p.mu.Lock()
	defer p.mu.Unlock()
	states := make([]GuacdState, len(p.members))
	for i, m := range p.members {
		states[i] = GuacdState{Address: m.Address, Live: m.Live(), Fault: m.fault, Draining: m.draining}
	}
	return states
}

// Drain gives exactly these guacds no new desktops; those that they have stay.
func (p *Pool) Drain(addresses []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.members {
		draining := slices.Contains(addresses, m.Address)
		if draining != m.draining {
			m.draining = draining
			p.log.Info("guacd", "address", m.Address, "draining", draining, "desktops", m.Live())
		}
	}
}

// Watch probes the guacds now and then until ctx is over. A lone guacd that is
// well is left alone: there is no choice to make.
func (p *Pool) Watch(ctx context.Context) {
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if p.Fault() != nil || len(p.members) > 1 {
				_ = p.Check(ctx) // its errors are kept in the states
			}
		}
	}
}

// Check probes every guacd at once. It is nil when one that takes new desktops
// answers, or else the error of one that does not.
func (p *Pool) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var all sync.WaitGroup
	for _, m := range p.members {
		all.Go(func() {
			err := m.Probe(ctx)
			if context.Cause(ctx) == context.Canceled {
				return // nobody waits any more: that is not guacd's fault
			}
			p.report(m.Guacd, err)
		})
	}
	all.Wait()
	return p.Fault()
}

// Fault is nil when a guacd that takes new desktops was well last.
func (p *Pool) Fault() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := errDrained
	for _, m := range p.members {
		switch {
		case m.draining:
		case m.fault == nil:
			return nil
		default:
			err = m.fault
		}
	}
	return err
}

// report notes whether a guacd answered.
func (p *Pool) report(g *Guacd, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.members {
		if m.Guacd != g {
			continue
		}
		switch {
		case err != nil && m.fault == nil:
			p.log.Warn("guacd does not answer", "address", g.Address, "error", err)
		case err == nil && m.fault != nil:
			p.log.Info("guacd answers again", "address", g.Address)
		}
		m.fault = err
	}
}

// pick claims a connection to the guacd that is best for a new desktop, but
// none of those that were tried. It is nil when there is none.
func (p *Pool) pick(tried ...*Guacd) *Guacd {
	p.mu.Lock()
	defer p.mu.Unlock()
	var best *member
	for _, m := range p.members {
		if m.draining || slices.Contains(tried, m.Guacd) {
			continue
		}
		if best == nil || m.better(best) {
			best = m
		}
	}
	if best == nil {
		return nil
	}
	best.claim()
	return best.Guacd
}

// better: well before faulty, then the fewer connections.
func (m *member) better(than *member) bool {
	if (m.fault == nil) != (than.fault == nil) {
		return m.fault == nil
	}
	return m.Live() < than.Live()
}
