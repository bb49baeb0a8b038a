package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// viewer is the browser's side of one desktop. It reads and discards.
type viewer interface {
	// first waits for the first picture.
	first() error
	// rest reads to the end and returns the number of bytes, the first ones included.
	rest() (int64, error)
	close() error
}

const viewerPatience = 30 * time.Second

// watchWebSocket opens a desktop through a WebSocket relay.
func watchWebSocket(ctx context.Context, address string) (viewer, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"guacamole"}, HandshakeTimeout: viewerPatience, ReadBufferSize: 128 << 10}
	ws, response, err := dialer.DialContext(ctx, "ws://"+address+"/", http.Header{"Origin": {"http://" + address}})
	if err != nil {
		if response != nil {
			return nil, fmt.Errorf("%w: %s", err, response.Status)
		}
		return nil, err
	}
	return &webSocketViewer{ws: ws}, ws.SetReadDeadline(time.Now().Add(viewerPatience))
}

type webSocketViewer struct {
	ws    *websocket.Conn
	bytes int64
}

// message reads one. Everything is thrown away but what is needed to know
// that a picture came.
func (v *webSocketViewer) message() (pictured bool, err error) {
	_, r, err := v.ws.NextReader()
	if err != nil {
		return false, err
	}
	var start [512]byte
	n, err := io.ReadFull(r, start[:])
	v.bytes += int64(n)
	if err == nil {
		var more int64
		more, err = io.Copy(io.Discard, r)
		v.bytes += more
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return bytes.Contains(start[:n], []byte("4.sync,")), err
}

func (v *webSocketViewer) first() error {
	for {
		if pictured, err := v.message(); err != nil || pictured {
			return err
		}
	}
}

// rest ends well only with the close frame of a desktop that ended by itself.
func (v *webSocketViewer) rest() (int64, error) {
	for {
		_, err := v.message()
		var closed *websocket.CloseError
		if errors.As(err, &closed) && closed.Code == websocket.CloseNormalClosure {
			return v.bytes, nil
		}
		if err != nil {
			return v.bytes, err
		}
	}
}

func (v *webSocketViewer) close() error { return v.ws.Close() }

// watchTCP opens a desktop through a TCP proxy: it speaks guacd's handshake itself.
func watchTCP(ctx context.Context, address string) (viewer, error) {
	dialer := net.Dialer{Timeout: viewerPatience}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	v := &tcpViewer{conn: conn}
	_, err = io.WriteString(conn, "6.select,3.rdp;4.size,4.1024,3.768,2.96;5.audio;5.video;5.image;7.connect,13.VERSION_1_5_0,9.192.0.2.1,4.3389;")
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return v, conn.SetReadDeadline(time.Now().Add(viewerPatience))
}

type tcpViewer struct {
	conn  net.Conn
	bytes int64
}

func (v *tcpViewer) first() error {
	var seen []byte
	buffer := make([]byte, 512)
	for !bytes.Contains(seen, []byte("4.sync,")) {
		n, err := v.conn.Read(buffer)
		v.bytes += int64(n)
		if err != nil {
			return err
		}
		seen = append(seen, buffer[:n]...)
	}
	return nil
}

func (v *tcpViewer) rest() (int64, error) {
	buffer := make([]byte, 128<<10)
	for {
		n, err := v.conn.Read(buffer)
		v.bytes += int64(n)
		if errors.Is(err, io.EOF) {
			return v.bytes, nil
		}
		if err != nil {
			return v.bytes, err
		}
	}
}

func (v *tcpViewer) close() error { return v.conn.Close() }
