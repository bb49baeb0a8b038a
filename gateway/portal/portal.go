// Package portal is what every page of the gateway stands on: the visit, its
// session and person, the page, the fault, the route and the record of what
// happened. It knows no address and no page.
package portal

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
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

// hold is the cool-down, of factors that helpdesk has removed too.
func (p Phones) hold() time.Duration {
	if p.CoolDown == 0 {
		return 24 * time.Hour
	}
	return max(0, p.CoolDown)
}

// WithDefaults are the settings with what was left out.
func (s Settings) WithDefaults() Settings {
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

// TriesUnder is how many failing passwords of an account reach a directory with
// such a policy in one window: from anywhere, and how many more from browsers that
// the account has logged in from, which are taken off the former so that no
// stranger uses them up. Together they are as configured, but always fewer than
// lock the account there. A zero policy is one that nobody could read.
func (s Settings) TriesUnder(policy directory.Policy) (anywhere, familiar int) {
	tries := s.TriesPerAccount
	if tries == 0 {
		tries = 5
	}
	if policy.LockoutThreshold > 0 {
		tries = min(tries, max(1, policy.LockoutThreshold-1))
	}
	familiar = min(3, (tries+1)/3)
	return tries - familiar, familiar
}

// WindowUnder is after how long without a failing password such a policy's
// accounts may be tried anew: as configured, but never before the directory has
// forgotten the tries.
func (s Settings) WindowUnder(policy directory.Policy) time.Duration {
	return max(s.TriesWindow, policy.LockoutWindow)
}

// Portal is what every page stands on: the parts, the settings, and the rules
// that are made of both.
type Portal struct {
	Parts
	Set     Settings
	Node    string // what this process calls itself in the database, new at each start
	Origin  string // scheme and host of the public URL
	Secure  bool   // cookies with Secure and the __Host- prefix
	Factors *factor.Factors
	Numbers *otp.Numbers
	Notices *otp.Notices
	Metrics *metrics

	// What the gateway knows of the whole, and sets before it serves.
	Next     func(*Session) string       // the page that comes next in a session; nil: nobody is logged in
	Kill     func(sessionID, why string) // ends a session's desktops on this node
	Live     func() int                  // how many desktops this node has
	Patterns map[string]bool             // of the site map's routes

	health  healthCache
	packers sync.Pool // of *gzip.Writer: making one costs 0.8 MB
	buffers sync.Pool // of *bytes.Buffer, for pages
}

// New puts together what pages need. It starts nothing.
func New(parts Parts, settings Settings) (*Portal, error) {
	switch {
	case settings.PublicURL == nil || settings.PublicURL.Host == "":
		return nil, errors.New("no public URL")
	case parts.Guacds == nil:
		return nil, errors.New("no guacd")
	case parts.Now == nil:
		parts.Now = time.Now
	}
	p := &Portal{Parts: parts, Set: settings.WithDefaults(), Node: rand.Text()[:8]}
	p.Origin = p.Set.PublicURL.Scheme + "://" + p.Set.PublicURL.Host
	p.Secure = p.Set.PublicURL.Scheme == "https"
	p.Metrics = newMetrics(func() int { return p.Live() }, p.Guacds)
	var err error
	p.Factors, err = factor.New(factor.Options{Store: p.Store, Key: p.Codes.Key, Portal: p.Set.Name,
		URL: p.Set.PublicURL, Policy: p.Set.Factors, Hold: p.Set.Phones.hold(), Now: p.Now, Mail: p.mailCarried})
	if err != nil {
		return nil, err
	}
	p.numbersAndNotices()
	return p, nil
}

// numbersAndNotices are put together from the portal's own parts.
func (p *Portal) numbersAndNotices() {
	p.Notices = otp.NewNotices(p.Codes)
	if mailer := p.Mailer; mailer != nil {
		p.Notices.Mail = func(ctx context.Context, to, subject, text string) error {
			return mailer.Send(ctx, otp.Mail{To: to, Subject: subject, Text: text})
		}
	}
	p.Notices.Text, p.Notices.Key = p.Site.T, p.Codes.Key
	p.Notices.Portal, p.Notices.Address, p.Notices.Now = p.Set.Name, p.Origin, p.Now
	p.Notices.Failed = func(notice store.Notice, err error) {
		p.Log.Error("notice not sent", "notice", notice.ID, "key", notice.Key, "channel", notice.Channel,
			"account_id", notice.AccountID, "tries", notice.Tries, "error", err)
	}
	p.Numbers = &otp.Numbers{
		Store: p.Store, Notices: p.Notices, Key: p.Codes.Key, Now: p.Now,
		Order: p.Set.Phones.Order, SelfEnrol: p.Set.Phones.SelfEnrol, CoolDown: p.Set.Phones.CoolDown,
		Changed: p.Factors.Changed, Recorded: func(event store.Event) { p.logEvent(p.Log, event) },
	}
}
