package otp

import (
	"slices"
	"time"

	"stagedoor/store"
)

// The states of a sender's breaker.
const (
	BreakerClosed   = "closed"    // it is tried in its turn
	BreakerOpen     = "open"      // it failed several times in a row: the others come first
	BreakerHalfOpen = "half-open" // the next message tries whether it is well again
)

// SenderHealth is how a sender has done on a node since that one started.
type SenderHealth = store.SenderHealth

// Health is a snapshot of the senders, in their order.
func (r *Route) Health() []SenderHealth {
	health := make([]SenderHealth, len(r.ways))
	for i, w := range r.ways {
		health[i] = w.breaker.state(r.settings.Now(), SenderHealth{Name: w.Sender.Name(), Countries: slices.Clone(w.Countries)})
	}
	return health
}

// NodesHealth is how a sender does on some nodes.
type NodesHealth struct {
	SenderHealth // the latest of each time, over the nodes
	Failing      bool
	Hosts        []string // of the nodes; none: it is so on all that have it
}

// HealthOfNodes puts together what the nodes that run say of their senders, in
// the order of the first node: one line for each sender, or one for each state
// of it where the nodes do not agree.
func HealthOfNodes(nodes []store.Node, now time.Time) []NodesHealth {
	var joined []NodesHealth
	var have []string // names, once for each node
	for _, node := range nodes {
		if node.Gone(now) {
			continue
		}
		for _, h := range node.Senders {
			if h.Breaker == BreakerOpen && !now.Before(h.OpenUntil) { // since the node has written it
				h.Breaker, h.OpenUntil = BreakerHalfOpen, time.Time{}
			}
			failing, host := h.LastFailure.After(h.LastSuccess), node.Host
			have = append(have, h.Name)
			i := slices.IndexFunc(joined, func(j NodesHealth) bool { return j.Name == h.Name && j.Breaker == h.Breaker && j.Failing == failing })
			if i >= 0 {
				joined[i].add(h, host)
				continue
			}
			// After the other states of the same sender, where there are any.
			at := len(joined)
			for k := range joined {
				if joined[k].Name == h.Name {
					at = k + 1
				}
			}
			joined = slices.Insert(joined, at, NodesHealth{h, failing, []string{host}})
		}
	}
	for i, j := range joined {
		if everywhere := len(j.Hosts) == count(have, j.Name); everywhere {
			joined[i].Hosts = nil
		}
	}
	return joined
}

// add counts in one more node on which a sender is as it is here.
func (j *NodesHealth) add(h SenderHealth, host string) {
	j.Hosts = append(j.Hosts, host)
	if h.LastSuccess.After(j.LastSuccess) {
		j.LastSuccess = h.LastSuccess
	}
	if h.OpenUntil.After(j.OpenUntil) {
		j.OpenUntil = h.OpenUntil
	}
	if h.LastFailure.After(j.LastFailure) {
		j.LastFailure, j.Failure = h.LastFailure, h.Failure
	}
}

func count(names []string, name string) (n int) {
	for _, one := range names {
		if one == name {
			n++
		}
	}
	return n
}

// HealthOf is a sender's, or that of each of a route's.
func HealthOf(s Sender) []SenderHealth {
	if route, ok := s.(*Route); ok {
		return route.Health()
	}
	return []SenderHealth{{Name: s.Name(), Breaker: BreakerClosed}}
}
