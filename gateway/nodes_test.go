package gateway_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"stagedoor/directory"
	"stagedoor/directory/directorytest"
	"stagedoor/gateway"
	"stagedoor/gateway/tunnel"
	"stagedoor/store"
)

func helped(s *gateway.Settings) {
	s.HelpdeskGroups, s.AdministratorGroups = []string{`AMIDO\Helpdesk`}, []string{`AMIDO\Administrators`}
}

// withHelpdesk is a bench with a fake guacd and a helpdesk.
func withHelpdesk(t *testing.T) *bench {
	t.Helper()
	address, _ := fakeGuacd(t, "")
	return openWith(t, address, helped)
}

// anotherNode is a bench with a portal of its own on the database, the directory
// and the targets of b.
func (b *bench) anotherNode() *bench {
	b.t.Helper()
	other := *b
	site, err := openSite()
	b.must(err)
	domain := b.directory.Domain()
	domain.Timeout = time.Second
	accounts, err := directory.Open([]directory.Domain{domain})
	b.must(err)
	b.t.Cleanup(accounts.Close)
	other.log = &lockedBuffer{}
	log := slog.New(slog.NewJSONHandler(other.log, nil))
	other.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { other.portal.ServeHTTP(w, r) }))
	settings := gateway.Settings{PublicURL: &url.URL{Scheme: "http", Host: other.server.Listener.Addr().String()}, Name: "Amido Alliera Backstage",
		FailureFloor: -1, Country: map[string]string{"AMIDO": "SE"}, Countries: []string{"SE"}}
	helped(&settings)
	other.portal, err = gateway.New(gateway.Parts{Directory: accounts, Store: b.store, Targets: b.watcher, Site: site, Log: log,
		Now: b.clock.Now, Codes: b.codes, Guacds: tunnel.NewPool(log, tunnel.NewGuacd(b.guacd, nil))}, settings)
	b.must(err)
	other.server.Start()
	b.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		b.must(other.portal.Close(ctx))
		other.server.Close()
	})
	return &other
}

