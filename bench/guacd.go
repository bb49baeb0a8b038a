package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// fakeGuacd stands in for guacd so that the relay alone is measured. It speaks
// the handshake, and then what the scene says.
type fakeGuacd struct {
	address string
	listen  net.Listener
	scene   atomic.Value // scene
	sent    atomic.Int64 // bytes of scenes that were taken by the network

	mu     sync.Mutex
	open   int        // connections
	closed *sync.Cond // of mu: open went down
}

func startFakeGuacd() (*fakeGuacd, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	g := &fakeGuacd{address: listener.Addr().String(), listen: listener}
	g.closed = sync.NewCond(&g.mu)
	g.set(scene(still))
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

// set says what desktops that open from now on show.
func (g *fakeGuacd) set(s scene) { g.scene.Store(s) }

func (g *fakeGuacd) count(change int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open += change
	g.closed.Broadcast()
}

// connected is how many connections there are.
func (g *fakeGuacd) connected() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
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
	in := bufio.NewReaderSize(conn, 512)
	if handshake(in, conn) != nil {
		return
	}
	d := &desktop{guacd: g, conn: conn, over: make(chan struct{})}
	go d.listen(in)
	_ = g.scene.Load().(scene)(d)
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

// desktop is one connection after the handshake.
type desktop struct {
	guacd *fakeGuacd
	conn  *net.TCPConn
	over  chan struct{} // closed when the relay has left
	lag   atomic.Int64  // of the viewer, in ms, by its answers to frames
}

// listen reads what the client says, as it must be; only the answers to
// frames mean anything here. At the end it also ends a write that is stuck.
func (d *desktop) listen(in *bufio.Reader) {
	defer close(d.over)
	defer func() { _ = d.conn.SetWriteDeadline(time.Unix(1, 0)) }()
	var quickest int64
	for {
		said, err := in.ReadString(';')
		if err != nil || said == "10.disconnect;" {
			return
		}
		text, isSync := strings.CutPrefix(said, "4.sync,")
		_, text, _ = strings.Cut(strings.TrimSuffix(text, ";"), ".")
		stamp, err := strconv.ParseInt(text, 10, 64)
		if !isSync || err != nil {
			continue
		}
		// As __guac_handle_sync of libguac/user-handlers.c reckons (1.3): what the
		// quickest answer took is the way there and back, the rest is lag.
		took := max(time.Now().UnixMilli()-stamp, 1)
		if quickest == 0 || took < quickest {
			quickest = took
		}
		d.lag.Store(took - quickest)
	}
}

// write sends a part of a scene.
func (d *desktop) write(b []byte) error {
	n, err := d.conn.Write(b)
	d.guacd.sent.Add(int64(n))
	return err
}

var errOver = errors.New("the relay has left")

// pause waits, unless the relay leaves.
func (d *desktop) pause(t time.Duration) error {
	if t <= 0 {
		return nil
	}
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-d.over:
		return errOver
	case <-timer.C:
		return nil
	}
}
