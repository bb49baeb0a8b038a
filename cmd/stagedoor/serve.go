package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway"
	"stagedoor/gateway/tunnel"
	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/targets"
	"stagedoor/webroot"
)

// serve runs the gateway until ctx ends, and then gives what is under way ten
// seconds.
func serve(ctx context.Context, args, environ []string, stdout io.Writer) error {
	var path string
	if err := parse(flag.NewFlagSet("serve", flag.ContinueOnError), args, &path); err != nil {
		return err
	}
	config, err := loadConfig(path, environ)
	if err != nil {
		return err
	}
	// A core file would hold passwords that are on their way to guacd.
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("no core files: %w", err)
	}
	log := config.logger(os.Stderr)
	parts, err := open(ctx, config, log)
	if err != nil {
		return err
	}
	defer parts.close()
	portal, err := gateway.New(parts.Parts, config.settings())
	if err != nil {
		return err
	}
	listener, err := listen(config)
	if err != nil {
		return err
	}
	defer listener.Close()
	var metrics net.Listener
	if config.MetricsListen != "" {
		if metrics, err = net.Listen("tcp", config.MetricsListen); err != nil {
			return listenError("metrics_listen", config.MetricsListen, err)
		}
		defer metrics.Close()
	}
	servers := []*http.Server{portal.Server()}
	failed := make(chan error, 2)
	go func() { failed <- servers[0].Serve(listener) }()
	if metrics != nil {
		servers = append(servers, portal.MetricsServer())
		go func() { failed <- servers[1].Serve(metrics) }()
	}
	fmt.Fprintf(stdout, "stagedoor %s answers at %s (listening on %s)\n", release, config.PublicURL, listener.Addr())
	select {
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		log.Info("going down")
	}
	return errors.Join(err, shutDown(portal, servers))
}

// shutDown ends the desktops, each with a word to its person, then lets the
// requests under way end.
func shutDown(portal *gateway.Gateway, servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := portal.Close(ctx)
	for _, server := range servers {
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}
	return err
}

// listen opens the portal's port, with TLS where it is configured.
func listen(config Config) (net.Listener, error) {
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return nil, listenError("listen", config.Listen, err)
	}
	if config.TLS.CertFile == "" {
		return listener, nil
	}
	certificate, err := openCertificate(config.TLS.CertFile, config.TLS.KeyFile)
	if err != nil {
		listener.Close()
		return nil, err
	}
	return tls.NewListener(listener, &tls.Config{
		MinVersion: tls.VersionTLS12, GetCertificate: certificate.get, NextProtos: []string{"http/1.1"},
		DynamicRecordSizingDisabled: true, // desktops are streams: small records would only cost
	}), nil
}

func listenError(key, address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: %s is taken by another program; end that one or choose another port", key, address)
	}
	if errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("%s: %s: ports below 1024 need root or CAP_NET_BIND_SERVICE", key, address)
	}
	return fmt.Errorf("%s: %w", key, err)
}

// parts are what the configuration names, opened.
type parts struct {
	gateway.Parts
	close func()
}

// open opens the parts of the gateway. It dials nothing: a directory or guacd
// that is down does not keep the portal from saying so to people.
func open(ctx context.Context, config Config, log *slog.Logger) (_ parts, err error) {
	var closers []func()
	closeAll := func() {
		for i := len(closers) - 1; i >= 0; i-- {
			closers[i]()
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	p := gateway.Parts{Log: log}
	brand, faults := config.brand()
	if len(faults) > 0 { // a logo that went since the configuration was checked
		return parts{}, faults[0]
	}
	if p.Site, err = webroot.OpenBranded(brand); err != nil {
		return parts{}, err
	}
	guacds, err := config.guacds()
	if err != nil {
		return parts{}, err
	}
	p.Guacds = tunnel.NewPool(log, guacds...)
	config.running = running{log, func(ctx context.Context, sender, reference, state, reason string) error {
		return takeReceipt(ctx, p.Store, sender, reference, state, reason)
	}}
	route, err := config.route()
	if err != nil {
		return parts{}, err
	}
	if p.Mailer, err = config.mailer(); err != nil {
		return parts{}, err
	}
	if p.Receipts, err = config.allReceipts(); err != nil {
		return parts{}, err
	}
	if p.Directory, err = directory.Open(config.domains()); err != nil {
		return parts{}, err
	}
	closers = append(closers, p.Directory.Close)
	if p.Targets, err = targets.Open(config.Targets, log); err != nil {
		return parts{}, err
	}
	closers = append(closers, p.Targets.Close)
	if p.Store, err = store.Open(ctx, config.Database, time.Now); err != nil {
		return parts{}, err
	}
	closers = append(closers, func() {
		if err := p.Store.Close(); err != nil {
			log.Error("database not closed", "error", err)
		}
	})
	for _, sender := range route.Senders() {
		if smpp, ok := sender.(*otp.SMPPSender); ok {
			smpp.Start() // after the store, to which receipts go
			closers = append(closers, func() { _ = smpp.Close() })
		}
	}
	p.Codes = config.codes(p.Store, route)
	return parts{p, closeAll}, nil
}

// codes are made, sent and checked as the configuration says.
func (c Config) codes(db *store.Store, sender otp.Sender) *otp.Codes {
	return &otp.Codes{
		Store: db, Sender: sender, Key: c.serverKey(),
		Portal: c.Portal.Name, Host: c.publicURL().Hostname(), Now: time.Now,
		Lifetime: c.Codes.Lifetime, Tries: c.Codes.Tries,
		Cooldowns: c.Codes.Waits, PerHour: c.Codes.PerHour, PerDay: c.Codes.PerDay,
		PerCountry: c.Codes.PerCountry, Total: c.Codes.InAll,
		Timeout: c.Codes.Timeout * time.Duration(len(c.SMS.Senders)), // each may take its own
	}
}

// takeReceipt writes down what an SMPP provider says of a message, as the portal
// does with those that come by a request.
func takeReceipt(ctx context.Context, to *store.Store, sender, reference, state, reason string) error {
	receipt := store.SendReceipt{Sender: sender, Reference: reference, State: store.SendUndelivered, Reason: reason, At: time.Now()}
	if state == otp.DeliveryDelivered {
		receipt.State = store.SendDelivered
	}
	_, err := to.TakeReceipt(ctx, receipt)
	return err
}