// eventually waits until the database is as it should be.
func (b *bench) eventually(what string, is func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	for !is() {
		select {
		case <-ctx.Done():
			b.t.Fatalf("waited in vain: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// live waits until the database has so many desktops, and gives them.
func (b *bench) live(count int) []store.LiveDesktop {
	b.t.Helper()
	var live []store.LiveDesktop
	b.eventually("live desktops in the database", func() bool {
		var err error
		live, err = b.store.LiveDesktops(b.t.Context())
		b.must(err)
		return len(live) == count
	})
	return live
}

func (b *bench) hanna() *browser {
	b.t.Helper()
	return b.as("hanna", "+46701740609")
}

// message reads up to helpdesk's words.
func message(t *testing.T, ws *websocket.Conn) (id, words string) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, raw, err := ws.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for a message: %v", err)
		}
		if m := regexp.MustCompile(`8\.helpdesk,\d+\.(\w+),\d+\.([^;]*);`).FindSubmatch(raw); m != nil {
			return string(m[1]), string(m[2])
		}
	}
}

// What is open on one node is seen on the other, told something, and ended.
func TestHelpdeskOnAnotherNode(t *testing.T) {
	one := withHelpdesk(t)
	two := one.anotherNode()
	_, ws := one.atDesktop()
	d := one.live(1)[0]
	if d.Name != `AMIDO\cecilia` || d.Display != "Cecilia Lind" || d.Target != "multiaccess01" || d.TargetName != "XXX.MultiAccess01" ||
		d.Address != "127.0.0.1" || d.State != store.DesktopShown || d.OpenedAt.IsZero() || !d.InputAt.Equal(d.OpenedAt) {
		t.Errorf("the database has %+v", d)
	}
	hanna := two.hanna()
	hanna.get("/helpdesk/desktops").shows(t, 200, "/helpdesk/desktops", "Cecilia Lind", "XXX.MultiAccess01", "127.0.0.1", d.Node)

	path := "/helpdesk/desktops/" + d.ID
	hanna.post(path+"/message", "text", "  Vi startar om servern <b>kl. 15</b>;\n spara.\u202e ", "why", "Planerat").
		shows(t, 200, "/helpdesk/desktops?done=message", "Meddelandet är på väg")
	id, words := message(t, ws)
	if words != "Vi startar om servern <b>kl. 15</b>;" && !strings.HasPrefix(words, "Vi startar om servern") {
		t.Errorf("the page was told %q", words)
	}
	hanna.get("/helpdesk/desktops").shows(t, 200, "/helpdesk/desktops", "inte visat än")
	one.must(ws.WriteMessage(websocket.TextMessage, []byte("0.,5.shown,26."+id+";")))
	one.eventually("the page's word", func() bool {
		return strings.Contains(hanna.get("/helpdesk/desktops/now").body, "Meddelande visat")
	})

	hanna.post(path+"/end", "why", "Fel person").shows(t, 200, "/helpdesk/desktops?done=end")
	if reason := closeReason(t, ws); reason != "523" {
		t.Errorf("closed with %q, want 523", reason)
	}
	one.await("desktop-close error ended-by-helpdesk")
	one.live(0)
	hanna.post(path+"/end", "why", "En gång till").shows(t, 409, path+"/end", "redan stängt")

	events, _, err := one.store.FindEvents(t.Context(), store.EventFilter{Kinds: []string{"desktop-order-end", "desktop-order-message"}, Result: "ok"})
	one.must(err)
	if len(events) != 2 || events[0].Name != `AMIDO\hanna` || events[0].Target != "multiaccess01" || events[0].Detail["why"] != "Fel person" ||
		events[0].Detail[store.AboutPerson] != `AMIDO\cecilia` || events[1].Detail["text"] != "Vi startar om servern <b>kl. 15</b>;  spara." {
		t.Errorf("audited: %+v", events)
	}
}

// A desktop that waits for its page keeps the message, and its page is told when
// it was ended meanwhile, instead of getting another one without a word.
func TestHelpdeskAndHeldDesktop(t *testing.T) {
	b := withHelpdesk(t)
	cecilia := b.ready()
	name := cecilia.pageOf("/desktop/sso")
	cecilia.comesBack("sso", name).NetConn().Close()
	b.await("desktop-close error browser-lost")
	var d store.LiveDesktop
	b.eventually("the desktop to be held", func() bool { d = b.live(1)[0]; return d.State == store.DesktopHeld })
	hanna := b.hanna()
	hanna.post("/helpdesk/desktops/"+d.ID+"/message", "text", "Ring oss", "why", "ringde in")
	ws, _, err := cecilia.tunnelOf("sso", name)
	b.must(err)
	if _, words := message(t, ws); words != "Ring oss" {
		t.Errorf("the page that came back was told %q", words)
	}
	until(t, ws, "4.sync,")
	ws.NetConn().Close()
	b.eventually("the desktop to be held again", func() bool { return b.live(1)[0].State == store.DesktopHeld })
	hanna.post("/helpdesk/desktops/"+d.ID+"/end", "why", "ringde in").shows(t, 200, "/helpdesk/desktops?done=end")
	b.live(0)
	ws, _, err = cecilia.tunnelOf("sso", name)
	b.must(err)
	until(t, ws, "ended by helpdesk")
	if reason := closeReason(t, ws); reason != "523" {
		t.Errorf("closed with %q, want 523", reason)
	}
	b.await("desktop-open refused ended-by-helpdesk")
	cecilia.comesBack("sso", name) // who then opens it once more, by hand, gets one
	b.live(1)
}

// Nobody acts on themselves, on others of helpdesk, or more than 20 times a day;
// where the directory is silent, nobody acts. Nothing typed is lost.
func TestOpenDesktopsGuard(t *testing.T) {
	b := withHelpdesk(t)
	cecilia, ws := b.atDesktop()
	d := b.live(1)[0]
	path := "/helpdesk/desktops/" + d.ID
	cecilia.post(path+"/end", "why", "x").shows(t, 404, path+"/end")
	cecilia.get("/helpdesk/audit.csv").shows(t, 404, "/helpdesk/audit.csv")
	hanna := b.hanna()
	hanna.post(path+"/message", "text", "Hej", "why", " ").shows(t, 422, path+"/message", "Skriv en anledning", "Hej", "<details data-part=\"help\" open>")
	hanna.post(path+"/message", "text", "", "why", "Därför").shows(t, 422, path+"/message", "Skriv ett meddelande", `value="Därför"`)
	hanna.post(path+"/message", "text", strings.Repeat("å", 301), "why", "Därför").shows(t, 422, path+"/message", "högst 300 tecken", strings.Repeat("å", 301))
	hanna.post("/helpdesk/desktops/NOSUCH/end", "why", "ringde in").shows(t, 409, "/helpdesk/desktops/NOSUCH/end", "redan stängt")

	b.must(b.store.NoteDesktops(t.Context(), "other", []store.LiveDesktop{
		{ID: "OWN", AccountID: b.accountOf("hanna"), Name: `AMIDO\hanna`, Target: "sso", State: store.DesktopShown, OpenedAt: b.clock.Now()},
		{ID: "GONE", AccountID: "nobody", Name: `AMIDO\nobody`, Target: "sso", State: store.DesktopShown, OpenedAt: b.clock.Now()},
	}, nil))
	refused := func(path string, status int, text string) {
		t.Helper()
		hanna.post(path, "why", "ringde in").shows(t, status, path, text)
	}
	refused("/helpdesk/desktops/OWN/end", 403, "ditt eget konto")
	refused("/helpdesk/desktops/GONE/end", 409, "inget sådant konto")

	resume := b.directory.Hang()
	refused(path+"/end", 503, "Katalogen svarar inte")
	resume()
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Groups = append(u.Groups, "Helpdesk") }))
	refused(path+"/end", 403, "hör till supporten eller administratörerna")
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Groups = []string{"MultiAccess"} }))

	// The acts of a day are one number: those on the person's page count too.
	person := "/helpdesk/person/" + b.accountOf("cecilia") + "/clear-codes"
	for range 20 {
		hanna.post(person, "reason", "ringde in")
	}
	refused(path+"/end", 429, "inga åtgärder kvar")
	for _, want := range []string{"desktop-order-end refused self", "desktop-order-end refused unknown", "desktop-order-end refused directory",
		"desktop-order-end refused colleague", "desktop-order-end refused quota"} {
		b.await(want)
	}
	until(t, ws, "4.sync,") // untouched all the time
}

func (b *bench) accountOf(name string) string {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), store.EventFilter{Name: `AMIDO\` + name, Kind: "login"})
	b.must(err)
	if len(events) == 0 {
		return "account of " + name
	}
	return events[0].AccountID
}

// A node that is not heard of any more is in doubt, and then gone.
func TestSilentNode(t *testing.T) {
	b := withHelpdesk(t)
	b.must(b.store.NoteDesktops(t.Context(), "silent", []store.LiveDesktop{
		{ID: "A", AccountID: "a", Name: `AMIDO\anna`, Target: "sso", TargetName: "Sso", State: store.DesktopShown, OpenedAt: b.clock.Now()}}, nil))
	b.clock.advance(31 * time.Second)
	hanna := b.hanna()
	hanna.get("/helpdesk/desktops?q=anna%20SSO").shows(t, 200, "/helpdesk/desktops?q=anna%20SSO", "noden svarar inte")
	hanna.get("/helpdesk/desktops?q=bertil").shows(t, 200, "/helpdesk/desktops?q=bertil", "passar det du söker")
	b.clock.advance(5 * time.Minute)
	hanna.get("/helpdesk/desktops").shows(t, 200, "/helpdesk/desktops", "Inget skrivbord är öppet")
}
