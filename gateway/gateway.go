// Package gateway is the running portal: the site map (routes.go), the login
// flow (flow.go), the list and the desktops. A page or an action is one file,
// named as people see it. The pages of a person's own account, of helpdesk and of
// administrators are packages of their own, and package portal is what all stand
// on.
//
//	password -> (expired: change) -> second factor -> (set one up) -> ready
//
//	g, err := gateway.New(gateway.Parts{...}, gateway.Settings{...})
//	defer g.Close()
//	server := g.Server()      // an *http.Server with every limit set
package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/gateway/tunnel"
	"stagedoor/otp"
	"stagedoor/webroot"
)

// The parts and settings of a gateway are what its pages stand on.
type (
	Parts    = portal.Parts
	Settings = portal.Settings
	Helpdesk = portal.Helpdesk
	Phones   = portal.Phones
)

// Gateway is the running gateway.
type Gateway struct {
	*portal.Portal
	desktops *desktops
	reach    *reach
	rows     listRows
	policies policyMemory
	help     *webroot.Help
	checks   checkSockets
	handler  http.Handler
	started  time.Time
	sender   otp.Sender    // of codes, for what this node writes down of itself
	nodeKept chan struct{} // closed when this node writes itself down no more
	ctx      context.Context
	stop     context.CancelCauseFunc
}

// New puts the gateway together. It starts what runs beside requests: the watch
// over live desktops (only while there are any), the watch over the guacds and
// an hourly purge.
func New(parts Parts, settings Settings) (*Gateway, error) {
	base, err := portal.New(parts, settings)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	p := &Gateway{Portal: base, started: base.Now(), sender: base.Codes.Sender, nodeKept: make(chan struct{})}
	p.ctx, p.stop = context.WithCancelCause(context.Background())
	if p.help, err = p.Site.Help(p.Set.HelpDir, helpWords(p.Set), p.Log); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	p.desktops = newDesktops(p)
	p.reach = newReach(p.ctx, p.Now)
	p.Next, p.Kill, p.Live = p.nextPage, p.desktops.kill, p.desktops.count
	p.Codes.OnAlarm = p.codeAlarm
	p.handler = p.routes()
	go p.purgeHourly()
	go p.Notices.Watch(p.ctx)
	go p.applyDueNumbers(time.Tick(time.Minute))
	go p.keepNode()
	go p.Guacds.Watch(p.ctx)
	return p, nil
}

// ServeHTTP answers one request.
func (p *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// Server is the portal behind an http.Server with every limit set. Write has
// none, since a tunnel is one long answer; each page is bounded by its handler.
func (p *Gateway) Server() *http.Server {
	return &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       20 * time.Second,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(p.Log.Handler(), slog.LevelDebug),
	}
}

// Close ends the live desktops, each with a word to its person, and waits for
// them as long as ctx lets it.
func (p *Gateway) Close(ctx context.Context) error {
	p.stop(tunnel.ErrShutdown)
	err := p.desktops.wait(ctx)
	p.desktops.forget(ctx)
	p.leaveNode(ctx)
	return err
}

// purgeHourly drops rows that nothing refers to any more.
func (p *Gateway) purgeHourly() {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-ticker.C:
			if err := p.Store.Purge(p.ctx); err != nil {
				p.Log.Error("purge of old rows failed", "error", err)
			}
		}
	}
}
