package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// rig is a relay that runs, with a fake guacd of its own.
type rig struct {
	relay
	guacd  *fakeGuacd
	worker *worker // nil: the viewers talk to guacd itself
	at     relayReady
	id     *identity // for TLS; nil: plain
}

// startRig starts a relay in a fresh process, for TLS where it gets an
// identity. A relay without a role is none: viewers reach guacd itself.
func startRig(ctx context.Context, each relay, id *identity, profile string) (*rig, error) {
	guacd, err := startFakeGuacd()
	if err != nil {
		return nil, err
	}
	r := &rig{relay: each, guacd: guacd, id: id, at: relayReady{Address: guacd.address}}
	if each.role == "" {
		return r, nil
	}
	r.worker, err = start(ctx, each.role, relayWork{Guacd: guacd.address, Identity: id, Splice: each.splice, Profile: profile}, &r.at)
	if err != nil {
		return nil, errors.Join(err, guacd.stop())
	}
	if r.at.PID != 0 {
		r.worker.pid = r.at.PID
	}
	return r, nil
}

// watch opens a desktop.
func (r *rig) watch(ctx context.Context, how viewing) (viewer, error) {
	how.query, how.abrupt = r.at.Query, r.abrupt
	if r.id != nil {
		how.trust = r.id.trust
	}
	if r.webSocket {
		return how.watchWebSocket(ctx, r.at.Address)
	}
	return how.watchTCP(ctx, r.at.Address)
}

func (r *rig) stop() error {
	if r.worker == nil {
		return r.guacd.stop()
	}
	return errors.Join(r.worker.stop(), r.guacd.stop())
}

// room is people who look at desktops of one rig.
type room struct {
	rig     *rig
	mu      sync.Mutex
	viewers []viewer
}

// entering is how many people open their desktops at the same time: some
// relays let each wait for delayed acknowledgements of guacd's system.
const entering = 10

// enter opens desktops, each up to its first picture.
func (o *room) enter(ctx context.Context, desktops int, how viewing) error {
	var all sync.WaitGroup
	var faults error
	for i := range entering {
		all.Go(func() {
			for n := i; n < desktops; n += entering {
				if err := o.open(ctx, how); err != nil {
					o.mu.Lock()
					defer o.mu.Unlock()
					faults = errors.Join(faults, err)
					return
				}
			}
		})
	}
	all.Wait()
	return faults
}

func (o *room) open(ctx context.Context, how viewing) error {
	v, err := o.rig.watch(ctx, how)
	if err != nil {
		return err
	}
	o.mu.Lock()
	o.viewers = append(o.viewers, v)
	o.mu.Unlock()
	return untilPicture(v)
}

func (o *room) leave() (err error) {
	for _, v := range o.viewers {
		err = errors.Join(err, v.close())
	}
	return err
}

// settledMemory is the resident memory of the relay in KiB, as the operating
// system sees it: garbage included.
func (r *rig) settledMemory(ctx context.Context) (float64, error) {
	if err := wait(ctx, 2*time.Second); err != nil {
		return 0, err
	}
	return rssOf(r.worker.pid)
}
