package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"stagedoor/directory"
	"stagedoor/directory/directorytest"
	"stagedoor/gateway"
	"stagedoor/gateway/tunnel"
	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/store/storetest"
	"stagedoor/targets"
	"stagedoor/webroot"
)

// bench is a portal on real parts: the in-process directory over LDAPS, a
// SQLite file, a target list on disk, and a clock that tests move.
type bench struct {
	t         *testing.T
	portal    *gateway.Gateway
	server    *httptest.Server
	directory *directorytest.Server
	store     *store.Store
	outbox    *otp.Outbox
	codes     *otp.Codes
	log       *lockedBuffer
	clock     *clock
	guacd     string // its address
	targets   string // the list's file
	database  string // the file
	watcher   *targets.Watcher
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// lockedBuffer is a log that the test may read while the portal writes.
type lockedBuffer struct {
	mu  sync.Mutex
	b   bytes.Buffer
	saw func(line string) // called with each line as it is written; nil: nobody
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.saw != nil {
		b.saw(string(p))
	}
	return b.b.Write(p)
}

func (b *lockedBuffer) watch(saw func(line string)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saw = saw
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const goodPassword = "Sommar-2026-åäö"

var people = []directorytest.User{
	{Name: "anna", Password: "Gammalt-2025", DisplayName: "Anna Ångström", Mobile: "070-174 06 05", Expired: true, Groups: []string{"MultiAccess"}},
	{Name: "bertil", Password: "Tillfalligt-1", Mobile: "070-174 06 06", MustChange: true, Groups: []string{"MultiAccess"}},
	{Name: "cecilia", Password: goodPassword, DisplayName: "Cecilia Lind", Mobile: "0701740607", Groups: []string{"MultiAccess"}},
	{Name: "david", Password: goodPassword, Mobile: "0701740608", Disabled: true},
	{Name: "erik", Password: goodPassword},
	{Name: "frida", Password: goodPassword, Mobile: "not a number 😀"},
	{Name: "hanna", Password: goodPassword, Mobile: "0701740609", Groups: []string{"Helpdesk"}},
	{Name: "ivar", Password: goodPassword, Groups: []string{"Helpdesk"}},
	{Name: "ada", Password: goodPassword, DisplayName: "Ada Admin", Mobile: "0701740610", Groups: []string{"Administrators"}},
	{Name: "åsa", Password: goodPassword, DisplayName: "Åsa Öberg", Mobile: "0701740611", Groups: []string{"Nattpass"}},
}

const list = `targets:
  - {id: multiaccess01, name: XXX.MultiAccess01, group: MultiAccess, host: 127.0.0.1, port: 1, visible_to: ["AMIDO\\MultiAccess"]}
  - {id: sso, name: XXX.Stockholm.MultiAccess02, group: MultiAccess, host: 127.0.0.1, port: 1, credentials: session, visible_to: ["AMIDO\\MultiAccess"]}
  - {id: handbook, name: INSTRUKTIONER OCH HJÄLPVERKTYG, kind: link, url: "https://handbook.example/", visible_to: everyone}
`

// open starts a bench without a guacd; change may alter the settings.
func open(t *testing.T, change func(*gateway.Settings)) *bench {
	t.Helper()
	return openWith(t, "127.0.0.1:1", change)
}

// openSite is made once: parsing the pages of six languages took longer than most
// tests.
var openSite = sync.OnceValues(webroot.Open)

func openWith(t *testing.T, guacd string, change func(*gateway.Settings)) *bench {
	t.Helper()
	b := &bench{t: t, guacd: guacd, clock: &clock{now: time.Now()}, log: &lockedBuffer{}, outbox: otp.NewOutbox(100, time.Now)}
	log := slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	b.directory, err = directorytest.Start(directorytest.Config{Domain: "AMIDO", Suffix: "amido.example", Users: people,
		Groups: []directorytest.Group{{Name: "Nattpass", Groups: []string{"MultiAccess"}}},
		Policy: directorytest.Policy{MinLength: 10, History: 3, Complexity: true, LockoutThreshold: 6}})
	b.must(err)
	t.Cleanup(func() { b.must(b.directory.Stop()) })
	dir := t.TempDir()
	b.targets = filepath.Join(dir, "targets.yaml")
	b.must(os.WriteFile(b.targets, []byte(list), 0o600))
	site, err := openSite()
	b.must(err)
	domain := b.directory.Domain()
	domain.Timeout = time.Second
	accounts, err := directory.Open([]directory.Domain{domain})
	b.must(err)
	t.Cleanup(accounts.Close)
	b.database = filepath.Join(dir, "stagedoor.db")
	b.store = storetest.Open(t, b.database, b.clock.Now)
	watcher, err := targets.Open(b.targets, log)
	b.must(err)
	b.watcher = watcher
	t.Cleanup(watcher.Close)

	b.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.portal.ServeHTTP(w, r) }))
	settings := gateway.Settings{
		PublicURL: &url.URL{Scheme: "http", Host: b.server.Listener.Addr().String()}, Name: "Amido Alliera Backstage",
		Helpdesk:       gateway.Helpdesk{Name: "Amido", Phone: "08-465 004 99"},
		HelpdeskGroups: []string{`AMIDO\Helpdesk`}, AdministratorGroups: []string{`AMIDO\Administrators`},
		FailureFloor: -1, Country: map[string]string{"AMIDO": "SE"}, Countries: []string{"SE"},
	}
	if change != nil {
		change(&settings)
	}
	b.codes = &otp.Codes{Store: b.store, Sender: b.outbox, Key: bytes.Repeat([]byte{7}, 32),
		Portal: "Amido", Host: "portal.example.se", Now: b.clock.Now}
	b.portal, err = gateway.New(gateway.Parts{
		Directory: accounts, Store: b.store, Targets: watcher, Site: site, Log: log, Now: b.clock.Now,
		Codes:  b.codes,
		Guacds: tunnel.NewPool(log, tunnel.NewGuacd(guacd, nil)),
	}, settings)
	b.must(err)
	b.server.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		b.must(b.portal.Close(ctx))
		b.server.Close()
	})
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// browser keeps cookies and follows redirects, as browsers do.
type browser struct {
	*bench
	client *http.Client
	lang   string
}

