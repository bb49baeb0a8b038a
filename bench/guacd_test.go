package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
)

// fake is a fake guacd for one test, and a viewer that talks to it directly.
func fake(t *testing.T, play script) (*fakeGuacd, viewer) {
	t.Helper()
	g := fakeAlone(t)
	g.play.Store(&play)
	v, err := watchTCP(t.Context(), g.address)
	if err != nil {
		t.Fatal(err)
	}
	return g, v
}

func fakeAlone(t *testing.T) *fakeGuacd {
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
	return g
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
			g, v := fake(t, script{stream: stream, total: test.total})
			got, err := io.ReadAll(v.(*tcpViewer).conn)
			if err != nil {
				t.Fatal(err)
			}
			if want := answer + strings.Repeat(string(stream), test.times) + farewell; string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if err := v.close(); err != nil {
				t.Error(err)
			}
			g.wait()
			if sent := g.sent.Load(); sent != int64(test.times*len(stream)) {
				t.Errorf("it counts %d bytes, and sent %d streams of %d", sent, test.times, len(stream))
			}
		})
	}
}

// TestFakeGuacdStandsStill: one picture, and the connection stays until the viewer goes.
func TestFakeGuacdStandsStill(t *testing.T) {
	g, v := fake(t, script{})
	if err := v.first(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan bool)
	go func() { g.wait(); close(ended) }()
	select {
	case <-ended:
		t.Fatal("the desktop is over before its viewer has left")
	default:
	}
	if err := v.close(); err != nil {
		t.Fatal(err)
	}
	<-ended
}

// TestRelaysCarryEverything runs each relay's own code, in this process,
// against the fake guacd: nothing is lost, and the end is a good one.
func TestRelaysCarryEverything(t *testing.T) {
	g := fakeAlone(t)
	stream, err := playable(smallStream()[:1<<20])
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range relays() {
		t.Run(each.name, func(t *testing.T) {
			g.play.Store(&script{stream: stream, total: 1})
			v, err := each.watch(t.Context(), inProcess(t, each, g.address))
			if err != nil {
				t.Fatal(err)
			}
			n, err := v.rest()
			if err != nil || n < int64(len(stream)) {
				t.Errorf("%d of %d bytes came, %v", n, len(stream), err)
			}
			if err := v.close(); err != nil {
				t.Error(err)
			}
			g.wait()
		})
	}
}

// inProcess plays a relay's role within the test and returns its address.
func inProcess(t *testing.T, each relay, guacd string) string {
	t.Helper()
	questions, ask := io.Pipe()
	answers, out := io.Pipe()
	over := make(chan error, 1)
	go func() { over <- play(each.role, questions, out) }()
	each.work.Guacd = guacd
	var address string
	w := worker{name: each.role, in: ask, out: json.NewDecoder(answers)}
	if err := w.ask(each.work, &address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ask.Close()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	return address
}
