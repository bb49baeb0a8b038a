package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
)

// fakeGuacd speaks the handshake and then writes a stream as fast as the peer
// reads it, until total bytes are out; then it says disconnect. It stands in
// for guacd so that the relay alone is measured.
func fakeGuacd(ctx context.Context, stream []byte, total int64) (address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { <-ctx.Done(); listener.Close() }()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveFake(conn, stream, total)
		}
	}()
	return listener.Addr().String(), nil
}

func serveFake(conn net.Conn, stream []byte, total int64) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	if _, err := in.ReadString(';'); err != nil { // select
		return
	}
	fmt.Fprint(conn, "4.args,13.VERSION_1_5_0,8.hostname,4.port;")
	for {
		instruction, err := in.ReadString(';')
		if err != nil {
			return
		}
		if strings.HasPrefix(instruction, "7.connect,") {
			break
		}
	}
	fmt.Fprint(conn, "5.ready,37.$aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee;")
	go func() { // the client's instructions go nowhere, but must be read
		for {
			if _, err := in.ReadString(';'); err != nil {
				return
			}
		}
	}()
	for sent := int64(0); sent < total; sent += int64(len(stream)) {
		if _, err := conn.Write(stream); err != nil {
			return
		}
	}
	fmt.Fprint(conn, "10.disconnect;")
}
