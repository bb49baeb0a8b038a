package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/gateway/helpdesk"
	"stagedoor/gateway/portal"
	"stagedoor/gateway/tunnel"
	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/webroot"
)

// serverDesk is helpdesk on the portal's own machine, put together as the
// gateway's is. The rules about whom and how often do not hold here, since
// whoever runs this can write to the database anyway; the record does, as do
// the notices to the person.
type serverDesk struct {
	helpdesk.Desk
	portal *portal.Portal
	config Config
	agent  helpdesk.Agent
	out    io.Writer
	told   []string // recipients of the notices that this command has queued, masked
	untold bool     // the person has been told of too much today already
	close  func()
}

// lang is what commands speak.
const lang = "en"

// operator is who runs the command, as the record has it.
func operator() string {
	if who, err := user.Current(); err == nil {
		return "cli:" + who.Username
	}
	return fmt.Sprintf("cli:%d", os.Getuid())
}

// cliAddress is where from, as the record has it.
const cliAddress = "cli"

// openDesk opens what helpdesk needs of a configuration.
func openDesk(ctx context.Context, config Config, out io.Writer) (_ *serverDesk, err error) {
	parts := portal.Parts{Log: slog.New(slog.DiscardHandler), Guacds: tunnel.NewPool(nil)} // no desktops here
	brand, faults := config.brand()
	if len(faults) > 0 {
		return nil, faults[0]
	}
	if parts.Site, err = webroot.OpenTexts(brand); err != nil {
		return nil, err
	}
	if parts.Mailer, err = config.mailer(); err != nil {
		return nil, err
	}
	config.running = running{parts.Log, func(ctx context.Context, sender, reference, state, reason string) error {
		return takeReceipt(ctx, parts.Store, sender, reference, state, reason)
	}}
	route, err := config.route()
	if err != nil {
		return nil, err
	}
	if parts.Directory, err = directory.Open(config.domains()); err != nil {
		return nil, err
	}
	if parts.Store, err = openStore(ctx, config); err != nil {
		parts.Directory.Close()
		return nil, err
	}
	d := &serverDesk{config: config, out: out, agent: helpdesk.Agent{Name: operator(), Address: cliAddress, Server: true}}
	d.close = func() { parts.Directory.Close(); _ = parts.Store.Close() }
	parts.Codes = config.codes(parts.Store, route)
	if d.portal, err = portal.New(parts, config.settings()); err != nil {
		d.close()
		return nil, err
	}
	d.Desk = d.rules()
	return d, nil
}

// rules are helpdesk's.
func (d *serverDesk) rules() helpdesk.Desk {
	p := d.portal
	return helpdesk.Desk{
		Directory: p.Directory, Store: p.Store, Codes: p.Codes, Numbers: p.Numbers, Factors: p.Factors, Now: p.Now,
		FactorPerson: p.FactorPerson,
		News:         d.news,
		PasswordTries: func(ctx context.Context, name string) (anywhere, familiar int) {
			policy, err := p.Directory.Policy(ctx, name)
			if err != nil {
				policy = directory.Policy{}
			}
			return p.Set.TriesUnder(policy)
		},
		Record: func(ctx context.Context, event store.Event) error {
			_, err := p.Store.AppendEvent(ctx, event)
			return err
		},
		Settings: helpdesk.Settings{TriesPerAddress: p.Set.TriesPerAddress, Country: p.Set.Country, Countries: p.Set.Countries},
	}
}

// news is what a person is told of their factors, in the transaction of the change.
func (d *serverDesk) news(ctx context.Context, person directory.Account, lang string, news factor.News, kind factor.Kind) (store.Trace, error) {
	number, err := d.portal.NumberOf(ctx, person)
	if err != nil && !errors.Is(err, otp.ErrNoPhone) {
		return store.Trace{}, err
	}
	var args []any
	if kind != "" {
		args = []any{"factor", d.portal.FactorName(lang, kind)}
	}
	trace, err := d.portal.News(lang, person, number.Phone, news, args...)
	queued := trace.Done
	trace.Done = func(event store.Event, untold bool) {
		queued(event, untold)
		if untold { // the audit has it all the same
			d.untold = true
			return
		}
		d.tells(person, number.Phone)
	}
	return trace, err
}

// tells notes whom a notice goes to, for what the command says at its end.
func (d *serverDesk) tells(person directory.Account, phones ...otp.Phone) {
	for _, phone := range phones {
		if phone != "" {
			d.told = append(d.told, helpdesk.LastFour(string(phone)))
		}
	}
	if d.portal.Mailer != nil && person.Mail != "" {
		d.told = append(d.told, otp.MaskMail(person.Mail))
	}
}

// openStore is the database of a portal that has run: a path with a slip in it
// must not make an empty one.
func openStore(ctx context.Context, config Config) (*store.Store, error) {
	if _, err := os.Stat(config.Database); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("database: there is no %s; it is made when the portal first starts (is this its configuration?)", config.Database)
	}
	return store.Open(ctx, config.Database, time.Now)
}

// deliverWithin is how long a command may take to send notices itself.
const deliverWithin = 45 * time.Second

// deliver sees to it that the queued notices are sent, and says by whom: every
// running node looks into the queue each half minute. Where none runs, the
// command sends them; what fails is tried again by the portal when it runs.
func (d *serverDesk) deliver(ctx context.Context) error {
	if d.untold {
		fmt.Fprintln(d.out, "the person is not told of all of it: they have been told of too much today")
	}
	if len(d.told) == 0 {
		return nil
	}
	slices.Sort(d.told)
	fmt.Fprintf(d.out, "the person is told: %s\n", strings.Join(slices.Compact(d.told), ", "))
	nodes, err := d.Store.Nodes(ctx)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if !node.Gone(time.Now()) {
			_, err := fmt.Fprintf(d.out, "the portal on %s sends that within half a minute\n", onTerminal(node.Host))
			return err
		}
	}
	var failed []error
	d.portal.Notices.Failed = func(_ store.Notice, err error) { failed = append(failed, err) }
	if route, ok := d.Codes.Sender.(*otp.Route); ok {
		for _, sender := range route.Senders() {
			if smpp, ok := sender.(*otp.SMPPSender); ok {
				smpp.Start()
				defer smpp.Close()
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, deliverWithin)
	defer cancel()
	tried, err := d.portal.Notices.Deliver(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	fmt.Fprintf(d.out, "no portal runs on this database: sent from here: %d\n", tried-len(failed))
	for _, err := range failed {
		fmt.Fprintf(d.out, "not sent, and tried again when the portal runs, for 24 hours: %s\n", onTerminal(err.Error()))
	}
	return nil
}
