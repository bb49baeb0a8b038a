package gateway

import (
	"context"
	"os"
	"time"

	"stagedoor/otp"
	"stagedoor/store"
)

// nodeEvery is how often a node writes itself down; store.NodeGone allows for
// two that were missed.
const nodeEvery = 10 * time.Second

// keepNode writes this node down now and then, for the other nodes' pages of
// administrators.
func (p *Gateway) keepNode() {
	defer close(p.nodeKept)
	ticker := time.NewTicker(nodeEvery)
	defer ticker.Stop()
	for {
		ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
		if err := p.noteNode(ctx, time.Time{}); err != nil && p.ctx.Err() == nil {
			p.Log.Warn("this node is not written down", "error", err)
		}
		cancel()
		select {
		case <-p.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// NoteNode writes this node down; stopped is when it said goodbye, zero before.
func (p *Gateway) noteNode(ctx context.Context, stopped time.Time) error {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	list := p.Targets.List()
	n := store.Node{ID: p.Node, Host: host, Version: p.Set.Version, StartedAt: p.started, StoppedAt: stopped,
		TargetsDigest: list.Digest, TargetsLoadedAt: list.LoadedAt, Desktops: p.desktops.count(), Senders: otp.HealthOf(p.sender)}
	if faults, _ := p.Targets.Refused(); len(faults) > 0 {
		n.TargetsError = faults[0].String()
	}
	return p.Store.NoteNode(ctx, n)
}

// leaveNode says goodbye, so that the node does not look as if it were lost.
func (p *Gateway) leaveNode(ctx context.Context) {
	<-p.nodeKept
	if err := p.noteNode(ctx, p.Now()); err != nil {
		p.Log.Warn("this node's end is not written down", "error", err)
	}
}
