package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	crowd     = 2000 // desktops
	crowdTime = 10 * time.Second
	pingEvery = 500 * time.Millisecond // as the browser client does (guacamole-common-js, Tunnel.js)
)

// crowd is the memory and CPU of this product's relay with many idle
// desktops, over TLS, whose browsers ask every half second whether it lives.
func (r *tunnelRun) crowd(ctx context.Context) error {
	r.say("tunnel: %d idle desktops over TLS, with pings", crowd)
	return r.try(ctx, r.relays[0], func() error { return r.watchCrowd(ctx) }, crowdKeys()...)
}

func (r *tunnelRun) watchCrowd(ctx context.Context) (err error) {
	still, err := enterStill(ctx, r.relays[0], r.id, crowd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, still.leave()) }()
	pinging, stop := context.WithCancel(ctx)
	var pings atomic.Int64
	var pinger sync.WaitGroup
	var fault error
	pinger.Go(func() { fault = still.ping(pinging, &pings) })
	defer func() { stop(); pinger.Wait(); err = errors.Join(err, fault) }()
	if err := wait(ctx, 3*time.Second); err != nil { // until what opening has left is done
		return err
	}
	asked, answered := pings.Load(), still.read.Load()
	used, err := cpuDuring([]*worker{still.rig.worker}, func() error { return wait(ctx, crowdTime) })
	if err != nil {
		return err
	}
	asked, answered = pings.Load()-asked, (still.read.Load()-answered)/int64(len(pingInstruction()))
	if want := crowd * int64(crowdTime/pingEvery); asked < want*9/10 || answered < want*9/10 {
		for _, key := range crowdKeys() {
			r.skip("stagedoor "+key, fmt.Sprintf("of %d pings only %d were sent and %d answered", want, asked, answered))
		}
		return still.missing()
	}
	kb, err := rssOf(still.rig.worker.pid)
	if err != nil {
		return err
	}
	r.add("stagedoor", "many_rss_mb", kb*1024/1e6)
	r.add("stagedoor", "many_cpu_percent", 100*used[0].Seconds()/crowdTime.Seconds())
	return still.missing()
}

func pingInstruction() []byte { return fmt.Appendf(nil, "0.,4.ping,13.%d;", time.Now().UnixMilli()) }

// ping asks for every desktop every half second, some of them at a time. When
// it is late it hurries, so that none is left out.
func (s *stillRoom) ping(ctx context.Context, sent *atomic.Int64) error {
	const share = 100 // of the desktops, each time
	due := time.Now()
	for turn := 0; ; turn++ {
		due = due.Add(pingEvery / share)
		if wait(ctx, time.Until(due)) != nil {
			return nil // it is over
		}
		for i := turn % share; i < len(s.viewers); i += share {
			if err := s.viewers[i].say(pingInstruction()); err != nil {
				return err
			}
			sent.Add(1)
		}
	}
}
