package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

const (
	tunnelRounds = 3
	mixedBytes   = 500e6 // a run, over all desktops
	smallBytes   = 120e6
	manyDesktops = 10
)

// relay is one way between the viewers and guacd.
type relay struct {
	name  string
	role  string
	work  relayWork
	watch func(ctx context.Context, address string) (viewer, error)
}

// relays are those that are compared, in the order of each round. Further
// peers are further rows.
func relays() []relay {
	return []relay{
		{name: "stagedoor", role: "relay", watch: watchWebSocket},
		{name: "iocopy", role: "copy", watch: watchTCP},
		{name: "splice", role: "copy", work: relayWork{Splice: true}, watch: watchTCP},
	}
}

// tunnelResults are the tunnel's numbers; null is: not measured.
type tunnelResults struct {
	Mixed  string                  `json:"mixed_stream"` // what it is
	Relays map[string]*relayResult `json:"relays"`
	// Ratios are stagedoor's CPU to iocopy's, the median over pairs of runs
	// that followed each other.
	Ratios map[string]figure `json:"stagedoor_to_iocopy"`
}

// relayResult holds medians over the rounds: CPU-seconds of the relay's
// process for 1e9 bytes of guacd's stream, and its memory in KiB.
type relayResult struct {
	Mixed    *float64          `json:"mixed_cpu_s_per_gb"` // 10 desktops
	Small    *float64          `json:"small_cpu_s_per_gb"`
	MixedOne *float64          `json:"mixed_one_cpu_s_per_gb"` // 1 desktop
	SmallOne *float64          `json:"small_one_cpu_s_per_gb"`
	Idle     *float64          `json:"idle_kb"` // a desktop
	Detached *float64          `json:"idle_detached_kb"`
	Spread   map[string]figure `json:"spread"`

	relay    relay
	worker   *worker
	address  string
	perRound map[string]series
}

// load is one kind of run.
type load struct {
	name     string
	stream   []byte
	total    int64
	desktops int
	result   func(*relayResult) **float64
}

func loads(mixed, small []byte) []load {
	return []load{
		{"mixed", mixed, mixedBytes, manyDesktops, func(r *relayResult) **float64 { return &r.Mixed }},
		{"small", small, smallBytes, manyDesktops, func(r *relayResult) **float64 { return &r.Small }},
		{"mixed_one", mixed, mixedBytes, 1, func(r *relayResult) **float64 { return &r.MixedOne }},
		{"small_one", small, smallBytes, 1, func(r *relayResult) **float64 { return &r.SmallOne }},
	}
}

func measureTunnel(ctx context.Context, path, profiles string, say func(string, ...any)) (_ *tunnelResults, err error) {
	mixed, source, err := mixedStream(path)
	if err != nil {
		return nil, err
	}
	guacd, err := startFakeGuacd()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, guacd.stop()) }()

	r := &tunnelResults{Mixed: source, Relays: map[string]*relayResult{}, Ratios: map[string]figure{}}
	defer func() { err = errors.Join(err, r.stop()) }()
	for _, each := range relays() {
		if r.Relays[each.name], err = startRelay(ctx, each, guacd); err != nil {
			return nil, err
		}
	}
	all := loads(mixed, smallStream())
	for round := range tunnelRounds + 1 {
		say("tunnel: round %d of %d", round, tunnelRounds)
		if err := r.round(ctx, guacd, all, round == 0); err != nil {
			return nil, err
		}
	}
	if err := r.add(all); err != nil {
		return nil, err
	}
	say("tunnel: idle desktops")
	if err := r.idle(ctx, guacd); err != nil {
		return nil, err
	}
	return r, profileRelay(ctx, guacd, all, profiles)
}

func startRelay(ctx context.Context, each relay, guacd *fakeGuacd) (*relayResult, error) {
	each.work.Guacd = guacd.address
	r := &relayResult{Spread: map[string]figure{}, perRound: map[string]series{}, relay: each}
	var err error
	r.worker, err = start(ctx, each.role, each.work, &r.address)
	return r, err
}

// round runs each load through all relays, one after the other: what disturbs
// the machine meanwhile disturbs all. A round to warm up is short and not counted.
func (r *tunnelResults) round(ctx context.Context, guacd *fakeGuacd, loads []load, warmUp bool) error {
	for _, l := range loads {
		if warmUp {
			l.total /= 5
		}
		for _, each := range relays() {
			result := r.Relays[each.name]
			cost, err := result.carry(ctx, guacd, l)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", each.name, l.name, err)
			}
			if !warmUp {
				result.perRound[l.name] = append(result.perRound[l.name], cost)
			}
		}
	}
	return nil
}

// profileRelay takes CPU profiles of the product's relay, in a process of its own.
func profileRelay(ctx context.Context, guacd *fakeGuacd, loads []load, dir string) error {
	if dir == "" {
		return nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, l := range loads {
		ours := relays()[0]
		ours.work.Profile = filepath.Join(dir, "tunnel-"+l.name+".pprof")
		r, err := startRelay(ctx, ours, guacd)
		if err != nil {
			return err
		}
		l.total *= 2
		_, err = r.carry(ctx, guacd, l)
		if err = errors.Join(err, r.worker.stop()); err != nil {
			return err
		}
	}
	return nil
}

func (r *tunnelResults) stop() (err error) {
	for _, result := range r.Relays {
		if result.worker != nil {
			err = errors.Join(err, result.worker.stop())
		}
	}
	return err
}

// carry runs one load through a relay and returns its CPU-seconds for 1e9
// bytes. Nothing that guacd sent may be missing at the viewers.
func (r *relayResult) carry(ctx context.Context, guacd *fakeGuacd, l load) (float64, error) {
	guacd.play.Store(&script{stream: l.stream, total: l.total / int64(l.desktops)})
	before := guacd.sent.Load()
	var received int64
	used, err := cpuDuring([]*worker{r.worker}, func() (err error) {
		received, err = r.view(ctx, l.desktops)
		guacd.wait()
		return err
	})
	if err != nil {
		return 0, err
	}
	sent := guacd.sent.Load() - before
	if sent < l.total || received < sent {
		return 0, fmt.Errorf("guacd sent %d bytes of %d, the viewers got %d", sent, l.total, received)
	}
	return used[0].Seconds() / (float64(sent) / 1e9), nil
}

// view watches desktops to their end and returns the bytes that came.
func (r *relayResult) view(ctx context.Context, desktops int) (int64, error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	var total int64
	var faults error
	for range desktops {
		all.Go(func() {
			n, err := r.viewOne(ctx)
			mu.Lock()
			defer mu.Unlock()
			total, faults = total+n, errors.Join(faults, err)
		})
	}
	all.Wait()
	return total, faults
}

func (r *relayResult) viewOne(ctx context.Context) (int64, error) {
	v, err := r.relay.watch(ctx, r.address)
	if err != nil {
		return 0, err
	}
	n, err := v.rest()
	return n, errors.Join(err, v.close())
}

// add makes the medians of the rounds, and the ratios.
func (r *tunnelResults) add(loads []load) error {
	for _, l := range loads {
		for _, result := range r.Relays {
			figure, err := result.perRound[l.name].sum()
			if err != nil {
				return err
			}
			result.Spread[l.name] = figure
			*l.result(result) = &figure.Median
		}
		var ratios series
		ours, copied := r.Relays["stagedoor"].perRound[l.name], r.Relays["iocopy"].perRound[l.name]
		for i := range ours {
			ratios.add(ours[i] / copied[i])
		}
		var err error
		if r.Ratios[l.name], err = ratios.sum(); err != nil {
			return err
		}
	}
	return nil
}
