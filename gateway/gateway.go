// Package gateway is the portal: the site map (routes.go), the login flow
// (flow.go), sessions, pages and audit. A page or an action is one file, named
// as people see it.
//
//	password -> (expired: change) -> second factor -> (set one up) -> ready
//
//	portal, err := gateway.New(gateway.Parts{...}, gateway.Settings{...})
//	defer portal.Close()
//	server := portal.Server()      // an *http.Server with every limit set
package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/tunnel"
	"stagedoor/webroot"
)

// gatewayState is what the gateway has besides.
type gatewayState struct {
	desktops *desktops
	reach    *reach
	rows     listRows
	policies policyMemory
	help     *webroot.Help
	checks   checkSockets
	handler  http.Handler
	started  time.Time
	nodeKept chan struct{} // closed when this node writes itself down no more
	ctx      context.Context
	stop     context.CancelCauseFunc
}

// New puts the portal together. It starts what runs beside requests: the watch
// over live desktops (only while there are any), the watch over the guacds and
// an hourly purge.
func New(parts Parts, settings Settings) (*Portal, error) {
	if settings.PublicURL == nil || settings.PublicURL.Host == "" {
		return nil, errors.New("gateway: no public URL")
	}
	if parts.Guacds == nil {
		return nil, errors.New("gateway: no guacd")
	}
	if parts.Now == nil {
		parts.Now = time.Now
	}
	p := &Portal{Parts: parts, set: settings.withDefaults(), node: rand.Text()[:8], gatewayState: gatewayState{started: parts.Now(), nodeKept: make(chan struct{})}}
	p.origin = p.set.PublicURL.Scheme + "://" + p.set.PublicURL.Host
	p.secure = p.set.PublicURL.Scheme == "https"
	p.ctx, p.stop = context.WithCancelCause(context.Background())
	var err error
	if p.help, err = p.Site.Help(p.set.HelpDir, p.set.helpWords(), p.Log); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	p.factors, err = factor.New(factor.Options{Store: p.Store, Key: p.Codes.Key, Portal: p.set.Name,
		URL: p.set.PublicURL, Policy: p.set.Factors, Now: p.Now})
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	p.desktops = newDesktops(p)
	p.reach = newReach(p.ctx, p.Now)
	p.next, p.kill = p.nextPage, p.desktops.kill
	p.metrics = newMetrics(p.desktops.count, p.Guacds)
	p.numbersAndNotices()
	p.Codes.OnAlarm = p.codeAlarm
	p.patterns = map[string]bool{}
	for _, r := range p.siteMap() {
		p.patterns[r.pattern] = true
	}
	p.handler = p.routes()
	go p.purgeHourly()
	go p.notices.Watch(p.ctx)
	go p.applyDueNumbers(time.Tick(time.Minute))
	go p.keepNode()
	go p.Guacds.Watch(p.ctx)
	return p, nil
}

// ServeHTTP answers one request.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// Server is the portal behind an http.Server with every limit set. Write has
// none, since a tunnel is one long answer; each page is bounded by its handler.
func (p *Portal) Server() *http.Server {
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
func (p *Portal) Close(ctx context.Context) error {
	p.stop(tunnel.ErrShutdown)
	err := p.desktops.wait(ctx)
	p.desktops.forget(ctx)
	p.leaveNode(ctx)
	return err
}

// purgeHourly drops rows that nothing refers to any more.
func (p *Portal) purgeHourly() {
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