func (b *bench) browser() *browser {
	jar, err := cookiejar.New(nil)
	b.must(err)
	return &browser{bench: b, client: &http.Client{Jar: jar, Timeout: 20 * time.Second}, lang: "sv"}
}

// answer is what the browser shows: where it ended up, and the page as text.
type answer struct {
	status int
	path   string
	body   string
	header http.Header
}

func (b *browser) do(method, path string, form url.Values, header ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, strings.NewReader(form.Encode()))
	b.must(err)
	r.Header.Set("Accept-Language", b.lang)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.server.URL)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.send(r)
}

func (b *browser) send(r *http.Request) answer {
	b.t.Helper()
	response, err := b.client.Do(r)
	b.must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	b.must(err)
	return answer{response.StatusCode, response.Request.URL.RequestURI(), string(body), response.Header}
}

func (b *browser) get(path string) answer { b.t.Helper(); return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, fields ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

func (b *browser) login(name, password string) answer {
	b.t.Helper()
	return b.post("/login", "username", name, "password", password)
}

// shows fails the test unless the answer has the status, came from the path
// and has every text in it.
func (a answer) shows(t *testing.T, status int, path string, texts ...string) {
	t.Helper()
	if a.status != status || a.path != path {
		t.Errorf("got %d at %s, want %d at %s\n%s", a.status, a.path, status, path, excerpt(a.body))
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%s does not say %q:\n%s", a.path, text, excerpt(a.body))
		}
	}
}

var tags = regexp.MustCompile(`(?s)<head>.*</head>|<template.*|<[^>]*>|\n\s*`)

func excerpt(body string) string {
	text := strings.Join(strings.Fields(tags.ReplaceAllString(body, " ")), " ")
	return text[:min(len(text), 800)]
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// code is the newest one that was sent to a number.
func (b *bench) code(phone otp.Phone) string {
	b.t.Helper()
	var newest string
	for _, m := range b.outbox.Messages(phone) { // notices go there too
		if newest = sixDigits.FindString(m.Text); newest != "" {
			break
		}
	}
	if newest == "" {
		b.t.Fatalf("no code was sent to %s", phone)
	}
	return newest
}

// ready logs cecilia in, to the bench's list.
func (b *bench) ready() *browser {
	b.t.Helper()
	browser := b.loggedIn()
	browser.get("/").shows(b.t, 200, "/", "XXX.MultiAccess01")
	return browser
}

// as logs somebody in whose codes go to a number.
func (b *bench) as(name string, phone otp.Phone) *browser {
	b.t.Helper()
	browser := b.browser()
	browser.login(`AMIDO\`+name, goodPassword).shows(b.t, 200, "/code")
	browser.post("/code", "code", b.code(phone))
	return browser
}

// cookies are what the browser sends to the portal.
func (b *browser) cookies() []*http.Cookie {
	address, err := url.Parse(b.server.URL)
	b.must(err)
	return b.client.Jar.Cookies(address)
}

// awaitPage asks for the list until it is as it should be.
func (b *bench) awaitPage(of *browser, is func(page string) bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	for page := of.get("/").body; !is(page); page = of.get("/").body {
		select {
		case <-ctx.Done():
			b.t.Fatalf("the list stays as it is: %s", excerpt(page))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// loggedIn logs cecilia in, whatever the list holds.
func (b *bench) loggedIn() *browser {
	b.t.Helper()
	browser := b.browser()
	browser.login(`AMIDO\cecilia`, goodPassword).shows(b.t, 200, "/code")
	browser.post("/code", "code", b.code("+46701740607")).shows(b.t, 200, "/")
	return browser
}

// await waits until the audit has an event, written as events writes it.
func (b *bench) await(event string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	for !slices.Contains(b.events(), event) {
		select {
		case <-ctx.Done():
			b.t.Fatalf("no event %q among %q", event, b.events())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// events are the audit's, oldest first, as "kind result reason".
func (b *bench) events() []string {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), store.EventFilter{})
	b.must(err)
	var lines []string
	for i := len(events) - 1; i >= 0; i-- {
		lines = append(lines, strings.TrimSpace(fmt.Sprint(events[i].Kind, " ", events[i].Result, " ", events[i].Reason)))
	}
	return lines
}
