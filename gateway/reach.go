package gateway

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/targets"
)

// reach finds out whether workstations answer, for the list: it opens a TCP
// connection and closes it again. Nothing is sent, and nothing read: whatever
// answers there is not to be trusted. Only targets that somebody has in view
// are asked, each at most every 30 s whoever looks.
type reach struct {
	ctx   context.Context // of the portal
	slots chan struct{}   // one for each connection on its way
	now   func() time.Time
	dial  func(ctx context.Context, address string) error

	mu    sync.Mutex
	known map[string]*probed // by host:port
	busy  int                // probes that wait or are on their way
}

type probed struct {
	up   bool
	at   time.Time     // of the answer; zero: none yet
	done chan struct{} // closed when the probe on its way is over; nil: none is
}

const (
	probesAtOnce   = 8
	probesWaiting  = 256 // in all; what is asked beyond is asked again by the page
	probeTimeout   = 2 * time.Second
	probeEvery     = 30 * time.Second
	probeMemory    = 4096 // addresses
	statusWait     = 2500 * time.Millisecond
	statusPerVisit = 100 // targets in one question: what a screen shows
)

func newReach(ctx context.Context, now func() time.Time) *reach {
	dialer := net.Dialer{KeepAlive: -1}
	return &reach{ctx: ctx, slots: make(chan struct{}, probesAtOnce), now: now, known: map[string]*probed{},
		dial: func(ctx context.Context, address string) error {
			conn, err := dialer.DialContext(ctx, "tcp", address)
			if err != nil {
				return err
			}
			return conn.Close()
		}}
}

// ask tells which addresses answer, as far as it is known before ctx ends.
// What is not known is not in the answer.
func (r *reach) ask(ctx context.Context, addresses []string) map[string]bool {
	for _, done := range r.start(addresses) {
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	answers := map[string]bool{}
	for _, address := range addresses {
		if p := r.known[address]; p != nil && !p.at.IsZero() {
			answers[address] = p.up
		}
	}
	return answers
}

// start begins the probes that are due, and gives what to wait for.
func (r *reach) start(addresses []string) (waits []chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known) > probeMemory { // the list has changed often: those in view are asked anew
		for address, p := range r.known {
			if p.done == nil {
				delete(r.known, address)
			}
		}
	}
	for _, address := range addresses {
		p := r.known[address]
		if p == nil {
			p = &probed{}
			r.known[address] = p
		}
		if p.done == nil && (p.at.IsZero() || r.now().Sub(p.at) >= probeEvery) && r.busy < probesWaiting {
			r.busy++
			p.done = make(chan struct{})
			go r.probe(address, p)
		}
		if p.done != nil {
			waits = append(waits, p.done)
		}
	}
	return waits
}

func (r *reach) probe(address string, p *probed) {
	select {
	case r.slots <- struct{}{}:
	case <-r.ctx.Done():
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, probeTimeout)
	err := r.dial(ctx, address)
	cancel()
	<-r.slots
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy--
	p.up, p.at = err == nil, r.now()
	close(p.done)
	p.done = nil
}

// statusAnswer is what the list's script shows beside the targets it asked
// for, and what has become of the desktops that stand on top.
type statusAnswer struct {
	Targets map[string]string `json:"targets"` // id -> "up", "down" or "yours"; not known: left out
	Running map[string]string `json:"running"` // name of a desktop of this session -> "shown" or "held"
	Waiting bool              `json:"waiting"` // some are being asked: ask again soon
}

// targetStatus answers for the targets in the query that the person may see.
func (p *Gateway) targetStatus(w http.ResponseWriter, v *portal.Visit) error {
	answer := statusAnswer{Targets: map[string]string{}, Running: map[string]string{}}
	yours := p.desktops.inUse(v.Session.AccountID)
	addresses := map[string]string{} // of a target
	asked := v.URL.Query()["target"]
	for _, id := range asked[:min(len(asked), statusPerVisit)] {
		target, ok := p.targetOf(v.Session, id)
		switch {
		case !ok || target.Kind != targets.Desktop:
		case yours[id]:
			answer.Targets[id] = "yours"
		case p.Set.Probe:
			addresses[id] = net.JoinHostPort(target.Host, strconv.Itoa(target.Port))
		}
	}
	if len(addresses) > 0 {
		ctx, cancel := context.WithTimeout(v.Context(), statusWait)
		defer cancel()
		known := p.reach.ask(ctx, valuesOf(addresses))
		for id, address := range addresses {
			up, is := known[address]
			switch {
			case !is:
				answer.Waiting = true
			case up:
				answer.Targets[id] = "up"
			default:
				answer.Targets[id] = "down"
			}
		}
	}
	for _, e := range p.desktops.running(v.Session.ID) {
		answer.Running[e.name.desktop] = e.stateName()
	}
	return p.RenderJSON(w, http.StatusOK, answer)
}

// valuesOf are the values of a map, each once.
func valuesOf(m map[string]string) []string {
	seen := map[string]bool{}
	var values []string
	for _, value := range m {
		if !seen[value] {
			seen[value] = true
			values = append(values, value)
		}
	}
	return values
}
