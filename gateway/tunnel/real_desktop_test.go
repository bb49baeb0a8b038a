package tunnel

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"stagedoor/testbed"
)

// realDesktop is one user's desktop on a real xrdp, and a guacd of its own.
type realDesktop struct {
	xrdp    *testbed.Xrdp
	user    testbed.UnixUser
	daemon  *testbed.Guacd
	guacd   *Guacd
	options Options
}

// open opens a portal and in it the desktop.
func (d *realDesktop) open(t *testing.T) (*portal, *page) {
	t.Helper()
	p := newPortal(t, d.guacd, d.options)
	b := p.open(t)
	b.untilPicture()
	return p, b
}

// freed waits until guacd has nothing left of the desktop.
func (d *realDesktop) freed(t *testing.T) {
	t.Helper()
	waitFor(t, "guacd to free its child", func() bool { return d.guacd.Live() == 0 && len(d.daemon.Children()) == 0 })
}

// over reads to the end, which must be without error.
func over(t *testing.T, p *portal, b *page, cause string) {
	t.Helper()
	last, code, why := b.goodbye()
	if code != 1000 || why != "0" || !slices.Equal(last, []string{"disconnect"}) {
		t.Errorf("%q, close frame %d %s", last, code, why)
	}
	if end := p.end(t); end.Cause != cause || end.Code() != 0 || end.Text != "" {
		t.Errorf("end %+v", end)
	}
}

// broken reads to the end, which must be guacd's silent death.
func broken(t *testing.T, p *portal, b *page) {
	t.Helper()
	last, code, why := b.goodbye()
	if code != 1011 || why != "520" || len(last) != 3 || last[0] != "error" || last[2] != "520" {
		t.Errorf("%q, close frame %d %s", last, code, why)
	}
	if end := p.end(t); end.Cause != "guacd-eof" || end.Code() != 520 {
		t.Errorf("end %+v", end)
	}
}

// desktopTest is what happens to one user's desktop.
type desktopTest struct {
	name string
	run  func(*testing.T, *realDesktop)
}

func desktopTests() []desktopTest {
	return []desktopTest{
		{"picture, input and leaving", leaves},
		{"security tls", func(t *testing.T, d *realDesktop) { d.options.Arguments["security"] = "tls"; leaves(t, d) }},
		{"security rdp", refusal{"", argument("security", "rdp"), "guacd-error", 1011, "515", ""}.of},
		{"security nla", refusal{"", argument("security", "nla"), "guacd-error", 1008, "769", "security type"}.of},
		{"self-signed certificate", refusal{"", argument("ignore-cert", "false"), "guacd-error", 1011, "519", "certificate"}.of},
		{"wrong password", isNotLetIn},
		{"logged off in the desktop", logsOff},
		{"taken over by a second login", isTakenOver},
		{"browser gone without a word", vanishes},
		{"guacd's child killed", losesChild},
		{"guacd's master killed", losesMaster},
	}
}

// TestRealDesktop works on real desktops, and ends them in every way.
func TestRealDesktop(t *testing.T) {
	testbed.Need(t, "guacd", "xrdp")
	t.Parallel()
	tests := append(desktopTests(), poolTests()...)
	users := make([]testbed.UnixUser, len(tests))
	for i := range users {
		users[i] = testbed.NewUnixUser()
	}
	x, err := testbed.StartXrdp(t.Context(), testbed.XrdpOptions{Users: users})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Stop(); err != nil {
			t.Error(err)
		}
	})
	of := func(t *testing.T, user testbed.UnixUser) *realDesktop {
		daemon := startGuacd(t, testbed.GuacdOptions{})
		return &realDesktop{x, user, daemon, NewGuacd(daemon.Address, nil), rdp(t, x.Address, user.Name, user.Password)}
	}
	t.Run("alive", func(t *testing.T) {
		for i, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				test.run(t, of(t, users[i]))
			})
		}
	})
	t.Run("RDP server killed", func(t *testing.T) { losesServer(t, of(t, users[0])) })
}

func argument(name, value string) func(*Options) {
	return func(o *Options) { o.Arguments[name] = value }
}

// of is check for a real desktop.
func (r refusal) of(t *testing.T, d *realDesktop) { r.check(t, d.guacd, d.options) }

func leaves(t *testing.T, d *realDesktop) {
	ready := make(chan bool, 1)
	d.options.OnReady = func() { ready <- true }
	p, b := d.open(t)
	<-ready
	b.say("key", "97", "1")
	b.say("key", "97", "0")
	b.say("size", "800", "600")
	b.untilPicture() // the key or the size changed what is seen
	b.say("disconnect")
	over(t, p, b, "disconnect")
	d.freed(t)
}

// isNotLetIn: xrdp without NLA draws its own login box, and guacd learns
// nothing of it.
func isNotLetIn(t *testing.T, d *realDesktop) {
	d.options.Arguments["password"] = "Not-this-one-7"
	p, b := d.open(t)
	b.say("disconnect")
	over(t, p, b, "disconnect")
	d.freed(t)
}

func logsOff(t *testing.T, d *realDesktop) {
	p, b := d.open(t)
	if err := d.xrdp.LogOff(t.Context(), d.user.Name); err != nil {
		t.Fatal(err)
	}
	over(t, p, b, "logoff")
	d.freed(t)
}

func isTakenOver(t *testing.T, d *realDesktop) {
	p, b := d.open(t)
	second, page := d.open(t)
	over(t, p, b, "logoff")
	page.say("disconnect")
	over(t, second, page, "disconnect")
	d.freed(t)
}

// vanishes: without the tunnel's disconnect guacd keeps a child for 14.5 s or more.
func vanishes(t *testing.T, d *realDesktop) {
	p, b := d.open(t)
	gone := time.Now()
	b.ws.NetConn().Close()
	if end := p.end(t); end.Cause != "browser-lost" {
		t.Errorf("end %+v", end)
	}
	d.freed(t)
	if took := time.Since(gone); took > 10*time.Second {
		t.Errorf("guacd freed its child after %v", took)
	}
}

func losesChild(t *testing.T, d *realDesktop) {
	p, b := d.open(t)
	for _, child := range d.daemon.Children() {
		if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	broken(t, p, b)
}

func losesMaster(t *testing.T, d *realDesktop) {
	p, b := d.open(t)
	if err := d.daemon.Kill(); err != nil {
		t.Fatal(err)
	}
	broken(t, p, b)
}

// losesServer: guacd 1.3 says an error or a plain disconnect, whichever of
// FreeRDP's threads is first.
func losesServer(t *testing.T, d *realDesktop) {
	p, b := d.open(t)
	if err := d.xrdp.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	last, _, why := b.goodbye()
	if end := p.end(t); why == "" || end.Cause != "guacd-error" && end.Cause != "logoff" {
		t.Errorf("%q, reason %s, end %+v", last, why, end)
	}
}
