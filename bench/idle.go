package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	idleWarm     = 10 // desktops that are open before, so that pools and code are there
	idleDesktops = 1000
	idleRounds   = 2
)

// idle measures each relay's memory for a desktop whose picture stands still,
// each time in a fresh process: what a load has left would hide it.
func (r *tunnelRun) idle(ctx context.Context) error {
	for round := range idleRounds {
		r.say("tunnel: %d idle desktops, round %d of %d", idleDesktops, round+1, idleRounds)
		for _, each := range r.relays {
			for key, id := range map[string]*identity{"idle_kb": nil, "idle_tls_kb": r.id} {
				if id != nil && each.plainOnly {
					r.skip(each.name+" "+key, "it cannot do TLS")
					continue
				}
				err := r.try(ctx, each, func() error {
					kb, err := idleMemory(ctx, each, id)
					if err == nil {
						r.add(each.name, key, kb)
					}
					return err
				}, key)
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// idleMemory is the growth of the resident memory in KiB for each desktop.
func idleMemory(ctx context.Context, each relay, id *identity) (kb float64, err error) {
	still, err := enterStill(ctx, each, id, idleWarm)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, still.leave()) }()
	before, err := still.rig.settledMemory(ctx)
	if err != nil {
		return 0, err
	}
	if err := still.enter(ctx, idleDesktops); err != nil {
		return 0, err
	}
	after, err := still.rig.settledMemory(ctx)
	if err != nil {
		return 0, err
	}
	return (after - before) / idleDesktops, still.missing()
}

// stillRoom is people who look at desktops where nothing moves, and read on.
type stillRoom struct {
	room
	read    atomic.Int64 // bytes after the first pictures
	reading sync.WaitGroup

	left bool  // with room's mu
	gone error // a desktop that ended before its viewer left
}

func enterStill(ctx context.Context, each relay, id *identity, desktops int) (*stillRoom, error) {
	if err := enoughDescriptors(2*crowd + 500); err != nil {
		return nil, err
	}
	rig, err := startRig(ctx, each, id, "")
	if err != nil {
		return nil, err
	}
	s := &stillRoom{room: room{rig: rig}}
	if err := s.enter(ctx, desktops); err != nil {
		return nil, errors.Join(err, s.leave())
	}
	return s, nil
}

func (s *stillRoom) enter(ctx context.Context, desktops int) error {
	already := len(s.viewers)
	if err := s.room.enter(ctx, desktops, viewing{buffer: 512}); err != nil {
		return err
	}
	for _, v := range s.viewers[already:] {
		s.reading.Go(func() {
			err := s.readOn(v)
			s.mu.Lock()
			defer s.mu.Unlock()
			if !s.left {
				s.gone = errors.Join(s.gone, errors.New("an idle desktop ended"), err)
			}
		})
	}
	return nil
}

func (s *stillRoom) readOn(v viewer) error {
	buffer := make([]byte, 512)
	for {
		n, err := v.Read(buffer)
		s.read.Add(int64(n))
		if err != nil {
			return err
		}
	}
}

// missing is an error when a desktop is no longer there.
func (s *stillRoom) missing() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

func (s *stillRoom) leave() error {
	s.mu.Lock()
	s.left = true
	s.mu.Unlock()
	err := s.room.leave()
	s.reading.Wait()
	return errors.Join(err, s.rig.stop())
}

// enoughDescriptors says whether a process may have so many files and sockets.
// Go and Node raise the soft limit to the hard one by themselves.
func enoughDescriptors(need uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < need {
		return fmt.Errorf("a process may have %d files here, and %d are needed (ulimit -Hn)", limit.Max, need)
	}
	return nil
}
