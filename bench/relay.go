package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"stagedoor/gateway/tunnel"
)

// relayWork is what a relay is told.
type relayWork struct {
	Guacd string // address
	// Detached: the HTTP handler returns once the desktop has its goroutines,
	// as tunnel.Serve advises; otherwise it stays, as the portal's does.
	Detached bool
	Splice   bool   // of the copying proxy: the kernel moves the bytes
	Profile  string // file for a CPU profile; empty: none
}

// playRelay is a WebSocket server with this product's tunnel and nothing else.
// It answers with its address.
func playRelay(in *json.Decoder, out *json.Encoder) error {
	var work relayWork
	if err := in.Decode(&work); err != nil {
		return err
	}
	if work.Profile != "" {
		file, err := os.Create(work.Profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	pool := tunnel.NewPool(nil, tunnel.NewGuacd(work.Guacd, nil))
	options := tunnel.Options{Protocol: "rdp", Arguments: map[string]string{"hostname": "192.0.2.1", "port": "3389"},
		// As open as can be, so that everything that guacd sends has to go through.
		Policy: tunnel.Policy{Copy: true, Paste: true, Download: true, Upload: true, Print: true, AudioOut: true}}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(tunnel.ErrShutdown)
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := tunnel.Upgrade(w, r, "http://"+address)
		if err != nil {
			return // it has been answered
		}
		if work.Detached {
			go pool.Desktop().Serve(ctx, ws, options)
		} else {
			pool.Desktop().Serve(ctx, ws, options)
		}
	})}
	go func() { _ = server.Serve(listener) }() // until Close
	if err := out.Encode(address); err != nil {
		return err
	}
	return errors.Join(untilEnd(in), server.Close())
}

// playCopy is a TCP proxy on io.Copy: what any relay in Go costs at least.
// With splice the bytes do not pass through it at all.
func playCopy(in *json.Decoder, out *json.Encoder) error {
	var work relayWork
	if err := in.Decode(&work); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go carry(client, work)
		}
	}()
	if err := out.Encode(listener.Addr().String()); err != nil {
		return err
	}
	return errors.Join(untilEnd(in), listener.Close())
}

// carry connects a client with guacd until either leaves.
func carry(client net.Conn, work relayWork) {
	defer client.Close()
	guacd, err := net.Dial("tcp", work.Guacd)
	if err != nil {
		return // the load sees its connection end
	}
	defer guacd.Close()
	var input sync.WaitGroup
	input.Go(func() {
		_ = copyOver(guacd, client, work.Splice)
		_ = guacd.(*net.TCPConn).CloseWrite()
	})
	_ = copyOver(client, guacd, work.Splice)
	_ = client.(*net.TCPConn).CloseWrite()
	input.Wait()
}

// copyOver hides, where it is not to be used, the way by which io.Copy finds splice(2).
func copyOver(to, from net.Conn, splice bool) error {
	if splice {
		_, err := io.Copy(to, from)
		return err
	}
	_, err := io.Copy(struct{ io.Writer }{to}, struct{ io.Reader }{from})
	return err
}
