package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// relayKeys are what is measured of each relay; README.md says how.
func relayKeys() []string {
	return []string{
		"mixed_cpu_s_per_gb", "small_cpu_s_per_gb", "latency_p50_us", "latency_p99_us",
		"idle_kb", "idle_tls_kb", "stalled_kb", "frame_age_s",
		// Beyond the comparison's eight:
		"mixed_one_cpu_s_per_gb", "small_one_cpu_s_per_gb", "through_p50_us", "through_p99_us",
		"stalled_gone_s", "frame_age_throttled_s",
	}
}

// crowdKeys are measured of the product's relay alone.
func crowdKeys() []string { return []string{"many_rss_mb", "many_cpu_percent"} }

// directKeys are measured without a relay too.
func directKeys() []string {
	return []string{"through_p50_us", "through_p99_us", "frame_age_s", "frame_age_throttled_s"}
}

// parts are the parts of the comparison, in their order.
func parts() []string { return []string{"cpu", "latency", "idle", "stalled", "age", "crowd"} }

// tunnelRun is the comparison as it runs.
type tunnelRun struct {
	relays []relay // that are installed
	mixed  []byte
	id     *identity
	say    func(string, ...any)

	mu     sync.Mutex
	rounds map[string]map[string]series // by relay and key
	why    map[string]string            // "relay key", or a relay: why it was not measured
	faults error                        // of what is ours
}

// measureTunnel measures the given part, or all. Results may come with an
// error, which says what of ours has failed.
func measureTunnel(ctx context.Context, dir string, o options, say func(string, ...any)) (*tunnelResults, error) {
	mixed, source, err := mixedStream(o.stream)
	if err != nil {
		return nil, err
	}
	id, err := makeIdentity(dir)
	if err != nil {
		return nil, err
	}
	r := newTunnelRun(mixed, id, say)
	measure := map[string]func(context.Context) error{
		"cpu": r.cpu, "latency": r.latency, "idle": r.idle, "stalled": r.stalled, "age": r.frameAge, "crowd": r.crowd,
	}
	for _, part := range parts() {
		if o.part != "" && o.part != part {
			continue
		}
		if err := measure[part](ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
	}
	if err := r.profileRelay(ctx, o.profile); err != nil {
		return nil, err
	}
	return r.results(source), r.faults
}

func newTunnelRun(mixed []byte, id *identity, say func(string, ...any)) *tunnelRun {
	r := &tunnelRun{mixed: mixed, id: id, say: say, rounds: map[string]map[string]series{}, why: map[string]string{}}
	r.rounds["direct"] = map[string]series{}
	for _, each := range relays() {
		r.rounds[each.name] = map[string]series{}
		if missing := each.missing(); missing != "" {
			r.skip(each.name, missing)
		} else {
			r.relays = append(r.relays, each)
		}
	}
	return r
}

// skip notes, and says, why something is not measured.
func (r *tunnelRun) skip(what, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.why[what] == "" {
		r.why[what] = why
		r.say("tunnel: not measured: %s: %s", what, why)
	}
}

// add is one round's number.
func (r *tunnelRun) add(name, key string, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rounds[name][key] = append(r.rounds[name][key], value)
}

// try measures some numbers of a relay. Where it fails, all rounds of these
// numbers are dropped and the run goes on; where it is ours, the run has failed
// nevertheless. An error is the end of the run.
func (r *tunnelRun) try(ctx context.Context, each relay, measure func() error, keys ...string) error {
	what := each.name + " " + keys[0]
	if r.failed(what) {
		return nil
	}
	err := measure()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, key := range keys {
		r.skip(each.name+" "+key, err.Error())
		r.drop(each.name, key)
	}
	if !each.peer {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.faults = errors.Join(r.faults, fmt.Errorf("%s: %w", what, err))
	}
	return nil
}

func (r *tunnelRun) failed(what string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.why[what] != ""
}

func (r *tunnelRun) drop(name, key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.rounds[name], key)
}

// startAll starts all relays; one of somebody else's that does not start is
// left out. stop is to be called also on an error.
func (r *tunnelRun) startAll(ctx context.Context) (rigs []*rig, stop func() error, err error) {
	stop = func() (err error) {
		for _, each := range rigs {
			err = errors.Join(err, each.stop())
		}
		return err
	}
	for _, each := range r.relays {
		rig, err := startRig(ctx, each, nil, "")
		switch {
		case err == nil:
			rigs = append(rigs, rig)
		case each.peer && ctx.Err() == nil:
			r.skip(each.name, err.Error())
		default:
			return nil, stop, err
		}
	}
	return rigs, stop, nil
}

// tunnelResults are the tunnel's numbers.
type tunnelResults struct {
	Mixed   string                         `json:"mixed_stream"` // what it is
	Relays  map[string]map[string]*float64 `json:"relays"`       // medians; null: not measured
	Spread  map[string]map[string]figure   `json:"spread"`       // of what was measured more than once
	Direct  map[string]*float64            `json:"direct"`       // without a relay
	Why     map[string]string              `json:"not_measured"` // the reasons
	Targets []target                       `json:"targets"`
}

// results makes the medians of the rounds. Every relay has every key.
func (r *tunnelRun) results(source string) *tunnelResults {
	t := &tunnelResults{Mixed: source, Why: r.why, Relays: map[string]map[string]*float64{}, Spread: map[string]map[string]figure{}}
	for _, each := range relays() {
		keys := relayKeys()
		if each.name == "stagedoor" {
			keys = append(keys, crowdKeys()...)
		}
		t.Relays[each.name] = t.numbers(each.name, keys, r.rounds[each.name])
	}
	t.Direct = t.numbers("direct", directKeys(), r.rounds["direct"])
	t.Targets = r.targets()
	return t
}

// numbers are the medians, null where there are no rounds, and notes the spread.
func (t *tunnelResults) numbers(name string, keys []string, rounds map[string]series) map[string]*float64 {
	numbers := map[string]*float64{}
	t.Spread[name] = map[string]figure{}
	for _, key := range keys {
		numbers[key] = nil
		if sum, err := rounds[key].sum(); err == nil { // otherwise it was not measured
			numbers[key] = &sum.Median
			if len(rounds[key]) > 1 {
				t.Spread[name][key] = sum
			}
		}
	}
	return numbers
}

// median is null where nothing was measured.
func (s series) median() *float64 {
	if len(s) == 0 {
		return nil
	}
	sum, err := s.sum()
	if err != nil {
		return nil
	}
	return &sum.Median
}

func knownPart(name string) bool { return name == "" || slices.Contains(parts(), name) }
