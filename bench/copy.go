package main

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
)

// playCopy is a TCP proxy on io.Copy: what any relay in Go costs at least.
// With splice the bytes do not pass through it at all.
func playCopy(in *json.Decoder, out *json.Encoder) error {
	var work relayWork
	if err := in.Decode(&work); err != nil {
		return err
	}
	listener, err := listenAs(work.Identity)
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
	if err := out.Encode(relayReady{Address: listener.Addr().String()}); err != nil {
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
		_ = closeWrite(guacd)
	})
	_ = copyOver(client, guacd, work.Splice)
	_ = closeWrite(client)
	input.Wait()
}

func closeWrite(conn net.Conn) error {
	return conn.(interface{ CloseWrite() error }).CloseWrite() // of TCP and of TLS
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
