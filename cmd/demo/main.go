// Demo is Stagedoor with everything embedded, for `make run`: the same
// gateway, an in-process directory with accounts in every state (people.go says
// who is who), a web page that plays the accounts' phones and mailboxes, and real
// desktops where guacd and xrdp are installed. It keeps nothing: its database
// lives in a temporary folder.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
	_ "time/tzdata"

	"stagedoor/directory"
	"stagedoor/gateway"
	"stagedoor/gateway/tunnel"
	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/targets"
	"stagedoor/webroot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// options are the demo's flags.
type options struct {
	port, phonePort int
	idle            time.Duration
	verbose         bool
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.IntVar(&o.port, "port", 8080, "the portal's port on localhost")
	flags.IntVar(&o.phonePort, "phone-port", 8081, "the port of the page with phones and mail on localhost")
	flags.DurationVar(&o.idle, "idle", 15*time.Minute, "logout after this long without input")
	flags.BoolVar(&o.verbose, "v", false, "print the log")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "stagedoor-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	// The ports first: a taken one is the commonest trouble, and is said at once.
	portalListener, err := listen(o.port, "PORT")
	if err != nil {
		return err
	}
	defer portalListener.Close()
	phoneListener, err := listen(o.phonePort, "PHONE_PORT")
	if err != nil {
		return err
	}
	defer phoneListener.Close()

	people, err := startDirectory()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, people.Stop()) }()
	fmt.Fprintln(stdout, "starting the desktops ...")
	desktops, err := startDesktops(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desktops.stop()) }()

	log := slog.New(slog.DiscardHandler)
	if o.verbose {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	mail, err := startMailbox()
	if err != nil {
		return err
	}
	defer mail.stop()
	outbox := otp.NewOutbox(20, time.Now)
	portal, closeParts, err := assemble(ctx, dir, o, people.Domain(), desktops, outbox, mail, log)
	if err != nil {
		return err
	}
	defer closeParts()
	explain(stdout, o, desktops)
	return serve(ctx, portal, portalListener, phonePage(outbox, mail), phoneListener)
}

// listen takes a port of both loopback addresses' name, localhost.
func listen(port int, variable string) (net.Listener, error) {
	address := fmt.Sprintf("localhost:%d", port)
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken; choose another: make run %s=%d", port, variable, port+10)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

// assemble puts the gateway together from the demo's parts, as `stagedoor
// serve` does from a configuration.
func assemble(ctx context.Context, dir string, o options, domain directory.Domain, d *desktops, outbox *otp.Outbox, mail *mailbox, log *slog.Logger) (*gateway.Gateway, func(), error) {
	site, err := webroot.Open()
	if err != nil {
		return nil, nil, err
	}
	people, err := directory.Open([]directory.Domain{domain})
	if err != nil {
		return nil, nil, err
	}
	db, err := store.Open(ctx, filepath.Join(dir, "stagedoor.db"), time.Now)
	if err != nil {
		return nil, nil, err
	}
	list, err := targets.Open(d.targetsFile, log)
	if err != nil {
		return nil, nil, err
	}
	mailer, route, err := senders(outbox, mail)
	if err != nil {
		return nil, nil, err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	codes := &otp.Codes{Store: db, Sender: route, Key: key, Portal: portalName, Host: "localhost"}
	portal, err := gateway.New(gateway.Parts{
		Directory: people, Store: db, Codes: codes, Mailer: mailer, Targets: list, Site: site,
		Guacds: tunnel.NewPool(log, tunnel.NewGuacd(d.guacd, nil)), Log: log,
	}, gateway.Settings{
		PublicURL: &url.URL{Scheme: "http", Host: fmt.Sprintf("localhost:%d", o.port)},
		Name:      portalName, DefaultDomain: domain.Name,
		Helpdesk:       gateway.Helpdesk{Name: "Amido helpdesk", Phone: "08-465 004 99", Mail: "helpdesk@amido.example"},
		HelpdeskGroups: []string{`AMIDO\Helpdesk`}, AdministratorGroups: []string{`AMIDO\Portal-Admins`},
		Factors: factors(), Phones: gateway.Phones{SelfEnrol: true},
		Idle: o.idle, Warning: min(2*time.Minute, o.idle/2),
		Country: map[string]string{domain.Name: "SE"}, Countries: []string{"SE", "NO", "DK", "FI"},
		NoGuacd: d.missing, Probe: true,
	})
	if err != nil {
		return nil, nil, err
	}
	return portal, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := portal.Close(ctx); err != nil {
			log.Error("close", "error", err)
		}
		list.Close()
		people.Close()
		_ = db.Close()
	}, nil
}

// senders carry codes to the phones on the page, and by mail for those whose
// policy has it so.
func senders(outbox *otp.Outbox, mail *mailbox) (*otp.Mailer, otp.Sender, error) {
	mailer, err := mail.mailer()
	if err != nil {
		return nil, nil, err
	}
	own, err := otp.NewMailSender(otp.MailSenderConfig{To: "{{.Mail}}", Subject: "Din kod"}, mailer)
	if err != nil {
		return nil, nil, err
	}
	route, err := otp.NewRoute(otp.RouteSettings{}, otp.Way{Sender: outbox}, otp.Way{Sender: own})
	return mailer, route, err
}

const portalName = "Amido Alliera Backstage"

// serve answers on both ports until ctx ends.
func serve(ctx context.Context, portal *gateway.Gateway, portalListener net.Listener, phone http.Handler, phoneListener net.Listener) error {
	servers := []*http.Server{portal.Server(), {Handler: phone, ReadHeaderTimeout: 5 * time.Second}}
	failed := make(chan error, len(servers))
	for i, listener := range []net.Listener{portalListener, phoneListener} {
		go func() { failed <- servers[i].Serve(listener) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	ended, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	err = errors.Join(err, portal.Close(ended))
	for _, server := range servers {
		if server.Shutdown(ended) != nil {
			server.Close()
		}
	}
	return err
}
