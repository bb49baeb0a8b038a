package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// viewer is the browser's side of one desktop.
type viewer interface {
	io.Reader // guacd's stream; io.EOF is a good end
	say(instructions []byte) error
	close() error
}

// viewing is how a viewer reads.
type viewing struct {
	buffer int         // bytes, of a WebSocket's reader
	slow   bool        // over a line of lineSpeed
	trust  *tls.Config // for TLS; nil: plain
	query  string      // of the WebSocket's address
	abrupt bool        // the relay ends a WebSocket without a close frame
	dialer net.Dialer  // filled by dial
}

const viewerPatience = 90 * time.Second

// dial opens the line to a relay.
func (how viewing) dial(ctx context.Context, address string) (net.Conn, error) {
	how.dialer.Timeout = viewerPatience
	if how.slow {
		how.dialer.Control = smallWindow
	}
	conn, err := how.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(viewerPatience)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if how.slow {
		conn = &slowLine{Conn: conn}
	}
	if how.trust != nil {
		conn = tls.Client(conn, how.trust)
	}
	return conn, nil
}

// watchWebSocket opens a desktop through a WebSocket relay.
func (how viewing) watchWebSocket(ctx context.Context, address string) (viewer, error) {
	dialer := websocket.Dialer{
		Subprotocols: []string{"guacamole"}, HandshakeTimeout: viewerPatience, ReadBufferSize: how.buffer, WriteBufferSize: 256,
		NetDialContext: func(ctx context.Context, _, address string) (net.Conn, error) { return how.dial(ctx, address) },
	}
	ws, response, err := dialer.DialContext(ctx, "ws://"+address+"/?"+how.query, http.Header{"Origin": {"http://" + address}})
	if err != nil {
		if response != nil {
			return nil, fmt.Errorf("%w: %s", err, response.Status)
		}
		return nil, err
	}
	return &webSocketViewer{ws: ws, abrupt: how.abrupt}, ws.SetReadDeadline(time.Now().Add(viewerPatience))
}

type webSocketViewer struct {
	ws      *websocket.Conn
	message io.Reader // what is left of it; nil: nothing
	abrupt  bool
}

func (v *webSocketViewer) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		if v.message == nil {
			if _, v.message, err = v.ws.NextReader(); err != nil {
				return 0, v.ending(err)
			}
		}
		if n, err = v.message.Read(p); errors.Is(err, io.EOF) {
			v.message, err = nil, nil
		}
	}
	return n, err
}

// ending is a good one only with the close frame of a desktop that ended by
// itself, where the relay sends one.
func (v *webSocketViewer) ending(err error) error {
	if websocket.IsCloseError(err, websocket.CloseNormalClosure) || v.abrupt && websocket.IsCloseError(err, websocket.CloseAbnormalClosure) {
		return io.EOF
	}
	return err
}

func (v *webSocketViewer) say(instructions []byte) error {
	return v.ws.WriteMessage(websocket.TextMessage, instructions)
}

func (v *webSocketViewer) close() error { return hangUp(v.ws.NetConn()) }

// watchTCP opens a desktop through a TCP proxy: it speaks guacd's handshake itself.
func (how viewing) watchTCP(ctx context.Context, address string) (viewer, error) {
	conn, err := how.dial(ctx, address)
	if err != nil {
		return nil, err
	}
	v := &tcpViewer{conn}
	err = v.say([]byte("6.select,3.rdp;4.size,4.1024,3.768,2.96;5.audio;5.video;5.image;7.connect,13.VERSION_1_5_0,9.192.0.2.1,4.3389;"))
	if err != nil {
		return nil, errors.Join(err, v.close())
	}
	return v, nil
}

type tcpViewer struct{ net.Conn }

func (v *tcpViewer) say(instructions []byte) error {
	_, err := v.Write(instructions)
	return err
}

func (v *tcpViewer) close() error { return hangUp(v.Conn) }

// hangUp ends a connection whose other end may have gone already, or may not read.
func hangUp(conn net.Conn) error {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn() // TLS would wait to say goodbye
	}
	return conn.Close()
}

// untilPicture waits for the first one.
func untilPicture(v viewer) error {
	var seen []byte
	buffer := make([]byte, 512)
	for !bytes.Contains(seen, []byte("4.sync,")) {
		n, err := v.Read(buffer)
		if err != nil {
			return err
		}
		seen = append(seen, buffer[:n]...)
	}
	return nil
}

// discard reads to the end and returns the number of bytes.
func discard(v viewer, buffer int) (total int64, err error) {
	b := make([]byte, buffer)
	for {
		n, err := v.Read(b)
		total += int64(n)
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

const (
	lineSpeed  = 1_000_000 // bytes a second
	lineWindow = 64 << 10  // bytes that the viewer's system takes ahead
)

// smallWindow bounds, before it connects, what a socket takes ahead of its reader.
func smallWindow(_, _ string, raw syscall.RawConn) (err error) {
	fault := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, lineWindow)
	})
	return errors.Join(fault, err)
}

// slowLine is a connection that brings lineSpeed at most.
type slowLine struct {
	net.Conn
	free time.Time // when the line has brought what was read
}

func (l *slowLine) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p[:min(len(p), 16<<10)])
	// What the window holds has come meanwhile, where the reader was late.
	if held := time.Now().Add(-lineWindow * time.Second / lineSpeed); l.free.Before(held) {
		l.free = held
	}
	l.free = l.free.Add(time.Duration(n) * time.Second / lineSpeed)
	time.Sleep(time.Until(l.free))
	return n, err
}
