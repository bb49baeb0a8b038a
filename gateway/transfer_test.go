package gateway_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"stagedoor/testbed"
)

// scale counts every byte that comes over a browser's connections, headers too.
type scale struct {
	*browser
	got atomic.Int64
}

type weighedConn struct {
	net.Conn
	got *atomic.Int64
}

func (c weighedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.got.Add(int64(n))
	return n, err
}

func (b *browser) scale() *scale {
	s := &scale{browser: b}
	dialer := &net.Dialer{}
	transport := &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		return weighedConn{conn, &s.got}, err
	}}
	b.t.Cleanup(transport.CloseIdleConnections)
	b.client = &http.Client{Jar: b.client.Jar, Timeout: b.client.Timeout, Transport: transport}
	return s
}

var loaded = regexp.MustCompile(`\s(?:src|srcset|href)="(/static/[^"#]+)`)

// weigh loads a page and all that it loads, with nothing kept from before, and
// says how many bytes came.
func (s *scale) weigh(path string) int64 {
	s.t.Helper()
	plain := s.get(path)
	plain.shows(s.t, 200, path)
	files := map[string]bool{}
	for _, m := range loaded.FindAllStringSubmatch(plain.body, -1) {
		files[m[1]] = true
	}
	if len(files) < 3 { // style, script, mark
		s.t.Fatalf("%s loads only %v", path, files)
	}
	before := s.got.Load()
	s.do(http.MethodGet, path, nil, "Accept-Encoding", "gzip, deflate, br").shows(s.t, 200, path)
	page := s.got.Load() - before
	for file := range files {
		if got := s.do(http.MethodGet, file, nil, "Accept-Encoding", "gzip, deflate, br"); got.status != 200 {
			s.t.Errorf("%s: %d", file, got.status)
		}
	}
	whole := s.got.Load() - before
	s.t.Logf("%-32s %6d bytes, %6d of them the page itself, which is %6d unpacked", path, whole, page, len(plain.body))
	return whole
}

// manyTargets is a list like the seed's, of any length.
func manyTargets(n int) string {
	var list strings.Builder
	list.WriteString("targets:\n")
	for i := range n {
		fmt.Fprintf(&list, "  - {id: multiaccess%03d, name: XXX.Stockholm.MultiAccess%03d, group: Ort %02d, description: \"Passersystem, hus %d\", host: 10.0.0.%d, visible_to: everyone}\n",
			i, i, i/12, 7*i%100, i%250)
	}
	return list.String()
}

// setTargets replaces the list and waits until it is read.
func (b *bench) setTargets(list string) {
	b.t.Helper()
	read := b.watcher.Changed()
	b.must(os.WriteFile(b.targets, []byte(list), 0o600))
	<-read
	b.must(b.watcher.Err())
}

// What somebody on a slow line waits for who comes for the first time: every
// page up to the list with everything that it loads, in bytes on the wire.
func TestTransfer(t *testing.T) {
	const most = 20_000
	b := open(t, nil)
	s := b.browser().scale()
	for _, path := range []string{"/login", "/password"} {
		if got := s.weigh(path); got > most {
			t.Errorf("%s: %d bytes, more than %d", path, got, most)
		}
	}
	s.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	if got := s.weigh("/code"); got > most {
		t.Errorf("/code: %d bytes, more than %d", got, most)
	}
	s.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/")
	b.setTargets(manyTargets(30))
	if got := s.weigh("/"); got > most {
		t.Errorf("the list of 30: %d bytes, more than %d", got, most)
	}
	if got := s.weigh("/desktop/multiaccess001"); got > 120_000 {
		t.Errorf("the desktop page: %d bytes, more than 120,000", got)
	}
	b.setTargets(manyTargets(500))
	if got := s.weigh("/"); got > 2*most {
		t.Errorf("the list of 500: %d bytes, more than %d", got, 2*most)
	}
}

