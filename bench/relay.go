package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"time"

	"stagedoor/gateway/tunnel"
)

// relayWork is what a relay is told.
type relayWork struct {
	Guacd    string    // address
	Identity *identity // for TLS towards the viewers; null: plain
	Splice   bool      // of the copying proxy: the kernel moves the bytes
	Profile  string    // file for a CPU profile; empty: none
}

// relayReady is where a relay answers.
type relayReady struct {
	Address string
	Query   string // of the WebSocket's address, where the relay wants one
	PID     int    // the process to measure, where it is not the role's own
}

// playRelay is a WebSocket server with this product's tunnel and nothing else.
// As in the portal, the HTTP handler returns once the desktop has a goroutine.
func playRelay(in *json.Decoder, out *json.Encoder) error {
	var work relayWork
	if err := in.Decode(&work); err != nil {
		return err
	}
	stopProfile, err := profileTo(work.Profile)
	if err != nil {
		return err
	}
	defer stopProfile()
	listener, err := listenAs(work.Identity, "http/1.1")
	if err != nil {
		return err
	}
	origin := "http://" + listener.Addr().String()
	pool := tunnel.NewPool(nil, tunnel.NewGuacd(work.Guacd, nil))
	options := tunnel.Options{Protocol: "rdp", Arguments: map[string]string{"hostname": "192.0.2.1", "port": "3389"},
		// As open as can be, so that everything that guacd sends has to go through.
		Policy: tunnel.Policy{Copy: true, Paste: true, Download: true, Upload: true, Print: true, AudioOut: true}}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(tunnel.ErrShutdown)
	return serveUntilEnd(in, out, listener, func(w http.ResponseWriter, r *http.Request) {
		if ws, err := tunnel.Upgrade(w, r, origin); err == nil { // otherwise it has been answered
			go pool.Desktop().Serve(ctx, ws, &options)
		}
	})
}

// serveUntilEnd answers with the listener's address, and serves until standard
// input ends.
func serveUntilEnd(in *json.Decoder, out *json.Encoder, listener net.Listener, handler http.HandlerFunc) error {
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: handler}
	go func() { _ = server.Serve(listener) }() // until Close
	if err := out.Encode(relayReady{Address: listener.Addr().String()}); err != nil {
		return err
	}
	return errors.Join(untilEnd(in), server.Close())
}

// listenAs listens on loopback, with TLS where there is an identity.
func listenAs(id *identity, protocols ...string) (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil || id == nil {
		return listener, err
	}
	pair, err := tls.LoadX509KeyPair(id.Cert, id.Key)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: protocols}), nil
}

// profileTo starts a CPU profile; with an empty path it does nothing.
func profileTo(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}, nil
}
