package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// fake is a fake guacd for one test, and a viewer that talks to it directly.
func fake(t *testing.T, s scene) (*fakeGuacd, viewer) {
	t.Helper()
	g, err := startFakeGuacd()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.stop(); err != nil {
			t.Error(err)
		}
	})
	g.set(s)
	v, err := viewing{}.watchTCP(t.Context(), g.address)
	if err != nil {
		t.Fatal(err)
	}
	return g, v
}

// leave closes the viewer and waits for the fake to notice.
func leave(t *testing.T, g *fakeGuacd, v viewer) {
	t.Helper()
	if err := v.close(); err != nil {
		t.Error(err)
	}
	g.wait()
}

const (
	answer   = "4.args,13.VERSION_1_5_0,8.hostname,4.port;5.ready,37.$aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee;"
	farewell = "10.disconnect;"
)

// TestFakeGuacdReplays: whole streams until the total is out, and then the end.
func TestFakeGuacdReplays(t *testing.T) {
	stream := []byte("4.sync,1.5;3.nop;")
	for _, test := range []struct {
		name  string
		total int64
		times int
	}{
		{"less than one stream", 1, 1},
		{"exactly two", 2 * int64(len(stream)), 2},
		{"a little over two", 2*int64(len(stream)) + 1, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, v := fake(t, replay(stream, test.total))
			got, err := io.ReadAll(v)
			if err != nil {
				t.Fatal(err)
			}
			if want := answer + strings.Repeat(string(stream), test.times) + farewell; string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
			leave(t, g, v)
			if sent := g.sent.Load(); sent != int64(test.times*len(stream)) {
				t.Errorf("it counts %d bytes, and sent %d streams of %d", sent, test.times, len(stream))
			}
		})
	}
}

// TestFakeGuacdStandsStill: one picture, and the connection stays until the viewer goes.
func TestFakeGuacdStandsStill(t *testing.T) {
	g, v := fake(t, still)
	if err := untilPicture(v); err != nil {
		t.Fatal(err)
	}
	if g.connected() != 1 {
		t.Fatal("the desktop is over before its viewer has left")
	}
	leave(t, g, v)
}

// TestFakeGuacdFloods: nothing before it begins, at most so much, and then it stays.
func TestFakeGuacdFloods(t *testing.T) {
	begin := make(chan struct{})
	const stream = "5.mouse,1.1,1.2;"
	g, v := fake(t, flood(t.Context(), begin, []byte(stream), 3*int64(len(stream))-1))
	in := scan(v)
	for _, want := range []string{"args", "ready", "size", "cfill", "sync"} {
		if got, _, err := in.next(); got != want || err != nil {
			t.Fatalf("%s, %v; want %s", got, err, want)
		}
	}
	if sent := g.sent.Load(); sent > int64(len(picture)) {
		t.Errorf("%d bytes before it was to begin", sent)
	}
	close(begin)
	for _, want := range []string{"mouse", "mouse", "mouse", "size"} { // and the quiet screen's picture
		if got, _, err := in.next(); got != want || err != nil {
			t.Fatalf("%s, %v; want %s", got, err, want)
		}
	}
	leave(t, g, v)
}

func TestFloodEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begin := make(chan struct{})
	close(begin)
	g, v := fake(t, flood(ctx, begin, []byte("3.nop;"), 1e9))
	if err := untilPicture(v); err != nil {
		t.Fatal(err)
	}
	leave(t, g, v)
	if sent := g.sent.Load(); sent > 2*int64(len(picture)) {
		t.Errorf("it sent %d bytes", sent)
	}
}

// TestPaced: the time that an instruction carries is when it was sent.
func TestPaced(t *testing.T) {
	zero := time.Now()
	g, v := fake(t, paced(time.Millisecond, zero))
	in, last := scan(v), int64(0)
	for seen := 0; seen < 5; {
		opcode, instruction, err := in.next()
		if err != nil {
			t.Fatal(err)
		}
		if opcode != "mouse" {
			continue
		}
		sent, err := number(instruction)
		if err != nil || sent <= last || in.arrived.Sub(zero) < time.Duration(sent) {
			t.Fatalf("sent at %d after %d, arrived at %v, %v", sent, last, in.arrived.Sub(zero), err)
		}
		last = sent
		seen++
	}
	leave(t, g, v)
}

// TestFrames: a viewer reads whole frames, and their answers throttle guacd.
func TestFrames(t *testing.T) {
	for _, throttled := range []bool{false, true} {
		t.Run(fmt.Sprintf("throttled %v", throttled), func(t *testing.T) {
			g, err := startFakeGuacd()
			if err != nil {
				t.Fatal(err)
			}
			g.set(frames(throttled))
			direct := &rig{guacd: g, at: relayReady{Address: g.address}}
			age, err := direct.age(t.Context(), 200*time.Millisecond, 300*time.Millisecond)
			if err != nil || age <= 0 || age > 60 {
				t.Errorf("age %v, %v", age, err)
			}
			g.wait()
			if err := direct.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLag: what an answer takes longer than the quickest one did.
func TestLag(t *testing.T) {
	viewer, conn := tcpPair(t)
	d := &desktop{conn: conn, over: make(chan struct{})}
	go d.listen(bufio.NewReader(conn))
	now := time.Now().UnixMilli()
	for _, stamp := range []int64{now - 5000, now - 50, now - 1050} {
		if _, err := viewer.Write(syncInstruction(stamp, "")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := viewer.Write([]byte("3.nop;4.sync,1.x;10.disconnect;")); err != nil {
		t.Fatal(err)
	}
	<-d.over
	if lag := d.lag.Load(); lag < 1000 || lag > 4900 {
		t.Errorf("lag %d ms, want 1000 and what this machine took", lag)
	}
}

func tcpPair(t *testing.T) (dialed, accepted *net.TCPConn) {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if dialed, err = net.DialTCP("tcp", nil, listener.Addr().(*net.TCPAddr)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialed.Close() })
	if accepted, err = listener.AcceptTCP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { accepted.Close() })
	return dialed, accepted
}
