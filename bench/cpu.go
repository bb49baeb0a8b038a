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
	cpuRounds    = 5
	manyDesktops = 10
)

// load is one kind of run for CPU: everything at full speed, so that each is
// also a flood.
type load struct {
	name         string
	stream       []byte
	total, heavy int64 // bytes, over all desktops; for relays that need much CPU for each
	desktops     int
}

func loads(mixed, small []byte) []load {
	whole := int64(len(mixed)) // fewer bytes, but the same mix
	return []load{
		{"mixed_cpu_s_per_gb", mixed, 500e6, manyDesktops * whole, manyDesktops},
		{"small_cpu_s_per_gb", small, 120e6, 4e6, manyDesktops},
		{"mixed_one_cpu_s_per_gb", mixed, 500e6, 4 * whole, 1},
		{"small_one_cpu_s_per_gb", small, 120e6, 4e6, 1},
	}
}

// cpu runs each load through all relays, one after the other: what disturbs
// the machine meanwhile disturbs all. The first round warms up; it is short
// and not counted.
func (r *tunnelRun) cpu(ctx context.Context) (err error) {
	rigs, stop, err := r.startAll(ctx)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	for round := range cpuRounds + 1 {
		r.say("tunnel: CPU, round %d of %d", round, cpuRounds)
		for _, l := range loads(r.mixed, smallStream()) {
			if round == 0 {
				l.total /= 5
			}
			for _, each := range rigs {
				if err := r.try(ctx, each.relay, func() error { return r.costOf(ctx, each, l, round > 0) }, l.name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *tunnelRun) costOf(ctx context.Context, each *rig, l load, counts bool) error {
	cost, err := each.carry(ctx, l)
	if err == nil && counts {
		r.add(each.name, l.name, cost)
	}
	return err
}

// carry runs one load through a relay and returns its CPU-seconds for 1e9
// bytes. Nothing that guacd sent may be missing at the viewers.
func (r *rig) carry(ctx context.Context, l load) (float64, error) {
	if r.heavy {
		l.total = min(l.total, l.heavy)
	}
	r.guacd.set(replay(l.stream, l.total/int64(l.desktops)))
	before := r.guacd.sent.Load()
	var received int64
	used, err := cpuDuring([]*worker{r.worker}, func() (err error) {
		received, err = r.view(ctx, l.desktops)
		r.guacd.wait()
		return err
	})
	if err != nil {
		return 0, err
	}
	sent := r.guacd.sent.Load() - before
	if sent < l.total || received < sent {
		return 0, fmt.Errorf("guacd sent %d bytes of %d, the viewers got %d", sent, l.total, received)
	}
	return used[0].Seconds() / (float64(sent) / 1e9), nil
}

// view watches desktops to their end and returns the bytes that came.
func (r *rig) view(ctx context.Context, desktops int) (int64, error) {
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

func (r *rig) viewOne(ctx context.Context) (int64, error) {
	const buffer = 128 << 10
	v, err := r.watch(ctx, viewing{buffer: buffer})
	if err != nil {
		return 0, err
	}
	n, err := discard(v, buffer)
	return n, errors.Join(err, v.close())
}

// profileRelay takes CPU profiles of the product's relay, in a process of its own.
func (r *tunnelRun) profileRelay(ctx context.Context, dir string) error {
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
	for _, l := range loads(r.mixed, smallStream()) {
		ours, err := startRig(ctx, relays()[0], nil, filepath.Join(dir, "tunnel-"+l.name+".pprof"))
		if err != nil {
			return err
		}
		l.total *= 2
		_, err = ours.carry(ctx, l)
		if err = errors.Join(err, ours.stop()); err != nil {
			return err
		}
	}
	return nil
}
