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
	"net/netip"
	"net/url"
	"sync"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/gateway/tunnel"
	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/targets"
	"stagedoor/webroot"
)

// Parts are what the portal is put together from. All are required but Now,
// Mailer and Receipts.
type Parts struct {
	Directory *directory.Directory
	Store     *store.Store
	Codes     *otp.Codes
	Mailer    *otp.Mailer // nil: nobody is told anything by mail
	Targets   *targets.Watcher
	Site      *webroot.Site
	Guacds    *tunnel.Pool
	Log       *slog.Logger
	Now       func() time.Time // nil: time.Now

	// Receipts read what providers tell of messages, by the sender's name.
	Receipts map[string]*otp.ReceiptReader
}

// Settings are the portal's own.
type Settings struct {
	PublicURL      *url.URL // scheme and host that people's browsers use; http only for loopback hosts
	Name           string   // of the portal: "Amido Alliera Backstage"
	HelpDir        string   // folder with the administrators' own help texts; may be empty
	Helpdesk       Helpdesk
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed

	// HelpdeskGroups and AdministratorGroups, DNs or DOMAIN\name, are whose
	// members may use /helpdesk and /admin; none: nobody.
	HelpdeskGroups, AdministratorGroups []string
	Fresh                               time.Duration // how old a proof may be where one changes who can log in; 0 means 10 min
	DeskFresh                           time.Duration // and where one helps others; 0 means 1 h
	ActsPerDay                          int           // that one agent may do on others; 0 means 20

	// Factors says who needs which second factor from when; empty: everybody,
	// at once.
	Factors factor.Policy

	Idle       time.Duration // without human input; 0 means 15 min
	Warning    time.Duration // before the idle logout; 0 means 2 min
	Absolute   time.Duration // of a session; 0 means 12 h
	PreAuth    time.Duration // from the password to the code; 0 means 10 min
	PerAccount int           // sessions; 0 means 3

	// TriesPerAccount and TriesPerAddress are failing passwords in TriesWindow;
	// 0 means one fewer than the directory's lockout threshold (5 where it has
	// none), and 60. TriesWindow 0 means 30 min.
	TriesPerAccount int
	TriesPerAddress int
	TriesWindow     time.Duration
	// FailureFloor is the least time that a refusal takes, so that it does not
	// tell which names exist; 0 means 1 s, negative none (tests).
	FailureFloor time.Duration

	DefaultDomain string            // for the hint beside the user name; may be empty
	Country       map[string]string // directory domain -> ISO country of national phone numbers
	Countries     []string          // ISO countries that codes are sent to
	AlarmMail     []string          // addresses that are told of limits on codes against fraud; none: nobody

	Phones Phones

	// Probe has the list tell whether workstations answer, by a TCP connection
	// from here to each that is in view.
	Probe bool

	Version string // of the program, for the administrators' list of nodes

	// NoGuacd is shown instead of a desktop where it is not empty: the demo
	// says with it how to get guacd.
	NoGuacd string
}

// Helpdesk is whom people call.
type Helpdesk struct {
	Name, Phone, Mail string
}

// Phones is whose numbers count, and who may change them; otp.Numbers has the rules.
type Phones struct {
	Order     []string      // of sources; nil: the portal's own, then the directory's
	SelfEnrol bool          // people without a number enrol one on their way in
	CoolDown  time.Duration // before helpdesk's change takes effect; 0 means 24 h, negative none
}

// Portal is the running gateway.
type Portal struct {
	Parts
	set      Settings
	node     string // what this process calls itself in the database, new at each start
	origin   string
	secure   bool // cookies with Secure and the __Host- prefix
	factors  *factor.Factors
	desktops *desktops
	reach    *reach
	metrics  *metrics
	rows     listRows
	policies policyMemory
	packers  sync.Pool // of *gzip.Writer: making one costs 0.8 MB
	help     *webroot.Help
	checks   checkSockets
	handler  http.Handler
	health   healthCache
	numbers  *otp.Numbers
	notices  *otp.Notices
	started  time.Time
	nodeKept chan struct{} // closed when this node writes itself down no more
	unknown  groupCheck
	mail     mailCheck
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
	p := &Portal{Parts: parts, set: settings.withDefaults(), node: rand.Text()[:8], started: parts.Now(), nodeKept: make(chan struct{})}
	p.origin = p.set.PublicURL.Scheme + "://" + p.set.PublicURL.Host
	p.secure = p.set.PublicURL.Scheme == "https"
	p.ctx, p.stop = context.WithCancelCause(context.Background())
	var err error
	if p.help, err = p.Site.Help(p.set.HelpDir, p.set.helpWords(), p.Log); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	p.factors, err = factor.New(factor.Options{Store: p.Store, Key: p.Codes.Key, Portal: p.set.Name,
		URL: p.set.PublicURL, Policy: p.set.Factors, Now: p.Now, Mail: p.mailCarried})
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	p.desktops = newDesktops(p)
	p.reach = newReach(p.ctx, p.Now)
	p.metrics = newMetrics(p.desktops.count, p.Guacds)
	p.numbersAndNotices()
	p.Codes.OnAlarm = p.codeAlarm
	p.handler = p.routes()
	go p.purgeHourly()
	go p.notices.Watch(p.ctx)
	go p.applyDueNumbers(time.Tick(time.Minute))
	go p.keepNode()
	go p.Guacds.Watch(p.ctx)
	return p, nil
}

func (s Settings) withDefaults() Settings {
	durations := []struct {
		field *time.Duration
		value time.Duration
	}{
		{&s.Idle, 15 * time.Minute}, {&s.Warning, 2 * time.Minute}, {&s.Absolute, 12 * time.Hour},
		{&s.PreAuth, 10 * time.Minute}, {&s.TriesWindow, 30 * time.Minute}, {&s.FailureFloor, time.Second},
		{&s.Fresh, standardFresh}, {&s.DeskFresh, standardDeskFresh},
	}
	for _, d := range durations {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if s.PerAccount == 0 {
		s.PerAccount = 3
	}
	if s.TriesPerAddress == 0 {
		s.TriesPerAddress = 60
	}
	return s
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
