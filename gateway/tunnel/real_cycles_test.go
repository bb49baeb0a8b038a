package tunnel

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// realCycles is how many desktops TestRealCycles opens: a few hundred would
// take a minute, so that the full 10,000 are asked for (make soak).
func realCycles(t *testing.T) int {
	t.Helper()
	text := os.Getenv("STAGEDOOR_CYCLES")
	if text == "" {
		return 120
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		t.Fatalf("STAGEDOOR_CYCLES=%q: want a number", text)
	}
	return n
}

// lane is a guacd that serves one desktop after the other. guacd 1.3 does not
// stand many beginnings and ends at once: it forks while its other threads hold
// locks, and closes a descriptor twice when a child has ended (guacd/proc.c,
// guacd_proc_stop), by then perhaps another desktop's. So a lane waits until
// guacd's thread for the last desktop is gone.
type lane struct {
	daemon *testbed.Guacd
	guacd  *Guacd
	cycles []cycle
	stages []*stage
	log    strings.Builder // of the last desktop
	before master
	opened int
}

// master is what guacd's own process holds; its children come and go.
type master struct{ descriptors, threads, kilobytes int }

func (l *lane) holds(t *testing.T) (m master) {
	t.Helper()
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", l.daemon.PID))
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.daemon.PID))
	if err != nil {
		t.Fatal(err)
	}
	m.descriptors = len(descriptors)
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		switch fields[0] {
		case "Threads:":
			m.threads, _ = strconv.Atoi(fields[1])
		case "VmRSS:":
			m.kilobytes, _ = strconv.Atoi(fields[1])
		}
	}
	return m
}

// run opens n desktops, one after the other, ended in turn in every way.
func (l *lane) run(t *testing.T, n int) {
	for range n {
		l.opened++
		i := l.opened % len(l.cycles)
		l.log.Reset()
		if end := l.stages[i].once(t, l.cycles[i].browser); end.Cause != l.cycles[i].causes {
			t.Errorf("desktop %d, %s: end %+v\n%s", l.opened, l.cycles[i].name, end, l.log.String())
		}
		waitFor(t, "guacd to be through with the desktop", func() bool { return l.guacd.Live() == 0 && l.holds(t).threads == 1 })
	}
	waitFor(t, "guacd's children to end", func() bool { return len(l.daemon.Children()) == 0 })
}

// connected reads until guacd is ready. It is false where guacd never was.
func (b *page) connected() bool {
	for {
		got, err := b.read()
		if err != nil {
			return false
		}
		if got[0] == "size" {
			return true
		}
	}
}

func leavesAtOnce(b *page) {
	if b.connected() {
		b.say("disconnect")
		b.goodbye()
	}
}

func newLane(t *testing.T) *lane {
	t.Helper()
	daemon := startGuacd(t, testbed.GuacdOptions{})
	l := &lane{daemon: daemon, guacd: NewGuacd(daemon.Address, nil)}
	options := rdp(t, deadPort(t), "anna", "secret")
	options.Log = slog.New(slog.NewTextHandler(&l.log, nil))
	l.cycles = []cycle{
		{name: "the target is dead", options: options, causes: "guacd-error", browser: func(b *page) { b.goodbye() }},
		{name: "the page leaves", options: options, causes: "disconnect", browser: leavesAtOnce},
		{name: "TCP is closed", options: options, causes: "browser-lost", browser: func(b *page) { b.connected(); b.tcp().Close() }},
		{name: "the tab is closed at once", options: options, causes: "browser-lost", browser: func(b *page) { b.tcp().Close() }},
	}
	for _, c := range l.cycles {
		l.stages = append(l.stages, newStage(t, l.guacd, c))
	}
	// It still looks at the connection that tried whether it listens.
	waitFor(t, "guacd to be idle", func() bool { return l.holds(t).threads == 1 })
	return l
}

// TestRealCycles opens and ends desktops through real guacds, which must have
// nothing left of them, and neither must the gateway.
func TestRealCycles(t *testing.T) {
	testbed.Need(t, "guacd")
	total := realCycles(t)
	lanes := make([]*lane, 8)
	for i := range lanes {
		lanes[i] = newLane(t)
	}
	each := func(n int) func(*testing.T) {
		return func(t *testing.T) {
			for i, l := range lanes {
				t.Run(strconv.Itoa(i), func(t *testing.T) { t.Parallel(); l.run(t, n) })
			}
		}
	}
	t.Run("first", each(3))
	for _, l := range lanes {
		l.before = l.holds(t)
	}
	before, began := held(t), time.Now()
	t.Run("all", each(total/len(lanes)))
	before.waitForAll(t)
	t.Logf("%d desktops in %v", total, time.Since(began).Round(time.Second))
	for i, l := range lanes {
		after := l.holds(t)
		t.Logf("guacd %d: %+v, then %+v", i, l.before, after)
		if after.descriptors > l.before.descriptors || after.threads > l.before.threads || after.kilobytes > l.before.kilobytes+16<<10 {
			t.Errorf("guacd %d held %+v, now %+v", i, l.before, after)
		}
	}
}
