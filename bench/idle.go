package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	idleWarm     = 10 // desktops that are open before, so that pools and code are there
	idleDesktops = 200
	idleSettle   = 2 * time.Second
	idleRounds   = 3
)

// idle measures each relay's memory for a desktop whose picture stands still.
// It gets fresh processes: what the loads have left would hide it.
func (r *tunnelResults) idle(ctx context.Context, guacd *fakeGuacd) error {
	for _, each := range relays() {
		each.work.Guacd = guacd.address
		result := r.Relays[each.name]
		var err error
		if result.Idle, err = result.idleMedian(ctx, guacd, each, "idle_kb"); err != nil {
			return err
		}
		if each.role != "relay" {
			continue
		}
		each.work.Detached = true
		if result.Detached, err = result.idleMedian(ctx, guacd, each, "idle_detached_kb"); err != nil {
			return err
		}
	}
	return nil
}

// idleMedian is of several processes: where a collection of garbage falls
// makes some KiB of difference.
func (r *relayResult) idleMedian(ctx context.Context, guacd *fakeGuacd, by relay, name string) (*float64, error) {
	var rounds series
	for range idleRounds {
		kb, err := idleMemory(ctx, guacd, by)
		if err != nil {
			return nil, err
		}
		rounds.add(kb)
	}
	figure, err := rounds.sum()
	if err != nil {
		return nil, err
	}
	r.Spread[name] = figure
	return &figure.Median, nil
}

// idleMemory is the growth of the resident memory, in KiB for each desktop,
// as the operating system sees it: garbage included.
func idleMemory(ctx context.Context, guacd *fakeGuacd, by relay) (kb float64, err error) {
	guacd.play.Store(&script{})
	var address string
	w, err := start(ctx, by.role, by.work, &address)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	var room stillRoom
	defer func() { err = errors.Join(err, room.leave()) }()
	if err := room.enter(ctx, by, address, idleWarm); err != nil {
		return 0, err
	}
	before, err := settledMemory(ctx, w)
	if err != nil {
		return 0, err
	}
	if err := room.enter(ctx, by, address, idleDesktops); err != nil {
		return 0, err
	}
	after, err := settledMemory(ctx, w)
	if err != nil {
		return 0, err
	}
	return round((after - before) / idleDesktops), room.missing()
}

func settledMemory(ctx context.Context, w *worker) (float64, error) {
	if err := wait(ctx, idleSettle); err != nil {
		return 0, err
	}
	return rssOf(w.pid)
}

// stillRoom is people who look at desktops where nothing moves.
type stillRoom struct {
	viewers []viewer
	reading sync.WaitGroup
	mu      sync.Mutex
	left    bool
	gone    error // a desktop that ended before its viewer left
}

// enter opens desktops, one after the other, each up to its first picture.
func (s *stillRoom) enter(ctx context.Context, by relay, address string, desktops int) error {
	for range desktops {
		v, err := by.watch(ctx, address)
		if err != nil {
			return err
		}
		s.viewers = append(s.viewers, v)
		if err := v.first(); err != nil {
			return err
		}
		s.reading.Go(func() {
			_, err := v.rest()
			s.mu.Lock()
			defer s.mu.Unlock()
			if !s.left {
				s.gone = errors.Join(s.gone, errors.New("an idle desktop ended"), err)
			}
		})
	}
	return nil
}

// missing is an error when a desktop is no longer there.
func (s *stillRoom) missing() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

func (s *stillRoom) leave() (err error) {
	s.mu.Lock()
	s.left = true
	s.mu.Unlock()
	for _, v := range s.viewers {
		err = errors.Join(err, v.close())
	}
	s.reading.Wait()
	return err
}
