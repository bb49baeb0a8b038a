package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	latencyRounds = 25
	latencyTime   = 400 * time.Millisecond // of each relay in a round
	latencyWarm   = 200 * time.Millisecond // before
	latencyPace   = 5 * time.Millisecond   // between instructions of a desktop
)

// latency sends paced small instructions through all relays, and over no
// relay at all, in turns. What a relay adds is each instruction's time less
// the median of the direct way in the same round.
func (r *tunnelRun) latency(ctx context.Context) (err error) {
	rigs, stop, err := r.startAll(ctx)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	none, err := startRig(ctx, relay{name: "direct"}, nil, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, none.stop()) }()
	for round := range latencyRounds {
		r.say("tunnel: latency, round %d of %d", round+1, latencyRounds)
		straight, err := none.paced(ctx)
		if err != nil {
			return err
		}
		r.add("direct", "through_p50_us", straight.p50)
		r.add("direct", "through_p99_us", straight.p99)
		for _, each := range rigs {
			err := r.try(ctx, each.relay, func() error {
				through, err := each.paced(ctx)
				if err != nil {
					return err
				}
				r.add(each.name, "latency_p50_us", through.p50-straight.p50)
				r.add(each.name, "latency_p99_us", through.p99-straight.p50)
				r.add(each.name, "through_p50_us", through.p50)
				r.add(each.name, "through_p99_us", through.p99)
				return nil
			}, "latency_p50_us", "latency_p99_us", "through_p50_us", "through_p99_us")
			if err != nil {
				return err
			}
		}
	}
	return nil
}

type halves struct{ p50, p99 float64 } // µs

// paced is how long small instructions take from guacd to the viewer.
func (r *rig) paced(ctx context.Context) (halves, error) {
	zero := time.Now()
	r.guacd.set(paced(latencyPace, zero))
	var mu sync.Mutex
	var all sync.WaitGroup
	var times []float64
	var faults error
	for range manyDesktops {
		all.Go(func() {
			some, err := r.timesOf(ctx, zero)
			mu.Lock()
			defer mu.Unlock()
			times, faults = append(times, some...), errors.Join(faults, err)
		})
	}
	all.Wait()
	r.guacd.wait()
	if faults != nil {
		return halves{}, faults
	}
	p50, p99, err := halfAndWorst(times)
	return halves{p50, p99}, err
}

// timesOf watches one desktop for a while; times are in µs.
func (r *rig) timesOf(ctx context.Context, zero time.Time) (times []float64, err error) {
	v, err := r.watch(ctx, viewing{buffer: 4096})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.close()) }()
	for stream := scan(v); time.Since(zero) < latencyWarm+latencyTime; {
		opcode, instruction, err := stream.next()
		if err != nil {
			return nil, err
		}
		if opcode != "mouse" {
			continue
		}
		sent, err := number(instruction)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", instruction, err)
		}
		if sent > int64(latencyWarm) {
			times = append(times, float64(stream.arrived.Sub(zero)-time.Duration(sent))/float64(time.Microsecond))
		}
	}
	return times, nil
}
