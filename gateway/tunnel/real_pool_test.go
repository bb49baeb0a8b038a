package tunnel

import (
	"slices"
	"testing"
	"time"

	"stagedoor/testbed"
)

// poolTests are what real guacds do for a desktop when a network or a guacd fails.
func poolTests() []desktopTest {
	return []desktopTest{
		{"comes back", comesBack},
		{"comes back over TLS", func(t *testing.T, d *realDesktop) {
			daemon, ca := startSecureGuacd(t)
			d.daemon, d.guacd = daemon, NewGuacd(daemon.Address, clientTLS(ca))
			comesBack(t, d)
		}},
		{"comes back anew", comesBackAnew},
		{"held for its time", isHeld},
		{"another guacd for a dead one", func(t *testing.T, d *realDesktop) {
			if err := d.daemon.Kill(); err != nil {
				t.Fatal(err)
			}
			goesElsewhere(t, d)
		}},
		{"another guacd for a hung one", func(t *testing.T, d *realDesktop) {
			if err := d.daemon.Pause(); err != nil {
				t.Fatal(err)
			}
			d.options.HandshakeTimeout = 2 * time.Second
			goesElsewhere(t, d)
		}},
	}
}

// comesBack: the desktop is in the same process of guacd, as it was, twice.
func comesBack(t *testing.T, d *realDesktop) {
	d.options.Hold = time.Minute
	p, b := d.open(t)
	children := d.daemon.Children()
	for range 2 {
		b.tcp().Close()
		if end := p.end(t); !end.Held || end.Cause != "browser-lost" {
			t.Fatalf("end %+v", end)
		}
		b = p.open(t)
		b.untilPicture()
		if now := d.daemon.Children(); len(children) != 1 || !slices.Equal(children, now) {
			t.Errorf("guacd's children were %v and are %v", children, now)
		}
		b.say("key", "97", "1")
		b.say("key", "97", "0")
		b.untilPicture() // who joined may type
	}
	b.say("disconnect")
	over(t, p, b, "disconnect")
	d.freed(t)
}

// comesBackAnew: the guacd that held the desktop has died; another one shows the
// same session of the target.
func comesBackAnew(t *testing.T, d *realDesktop) {
	d.options.Hold = time.Minute
	second := startGuacd(t, testbed.GuacdOptions{})
	p := newPoolPortal(t, NewPool(nil, d.guacd, NewGuacd(second.Address, nil)), d.options)
	b := p.open(t)
	b.untilPicture()
	b.tcp().Close()
	if end := p.end(t); !end.Held {
		t.Fatalf("end %+v", end)
	}
	if err := d.daemon.Kill(); err != nil {
		t.Fatal(err)
	}
	b = p.open(t)
	b.untilPicture()
	if children := second.Children(); len(children) != 1 {
		t.Errorf("the second guacd has %v", children)
	}
	b.say("disconnect")
	over(t, p, b, "disconnect")
}

// isHeld: guacd ends who is silent for 15 s, and a desktop that nobody is in.
// The keeper is there for its time and then goes by itself.
func isHeld(t *testing.T, d *realDesktop) {
	d.options.Hold = 18 * time.Second
	p, b := d.open(t)
	b.tcp().Close()
	if end := p.end(t); !end.Held {
		t.Fatalf("end %+v", end)
	}
	lost := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for len(d.daemon.Children()) > 0 && time.Since(lost) < time.Minute {
		<-tick.C
	}
	if took := time.Since(lost); took < d.options.Hold-time.Second {
		t.Errorf("guacd freed its child after %v", took)
	}
	d.freed(t)
}

// goesElsewhere: the first guacd of two cannot, and nobody notices.
func goesElsewhere(t *testing.T, d *realDesktop) {
	second := startGuacd(t, testbed.GuacdOptions{})
	p := newPoolPortal(t, NewPool(nil, d.guacd, NewGuacd(second.Address, nil)), d.options)
	b := p.open(t)
	b.untilPicture()
	if children := second.Children(); len(children) != 1 {
		t.Errorf("the second guacd has %v", children)
	}
	b.say("disconnect")
	over(t, p, b, "disconnect")
}
