package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	stalledReaders = 50
	stalledFlood   = 6 * time.Second
	stalledMost    = 20e6             // bytes that guacd sends to each at most
	stalledMemory  = 2 << 20          // KiB of the relay at which the flood stops
	stalledWatch   = 20 * time.Second // for the relay to give up
)

// stalled lets readers stop while guacd floods, through one relay after the
// other. Whether a relay gives up is watched while the next one is flooded.
func (r *tunnelRun) stalled(ctx context.Context) (err error) {
	var watching sync.WaitGroup
	defer watching.Wait()
	for _, each := range r.relays {
		r.say("tunnel: %d readers that stop, %s", stalledReaders, each.name)
		err := r.try(ctx, each, func() error {
			s, err := r.stall(ctx, each)
			if err != nil {
				return err
			}
			watching.Go(func() {
				if err := r.watchGone(ctx, s); err != nil {
					r.skip(each.name+" stalled_gone_s", err.Error())
				}
			})
			return nil
		}, "stalled_kb")
		if err != nil {
			return err
		}
	}
	return nil
}

// stall is readers who do not read.
type stall struct {
	room
	began time.Time
}

// stall floods and takes the peak of the relay's memory.
func (r *tunnelRun) stall(ctx context.Context, each relay) (s *stall, err error) {
	rig, err := startRig(ctx, each, nil, "")
	if err != nil {
		return nil, err
	}
	s = &stall{room: room{rig: rig}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.end())
		}
	}()
	flooding, stop := context.WithCancel(ctx)
	defer stop() // after the peak: one that takes everything has enough
	stream, err := playable(r.mixed[:min(len(r.mixed), 1<<20)])
	if err != nil {
		return nil, err
	}
	begin := make(chan struct{})
	rig.guacd.set(flood(flooding, begin, stream, stalledMost))
	if err := s.enter(ctx, stalledReaders, viewing{buffer: 512}); err != nil {
		return nil, err
	}
	before, err := rig.settledMemory(ctx)
	if err != nil {
		return nil, err
	}
	s.began = time.Now()
	close(begin)
	peak, err := s.peak(ctx)
	if err != nil {
		return nil, err
	}
	r.add(each.name, "stalled_kb", max(0, peak-before)/stalledReaders)
	return s, nil
}

// peak is the most memory, in KiB, during the flood.
func (s *stall) peak(ctx context.Context) (most float64, err error) {
	for time.Since(s.began) < stalledFlood && most < stalledMemory {
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return 0, err
		}
		now, err := rssOf(s.rig.worker.pid)
		if err != nil {
			return 0, err
		}
		most = max(most, now)
	}
	return most, nil
}

// watchGone waits for the relay to leave guacd, which is when it has given up
// the last of its readers.
func (r *tunnelRun) watchGone(ctx context.Context, s *stall) (err error) {
	defer func() { err = errors.Join(err, s.end()) }()
	for s.rig.guacd.connected() > 0 {
		if time.Since(s.began) > stalledWatch {
			return fmt.Errorf("%d of %d were still there after %v", s.rig.guacd.connected(), stalledReaders, stalledWatch)
		}
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	r.add(s.rig.name, "stalled_gone_s", time.Since(s.began).Seconds())
	return nil
}

func (s *stall) end() error { return errors.Join(s.leave(), s.rig.stop()) }
