package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"testing"
)

// TestRelays runs each relay that is installed with a tiny load, as a process,
// plain and with TLS: nothing is lost, and idle desktops stay.
func TestRelays(t *testing.T) {
	id, err := makeIdentity(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	stream, err := playable(smallStream())
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range relays() {
		if missing := each.missing(); missing != "" {
			t.Run(each.name, func(t *testing.T) {
				if os.Getenv("CI") == "true" { // make test brings it
					t.Fatal(missing)
				}
				t.Skip(missing)
			})
			continue
		}
		for name, id := range map[string]*identity{"plain": nil, "TLS": id} {
			if id == nil || !each.plainOnly {
				t.Run(each.name+" "+name, func(t *testing.T) { testRelay(t, each, id, stream) })
			}
		}
	}
}

func testRelay(t *testing.T, each relay, id *identity, stream []byte) {
	ctx := t.Context()
	r, err := startRig(ctx, each, id, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	}()
	if cost, err := r.carry(ctx, load{stream: stream, total: 400_000, heavy: 400_000, desktops: 2}); err != nil || cost <= 0 {
		t.Errorf("CPU: %v, %v", cost, err)
	}
	if rss, err := rssOf(r.worker.pid); err != nil || rss < 1000 {
		t.Errorf("memory: %v KiB, %v", rss, err)
	}
	r.guacd.set(still)
	idle := &stillRoom{room: room{rig: r}}
	if err := idle.enter(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if n := r.guacd.connected(); n != 3 || idle.missing() != nil {
		t.Errorf("%d idle desktops, %v", n, idle.missing())
	}
	idle.left = true
	if err := idle.room.leave(); err != nil {
		t.Error(err)
	}
	idle.reading.Wait()
}

// TestLatency: without a relay, as the others are compared with.
func TestLatency(t *testing.T) {
	r, err := startRig(t.Context(), relay{name: "direct"}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	through, err := r.paced(t.Context())
	if err != nil || through.p50 <= 0 || through.p99 < through.p50 {
		t.Errorf("%+v, %v", through, err)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

// TestKeys pins what a reader of results.json finds, and where.
func TestKeys(t *testing.T) {
	r := newTunnelRun(nil, nil, t.Logf)
	text, err := json.Marshal(results{Versions: versions(), tunnelResults: r.results("made")})
	if err != nil {
		t.Fatal(err)
	}
	var found map[string]json.RawMessage
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	want(t, "results", found, "machine", "versions", "portal", "mixed_stream", "relays", "direct", "spread", "targets", "not_measured")
	want(t, "versions", parse(t, found["versions"]), "go", "node", "stagedoor", "wwtguac", "guacamolelite", "haproxy")
	of := parse(t, found["relays"])
	want(t, "relays", of, "stagedoor", "wwtguac", "guacamolelite", "haproxy", "iocopy", "splice")
	for name, numbers := range of {
		keys := []string{
			"mixed_cpu_s_per_gb", "small_cpu_s_per_gb", "latency_p50_us", "latency_p99_us", "idle_kb", "idle_tls_kb", "stalled_kb", "frame_age_s",
			"mixed_one_cpu_s_per_gb", "small_one_cpu_s_per_gb", "through_p50_us", "through_p99_us", "stalled_gone_s", "frame_age_throttled_s",
		}
		if name == "stagedoor" {
			keys = append(keys, "many_rss_mb", "many_cpu_percent")
		}
		want(t, name, parse(t, numbers), keys...)
		for key, value := range parse(t, numbers) {
			if string(value) != "null" {
				t.Errorf("%s %s was not measured, and is %s", name, key, value)
			}
		}
	}
}

func want(t *testing.T, what string, found map[string]json.RawMessage, keys ...string) {
	t.Helper()
	slices.Sort(keys)
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, keys) {
		t.Errorf("%s has %q, want %q", what, got, keys)
	}
}

func parse(t *testing.T, object json.RawMessage) (fields map[string]json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal(object, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

// TestFailures: a relay that fails loses its number and nothing else; where it
// is ours, the run has failed.
func TestFailures(t *testing.T) {
	r := newTunnelRun(nil, nil, t.Logf)
	broken := errors.New("broken")
	theirs := relay{name: "haproxy", peer: true}
	r.add("haproxy", "idle_kb", 3)
	r.add("haproxy", "stalled_kb", 4)
	if err := r.try(t.Context(), theirs, func() error { return broken }, "idle_kb"); err != nil {
		t.Errorf("a peer's failure ends the run: %v", err)
	}
	if err := r.try(t.Context(), theirs, func() error { t.Error("tried again"); return nil }, "idle_kb"); err != nil {
		t.Error(err)
	}
	numbers := r.results("made").Relays["haproxy"]
	if numbers["idle_kb"] != nil || numbers["stalled_kb"] == nil || *numbers["stalled_kb"] != 4 || r.why["haproxy idle_kb"] != "broken" {
		t.Errorf("numbers %v, reasons %v", numbers, r.why)
	}
	if r.faults != nil {
		t.Errorf("a peer's failure is ours: %v", r.faults)
	}
	if err := r.try(t.Context(), relay{name: "stagedoor"}, func() error { return broken }, "idle_kb"); err != nil || !errors.Is(r.faults, broken) {
		t.Errorf("our own failure: %v, %v", err, r.faults)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.try(over, theirs, func() error { return broken }, "stalled_kb"); !errors.Is(err, broken) {
		t.Errorf("the end of the run is taken for the peer's fault: %v", err)
	}
}

// TestTargets: a ratio is of pairs, and nothing that was not measured is met.
func TestTargets(t *testing.T) {
	r := newTunnelRun(nil, nil, t.Logf)
	verdicts := func() map[string]string {
		all := map[string]string{}
		for _, each := range r.targets() {
			all[each.Name] = each.Verdict
		}
		return all
	}
	for name, verdict := range verdicts() {
		if verdict != "not measured" {
			t.Errorf("%s: %s", name, verdict)
		}
	}
	for i, ours := range []float64{1, 2, 3} {
		r.add("stagedoor", "mixed_cpu_s_per_gb", ours)
		r.add("haproxy", "mixed_cpu_s_per_gb", []float64{2, 2, 2}[i])
		r.add("wwtguac", "mixed_cpu_s_per_gb", 19*ours)
	}
	r.add("iocopy", "mixed_cpu_s_per_gb", 100) // fewer rounds: no pairs
	r.add("stagedoor", "idle_kb", 25.1)
	r.add("stagedoor", "stalled_kb", 900) // and it never went
	got := verdicts()
	for name, want := range map[string]string{
		"mixed CPU, stagedoor / haproxy": "met", "mixed CPU, wwtguac / stagedoor": "missed", "mixed CPU, stagedoor / iocopy": "not measured",
		"idle desktop, KiB": "missed", "idle desktop over TLS, KiB": "not measured", "stalled reader, MB": "met", goneTarget: "missed",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}
