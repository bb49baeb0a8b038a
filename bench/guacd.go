package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// picture is a whole first frame, so that a relay's wait for one is over.
const picture = "4.size,1.0,4.1024,3.768;5.cfill,2.14,1.0,1.0,1.0,1.0,3.255;4.sync,13.1700000000000,1.0;"

// fakeGuacd stands in for guacd so that the relay alone is measured. It speaks
// the handshake, and then what the play says.
type fakeGuacd struct {
	address string
	listen  net.Listener
	play    atomic.Pointer[script]
	sent    atomic.Int64 // bytes of plays that were taken by the network

	mu     sync.Mutex
	open   int        // connections
	closed *sync.Cond // of mu: open went down
}

// script is what each desktop gets after the handshake: the stream over and
// over, as fast as it is read, until total bytes are out, and then a
// disconnect. Without a stream it is a picture that stands still.
type script struct {
	stream []byte
	total  int64
}

func startFakeGuacd() (*fakeGuacd, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	g := &fakeGuacd{address: listener.Addr().String(), listen: listener}
	g.closed = sync.NewCond(&g.mu)
	g.play.Store(&script{})
	go func() {
		for {
			conn, err := listener.AcceptTCP()
			if err != nil {
				return // stop
			}
			g.count(1)
			go func() {
				defer g.count(-1)
				g.serve(conn)
			}()
		}
	}()
	return g, nil
}

func (g *fakeGuacd) stop() error { return g.listen.Close() }

func (g *fakeGuacd) count(change int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open += change
	g.closed.Broadcast()
}

// wait returns once nobody is connected: then the relay is done with the desktops.
func (g *fakeGuacd) wait() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.open > 0 {
		g.closed.Wait()
	}
}

// serve is one connection. Its errors are the relay's going away, which the
// load notices.
func (g *fakeGuacd) serve(conn *net.TCPConn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	if handshake(in, conn) != nil {
		return
	}
	over := make(chan bool)
	go func() { // what the client says goes nowhere, but must be read
		defer close(over)
		for {
			if said, err := in.ReadString(';'); err != nil || said == "10.disconnect;" {
				return
			}
		}
	}()
	play := g.play.Load()
	if play.stream == nil {
		g.standStill(conn, over)
		return
	}
	if g.replay(conn, play) == nil && conn.CloseWrite() == nil {
		<-over // closed with something unread, TCP would throw away what is on its way
	}
}

func handshake(in *bufio.Reader, out io.Writer) error {
	if _, err := in.ReadString(';'); err != nil { // select
		return err
	}
	if _, err := fmt.Fprint(out, "4.args,13.VERSION_1_5_0,8.hostname,4.port;"); err != nil {
		return err
	}
	for {
		instruction, err := in.ReadString(';')
		if err != nil {
			return err
		}
		if strings.HasPrefix(instruction, "7.connect,") {
			break
		}
	}
	_, err := fmt.Fprint(out, "5.ready,37.$aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee;")
	return err
}

func (g *fakeGuacd) replay(out io.Writer, play *script) error {
	for sent := int64(0); sent < play.total; sent += int64(len(play.stream)) {
		n, err := out.Write(play.stream)
		g.sent.Add(int64(n))
		if err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, "10.disconnect;")
	return err
}

// standStill is guacd 1.6 with a quiet screen: a nop now and then.
func (g *fakeGuacd) standStill(out io.Writer, over <-chan bool) {
	if _, err := io.WriteString(out, picture); err != nil {
		return
	}
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return
		case <-ticker.C:
			if _, err := io.WriteString(out, "3.nop;"); err != nil {
				return
			}
		}
	}
}
