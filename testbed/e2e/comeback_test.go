package e2e

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stagedoor/testbed"
)

// network is what lies between the browser and the portal, and can fail.
type network struct {
	mu    sync.Mutex
	links []*link
	gone  bool
	delay atomic.Int64 // nanoseconds that each piece waits
}

type link struct {
	browser, portal net.Conn
	delay           *atomic.Int64
	dead            atomic.Bool // what comes is thrown away, and nobody is told
}

// throughNetwork puts a network before the portal.
func (r *rig) throughNetwork() *network {
	r.t.Helper()
	n := &network{}
	listener := must[net.Listener](r.t)(net.Listen("tcp", fmt.Sprintf("localhost:%d", r.port)))
	r.t.Cleanup(func() { listener.Close() })
	portal := fmt.Sprintf("localhost:%d", must[int](r.t)(testbed.FreePort()))
	r.blocks["listen"] = fmt.Sprintf("listen: %s\npublic_url: %s\n", portal, r.address)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go n.carry(conn, portal)
		}
	}()
	return n
}

func (n *network) carry(browser net.Conn, to string) {
	defer browser.Close()
	portal, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer portal.Close()
	l := &link{browser: browser, portal: portal, delay: &n.delay}
	n.mu.Lock()
	if n.gone {
		n.mu.Unlock()
		return
	}
	n.links = append(n.links, l)
	n.mu.Unlock()
	go func() {
		l.copy(portal, browser)
		if !l.dead.Load() {
			portal.Close()
		}
	}()
	l.copy(browser, portal)
}

// copy carries bytes until its source ends.
func (l *link) copy(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		time.Sleep(time.Duration(l.delay.Load())) // the distance
		if !l.dead.Load() {
			to.Write(buffer[:n])
		}
	}
}

// fail resets every connection, and lets no new one through until it is mended.
func (n *network) fail() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone = true
	for _, l := range n.links {
		for _, conn := range []net.Conn{l.browser, l.portal} {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}
	n.links = nil
}

func (n *network) mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone = false
}

// fallSilent drops what goes through the connections that there are, as when a
// laptop changes its network: neither side is told. New ones work.
func (n *network) fallSilent() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.links {
		l.dead.Store(true)
	}
	n.links = nil
}

// A network that fails for a moment costs nobody their desktop: the page says
// so, tries again by itself, and is back in the very same guacd process, with
// what was typed before and no new login.
func TestBrowserComesBack(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withDesktops()
	network := r.throughNetwork()
	page := r.atList(testbed.BrowserOptions{})
	page.Click(`a[data-target="multiaccess01"]`)
	connected(t, page)
	page.WaitColour(800, 500, terminal)
	page.Type("echo före") // not yet entered: it waits in the terminal
	before := r.guacd.Children()

	network.delay.Store(int64(150 * time.Millisecond)) // a line that is slow, and is told to be
	page.WaitFor(`[data-part="quality-sign-box"]`)
	page.WaitText("Trög förbindelse")
	page.WaitUntil(`document.querySelector('[data-part="quality-sign-said"]').textContent === "Nu är det dålig förbindelse."`)
	page.Shot("desktop-poor")
	network.delay.Store(0)
	page.WaitGone(`[data-part="quality-sign-box"]`)

	network.fail()
	page.WaitText("Förbindelsen med portalen bröts.")
	page.Shot("desktop-coming-back")
	network.mend()
	page.WaitUntil(`document.querySelector(".pane.active")?.dataset.state === "connected"`)
	page.WaitColour(800, 500, terminal)
	if after := r.guacd.Children(); len(before) != 1 || !slices.Equal(before, after) {
		t.Errorf("guacd's processes were %v and are %v", before, after)
	}
	page.Shot("desktop-came-back")
	typed := filepath.Join(r.shared(), "typed")
	command(page, " och efter > "+typed)
	r.contains(typed, "före och efter")
	network.fallSilent()
	page.WaitText("Förbindelsen är långsam eller bruten.")
	page.WaitText("Förbindelsen med portalen bröts.")
	page.WaitUntil(`document.querySelector(".pane.active")?.dataset.state === "connected"`)
	page.WaitColour(800, 500, terminal)
	if after := r.guacd.Children(); !slices.Equal(before, after) {
		t.Errorf("guacd's processes were %v and are %v", before, after)
	}
	command(page, "echo och igen >> "+typed)
	r.contains(typed, "och igen")
	page.Open(r.address + "/")
	page.WaitText("Välj system")

	out, exit := stagedoor(t, "audit", "--config", filepath.Join(r.dir, "config.yaml"))
	for _, want := range []string{`"Kind":"desktop-close","Result":"error","Reason":"browser-lost"`, `"Kind":"desktop-open","Result":"ok","Reason":"back"`,
		`"Kind":"desktop-close","Result":"ok","Reason":"replaced"`} {
		if exit != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, no %s in:\n%s", exit, want, out)
		}
	}
}
