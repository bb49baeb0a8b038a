package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

const listedTargets = 500

// portalWork is what the portal role is told.
type portalWork struct {
	Dir    string // for the database and the target list
	Domain directory.Domain
}

// portalReady is where it answers.
type portalReady struct {
	Portal  string // http://host:port
	Control string // the newest code of a phone, and profiles
}

// playPortal is the gateway put together as `stagedoor serve` does, but for
// the limits that one machine which logs in a hundred people would run into.
func playPortal(in *json.Decoder, out *json.Encoder) (err error) {
	var work portalWork
	if err := in.Decode(&work); err != nil {
		return err
	}
	// The log is written as in earnest, to where it costs no disk.
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	log := slog.New(slog.NewJSONHandler(null, nil))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	outbox := otp.NewOutbox(1, time.Now)
	portal, closeParts, err := assemble(work, listener.Addr().String(), outbox, log)
	if err != nil {
		return err
	}
	defer closeParts()
	control, err := serveControl(outbox)
	if err != nil {
		return err
	}
	server := portal.Server()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := out.Encode(portalReady{"http://" + listener.Addr().String(), "http://" + control.String()}); err != nil {
		return err
	}
	ended := untilEnd(in)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	err = errors.Join(ended, portal.Close(ctx), server.Close())
	if fault := <-failed; !errors.Is(fault, http.ErrServerClosed) {
		err = errors.Join(err, fault)
	}
	return err
}

func assemble(work portalWork, host string, outbox *otp.Outbox, log *slog.Logger) (*gateway.Gateway, func(), error) {
	list := filepath.Join(work.Dir, "targets.yaml")
	if err := os.WriteFile(list, targetList(), 0o600); err != nil {
		return nil, nil, err
	}
	site, err := webroot.Open()
	if err != nil {
		return nil, nil, err
	}
	accounts, err := directory.Open([]directory.Domain{work.Domain})
	if err != nil {
		return nil, nil, err
	}
	watcher, err := targets.Open(list, log)
	if err != nil {
		return nil, nil, err
	}
	db, err := store.Open(context.Background(), filepath.Join(work.Dir, "stagedoor.db"), time.Now)
	if err != nil {
		return nil, nil, err
	}
	portal, err := gateway.New(gateway.Parts{
		Directory: accounts, Store: db, Targets: watcher, Site: site, Log: log,
		Codes: &otp.Codes{Store: db, Sender: outbox, Key: bytes.Repeat([]byte{7}, 32), Portal: "Backstage", Host: "portal.example.se",
			Cooldowns: []time.Duration{}, PerHour: -1, PerDay: -1, PerPrefix: -1, PerCountry: -1, Total: -1},
		Guacds: tunnel.NewPool(nil, tunnel.NewGuacd("127.0.0.1:1", nil)), // nobody opens a desktop here
	}, gateway.Settings{
		PublicURL: &url.URL{Scheme: "http", Host: host}, Name: "Backstage", DefaultDomain: work.Domain.Name,
		TriesPerAddress: 1 << 30,
		Country:         map[string]string{work.Domain.Name: "SE"}, Countries: []string{"SE"},
	})
	return portal, func() {
		watcher.Close()
		accounts.Close()
		_ = db.Close()
	}, err
}

// targetList is a list whose every entry the accounts may see.
func targetList() []byte {
	var b strings.Builder
	b.WriteString("targets:\n")
	for i := range listedTargets {
		fmt.Fprintf(&b, "  - {id: ws%03d, name: XXX.Stockholm.MultiAccess%03d, group: Site %02d, description: Workstation in rack %d, host: 192.0.2.%d, visible_to: [\"AMIDO\\\\%s\"]}\n",
			i, i, i/50, i/20, i%250+1, accountGroup)
	}
	return []byte(b.String())
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// serveControl tells the load which code a phone got, and takes profiles.
func serveControl(outbox *otp.Outbox) (net.Addr, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /code", func(w http.ResponseWriter, r *http.Request) {
		messages := outbox.Messages(otp.Phone(r.FormValue("phone")))
		if len(messages) == 0 {
			http.Error(w, "no message", http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, sixDigits.FindString(messages[0].Text))
	})
	mux.HandleFunc("GET /profile", pprof.Profile)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // it ends with the process
	return listener.Addr(), nil
}
