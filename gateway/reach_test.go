package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/gateway"
	"stagedoor/store"
)

func eventsOf(kind string) store.EventFilter { return store.EventFilter{Kind: kind} }

type status struct {
	Targets map[string]string
	Running map[string]string
	Waiting bool
}

func (b *browser) status(ids ...string) (s status) {
	b.t.Helper()
	answer := b.get("/targets/status?target=" + strings.Join(ids, "&target="))
	if answer.status != 200 {
		b.t.Fatalf("status: %d %s", answer.status, answer.body)
	}
	b.must(json.Unmarshal([]byte(answer.body), &s))
	return s
}

func probing(s *gateway.Settings) { s.Probe = true }

// Whether workstations answer is found out by a connection that says nothing
// and hears nothing, for what the person may see.
func TestStatus(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	heard := make(chan string, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("SSH-2.0-hostile\r\n"))
			said, _ := io.ReadAll(conn) // until the portal closes
			heard <- string(said)
			conn.Close()
		}
	}()
	b := open(t, probing)
	b.relist(fmt.Sprintf(`targets:
  - {id: up, name: Up, host: 127.0.0.1, port: %d, visible_to: everyone}
  - {id: twin, name: Twin, host: 127.0.0.1, port: %[1]d, visible_to: everyone}
  - {id: down, name: Down, host: 127.0.0.1, port: 1, visible_to: everyone}
  - {id: hidden, name: Hidden, host: 127.0.0.1, port: 1, visible_to: ["AMIDO\\Helpdesk"]}
  - {id: web, name: Web, kind: link, url: "https://127.0.0.1:1/", visible_to: everyone}
`, listener.Addr().(*net.TCPAddr).Port))
	cecilia := b.loggedIn()
	want := status{Targets: map[string]string{"up": "up", "twin": "up", "down": "down"}, Running: map[string]string{}}
	for range 3 {
		if diff := cmp.Diff(want, cecilia.status("up", "twin", "down", "hidden", "web", "no-such")); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	if said := <-heard; said != "" {
		t.Errorf("the portal said %q", said)
	}
	select {
	case <-heard:
		t.Error("it was asked again within 30 s")
	default:
	}
	listener.Close()
	b.clock.advance(31 * time.Second)
	if got := cecilia.status("up").Targets["up"]; got != "down" {
		t.Errorf("after it was switched off: %q", got)
	}
	if a := b.browser().get("/targets/status?target=up"); a.status != 401 {
		t.Errorf("told somebody who is not logged in: %d %s", a.status, a.body)
	}
	b.clock.advance(15 * time.Minute)
	if a := cecilia.get("/targets/status?target=up"); a.status != 401 {
		t.Errorf("asking kept the session alive: %d", a.status)
	}
}

// What one has a desktop on is in use by oneself, whatever a probe would say,
// and also in one's other sessions.
func TestStatusYours(t *testing.T) {
	b, _ := withDesktops(t) // does not probe
	cecilia := b.ready()
	cecilia.opens("/desktop/sso")
	b.clock.advance(time.Minute)
	other := b.ready()
	got := cecilia.status("sso", "multiaccess01")
	if diff := cmp.Diff(map[string]string{"sso": "yours"}, got.Targets); diff != "" || len(got.Running) != 1 {
		t.Errorf("-want +got:\n%s; running %v", diff, got.Running)
	}
	got = other.status("sso", "multiaccess01")
	if diff := cmp.Diff(map[string]string{"sso": "yours"}, got.Targets); diff != "" || len(got.Running) != 0 {
		t.Errorf("another session: -want +got:\n%s; running %v", diff, got.Running)
	}
	hanna := b.as("hanna", "+46701740609")
	if got := hanna.status("sso", "multiaccess01"); len(got.Targets) != 0 {
		t.Errorf("somebody else hears of it: %v", got.Targets)
	}
}

// However many people look at however many targets, few connections are on
// their way, and the answer comes in time: it says that more is to come.
func TestProbesAreFew(t *testing.T) {
	b := open(t, probing)
	var now, most, all atomic.Int64
	release := make(chan struct{})
	b.portal.ProbeWith(func(ctx context.Context, _ string) error {
		all.Add(1)
		defer now.Add(-1)
		for n := now.Add(1); ; {
			if old := most.Load(); n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return errors.New("it does not answer")
		}
	})
	var list strings.Builder
	list.WriteString("targets:\n")
	var ids []string
	for i := range 150 {
		ids = append(ids, fmt.Sprintf("m%d", i))
		fmt.Fprintf(&list, "  - {id: m%d, name: M%d, host: 192.0.2.%d, port: 3389, visible_to: everyone}\n", i, i, i)
	}
	b.relist(list.String())
	cecilia := b.loggedIn()
	start := time.Now()
	got := cecilia.status(ids...)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if !got.Waiting || len(got.Targets) > 16 {
		t.Errorf("waiting %v, with %d answers", got.Waiting, len(got.Targets))
	}
	close(release)
	for got.Waiting {
		got = cecilia.status(ids...)
	}
	if len(got.Targets) != 100 || all.Load() != 100 {
		t.Errorf("%d answers of %d probes; a question is for 100 at most", len(got.Targets), all.Load())
	}
	if most.Load() > 8 {
		t.Errorf("%d connections at once", most.Load())
	}
}
