package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	ageWarm = 14 * time.Second // until what a relay and its sockets hold is full
	ageTime = 12 * time.Second
	// How much the system's sockets hold is up to how they happened to grow.
	ageLines = 3 // through each relay
)

// frameAge is how old the frames are that a viewer on a slow line sees. All
// run at once, each on a line of its own: at this pace the CPU is no matter.
func (r *tunnelRun) frameAge(ctx context.Context) error {
	r.say("tunnel: frame age on a line of %d kB/s", lineSpeed/1000)
	var mu sync.Mutex
	var all sync.WaitGroup
	var faults error
	for _, each := range slices.Concat(r.relays, []relay{{name: "direct"}}) {
		for key, throttled := range map[string]bool{"frame_age_s": false, "frame_age_throttled_s": true} {
			all.Go(func() {
				err := r.try(ctx, each, func() error { return r.ageOf(ctx, each, key, throttled) }, key)
				mu.Lock()
				defer mu.Unlock()
				faults = errors.Join(faults, err)
			})
		}
	}
	all.Wait()
	return faults
}

func (r *tunnelRun) ageOf(ctx context.Context, each relay, key string, throttled bool) (err error) {
	rig, err := startRig(ctx, each, nil, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rig.stop()) }()
	rig.guacd.set(frames(throttled))
	var all sync.WaitGroup
	faults := make([]error, ageLines)
	for i := range faults {
		all.Go(func() {
			age, err := rig.age(ctx, ageWarm, ageTime)
			if err == nil {
				r.add(each.name, key, age)
			}
			faults[i] = err
		})
	}
	all.Wait()
	return errors.Join(faults...)
}

// age is the median age of frames in seconds. The viewer answers each as the
// browser client does.
func (r *rig) age(ctx context.Context, warm, long time.Duration) (age float64, err error) {
	v, err := r.watch(ctx, viewing{buffer: 16 << 10, slow: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, v.close()) }()
	var ages series
	began := time.Now()
	for stream := scan(v); time.Since(began) < warm+long; {
		opcode, instruction, err := stream.next()
		if err != nil {
			return 0, err
		}
		if opcode != "sync" {
			continue
		}
		stamp, err := number(instruction)
		if err != nil {
			return 0, err
		}
		if time.Since(began) > warm {
			ages.add(time.Since(time.UnixMilli(stamp)).Seconds())
		}
		if err := v.say(syncInstruction(stamp, "")); err != nil {
			return 0, err
		}
	}
	return median(ages)
}
