package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNodes(t *testing.T) {
	clock := newClock()
	path := filepath.Join(t.TempDir(), "stagedoor.db")
	// Each node has the file open by itself, as two machines' processes would.
	first, second := open(t, path, clock.now), open(t, path, clock.now)
	a := Node{ID: "a", Host: "portal-1", Version: "1.2.3", StartedAt: clock.now(), TargetsDigest: "00", TargetsLoadedAt: clock.now(), Desktops: 3,
		Senders: []SenderHealth{{Name: "46elks", Countries: []string{"SE"}, Breaker: "open", OpenUntil: clock.now(), LastFailure: clock.now(), Failure: "refused"}, {Name: "mail"}}}
	note := func(s *Store, n Node) {
		t.Helper()
		if err := s.NoteNode(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	states := func() (lines []string) {
		t.Helper()
		nodes, err := first.Nodes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range nodes {
			state := "runs"
			if n.Gone(clock.now()) {
				state = "gone"
			}
			lines = append(lines, n.ID+" "+state)
		}
		return lines
	}
	expect := func(when string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, states()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	expect("before any")
	note(first, a)
	clock.forward(time.Second)
	note(second, Node{ID: "b", Host: "portal-2", StartedAt: clock.now()})
	expect("both run", "a runs", "b runs")

	clock.forward(NodeGone)
	a.Desktops, a.TargetsError = 4, "targets.yaml:7: id: is missing"
	note(first, a)
	expect("b has been silent for exactly as long as it may", "a runs", "b runs")
	clock.forward(time.Millisecond)
	expect("and now for longer", "a runs", "b gone")

	nodes, err := second.Nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes[1].Senders) != 0 {
		t.Errorf("b has senders: %+v", nodes[1].Senders)
	}
	want := a
	want.SeenAt = clock.now().Add(-time.Millisecond)
	if diff := cmp.Diff(want, nodes[0]); diff != "" {
		t.Errorf("what is known of a (-want +got):\n%s", diff)
	}
	a.StoppedAt = clock.now()
	note(first, a)
	expect("a said goodbye, after b was last seen", "a gone", "b gone")

	clock.forward(keepNodes - NodeGone)
	if err := first.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect("a week after b was seen", "a gone")
}
