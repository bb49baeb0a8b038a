package otp

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/store"
)

func TestHealthOfNodes(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	in := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	well := SenderHealth{Name: "46elks", Countries: []string{"SE"}, Breaker: BreakerClosed, LastSuccess: ago(3), LastFailure: ago(9), Failure: "long ago"}
	better := well
	better.LastSuccess, better.LastFailure, better.Failure = ago(1), ago(8), "refused"
	broken := SenderHealth{Name: "46elks", Countries: []string{"SE"}, Breaker: BreakerOpen, OpenUntil: in(1), LastFailure: ago(0), Failure: "refused"}
	failing := SenderHealth{Name: "46elks", Breaker: BreakerClosed, LastFailure: ago(1), Failure: "refused"}
	over := broken
	over.OpenUntil = ago(0)
	mail := SenderHealth{Name: "mail", Breaker: BreakerClosed}
	node := func(host string, senders ...SenderHealth) store.Node {
		return store.Node{Host: host, SeenAt: now, Senders: senders}
	}
	joined := func(h SenderHealth, failing bool, hosts ...string) NodesHealth { return NodesHealth{h, failing, hosts} }
	latest := better
	gone, stopped := node("c", broken), node("d", broken)
	gone.SeenAt, stopped.StoppedAt = ago(1), ago(1)
	half := over
	half.Breaker, half.OpenUntil = BreakerHalfOpen, time.Time{}
	for name, c := range map[string]struct {
		nodes []store.Node
		want  []NodesHealth
	}{
		"none":                      {nil, nil},
		"one":                       {[]store.Node{node("a", well, mail)}, []NodesHealth{joined(well, false), joined(mail, false)}},
		"two that agree":            {[]store.Node{node("a", well, mail), node("b", better, mail)}, []NodesHealth{joined(latest, false), joined(mail, false)}},
		"two that do not":           {[]store.Node{node("a", well, mail), node("b", broken, mail)}, []NodesHealth{joined(well, false, "a"), joined(broken, true, "b"), joined(mail, false)}},
		"one that has failed last":  {[]store.Node{node("a", well), node("b", failing), node("e", well)}, []NodesHealth{joined(well, false, "a", "e"), joined(failing, true, "b")}},
		"gone and stopped":          {[]store.Node{node("a", well), gone, stopped}, []NodesHealth{joined(well, false)}},
		"a sender of one only":      {[]store.Node{node("a", well), node("b", well, mail)}, []NodesHealth{joined(well, false), joined(mail, false)}},
		"open, and over since then": {[]store.Node{node("a", over)}, []NodesHealth{joined(half, true)}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, HealthOfNodes(c.nodes, now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