// Pages are packed only for who can unpack them, and nothing secret stands in
// one beside what it reflects: see gzip in gateway/portal.
func TestPackedPages(t *testing.T) {
	b := open(t, nil)
	s := b.browser().scale()
	for accept, want := range map[string]string{"": "", "br": "", "gzip;q=0": "", "gzip": "gzip", "br, gzip;q=0.5": "gzip"} {
		got := s.do(http.MethodGet, "/login", nil, "Accept-Encoding", accept)
		if got.header.Get("Content-Encoding") != want || got.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: %v", accept, got.header)
		}
		if strings.Contains(got.body, "<html") != (want == "") {
			t.Errorf("Accept-Encoding %q: the body is not what the header says", accept)
		}
	}
	const wrong = "Hemligt-men-fel-1"
	pages := []answer{
		s.login(`AMIDO\cecilia`, wrong),
		s.post("/password", "username", `AMIDO\cecilia`, "current", wrong, "new", wrong+"x", "confirm", wrong+"y"),
		s.login(`AMIDO\cecilia`, goodPassword),
		s.get("/code"),
		s.post("/code", "code", "000000"),
	}
	code := b.code("+46701740607")
	pages = append(pages, s.post("/code", "code", code), s.get("/"), s.get("/password"), s.get("/no/such/page"))
	secrets := []string{wrong, goodPassword, code}
	address, err := url.Parse(b.server.URL)
	b.must(err)
	for _, cookie := range s.client.Jar.Cookies(address) {
		secrets = append(secrets, cookie.Value)
	}
	if len(secrets) < 4 {
		t.Fatal("no cookie")
	}
	for _, page := range pages {
		for _, secret := range secrets {
			if strings.Contains(page.body, secret) {
				t.Errorf("%s holds the secret %q", page.path, secret)
			}
		}
	}
}

// From a refused login to a list with something in it, and out again, without
// JavaScript.
func TestBrowserListWithoutScripts(t *testing.T) {
	testbed.Need(t, "chromium")
	b := open(t, nil)
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Language("sv")
	page.Scripts(false)
	page.Open(b.server.URL + "/")
	page.WaitURL("/login")
	page.Fill("#username", `AMIDO\cecilia`)
	page.Fill("#password", "fel")
	page.Press("Enter")
	page.WaitText("Fel användarnamn eller lösenord")
	page.Fill("#username", `AMIDO\cecilia`)
	page.Fill("#password", goodPassword)
	page.Press("Enter")
	page.WaitURL("/code")
	page.Fill("#code", b.code("+46701740607"))
	page.Press("Enter")
	page.WaitText("XXX.MultiAccess01")
	if shown := testbed.Eval[bool](page, `!!document.querySelector(".able")`); shown {
		t.Error("a script ran")
	}
	page.Click(`form[action="/logout"] button`)
	page.WaitText("Du är utloggad.")
}

// Everything comes from the portal itself, and the strict policy stops none of it.
func TestBrowserLoadsNothingFromElsewhere(t *testing.T) {
	testbed.Need(t, "chromium")
	b := open(t, nil)
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.RecordRequests()
	page.Language("sv")
	for _, path := range []string{"/login", "/password", "/help", "/login?target=multiaccess01"} {
		page.Open(b.server.URL + path)
	}
	page.Fill("#username", `AMIDO\cecilia`)
	page.Fill("#password", goodPassword)
	page.Press("Enter")
	page.WaitURL("/code")
	page.Fill("#code", b.code("+46701740607"))
	page.Press("Enter")
	page.WaitURL("/desktop/multiaccess01")
	page.WaitUntil(`[...document.querySelectorAll("[data-state]")].some(e => !["connecting", "waiting"].includes(e.dataset.state))`) // there is no guacd
	page.Open(b.server.URL + "/")
	page.WaitText("XXX.MultiAccess01")
	requests := page.Requests()
	for _, want := range []string{"/app.css", "/app.js", "/icons.svg", "/mark.svg", "/desktop.js", "/desktop.css", "/tunnel/multiaccess01"} {
		if !slices.ContainsFunc(requests, func(r string) bool { return strings.HasSuffix(strings.Split(r, "?")[0], want) }) {
			t.Errorf("%s was not recorded among %v", want, requests)
		}
	}
	for _, r := range requests {
		if u, err := url.Parse(r); err != nil || u.Host != strings.TrimPrefix(b.server.URL, "http://") {
			t.Errorf("asked for %s", r)
		}
	}
	for _, problem := range page.Problems() {
		if problem.Kind == "csp" || problem.Kind == "exception" {
			t.Errorf("%v", problem)
		}
	}
}
