package gateway_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/gateway"
	"stagedoor/gateway/factor"
	"stagedoor/gateway/tunnel"
	"stagedoor/otp"
	"stagedoor/store"
)

// ada is an administrator who has logged in.
func (b *bench) ada() *browser { b.t.Helper(); return b.as("ada", "+46701740610") }

var adminPaths = []string{"/admin", "/admin/targets", "/admin/usage", "/admin/usage.csv"}

// The pages are there for administrators, and for nobody else: helpdesk and
// ordinary people get what an address gets that does not exist.
func TestOnlyAdministratorsSeeAdmin(t *testing.T) {
	b := open(t, nil)
	ada, hanna, cecilia := b.ada(), b.as("hanna", "+46701740609"), b.ready()
	for _, path := range adminPaths {
		ada.get(path).shows(t, http.StatusOK, path)
		hanna.get(path).shows(t, http.StatusNotFound, path)
		cecilia.get(path).shows(t, http.StatusNotFound, path)
		if got := b.browser().get(path); !strings.HasPrefix(got.path, "/login") {
			t.Errorf("%s for nobody in particular: %s", path, got.path)
		}
	}
	hanna.post("/admin/targets", "name", `AMIDO\cecilia`).shows(t, http.StatusNotFound, "/admin/targets")
	for _, event := range b.events() {
		if strings.HasPrefix(event, "view-as") {
			t.Errorf("somebody looked: %s", event)
		}
	}
}

// An administrator whose proof is an hour old proves themselves once more.
func TestAdminWantsAFreshProof(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.Idle = 3 * time.Hour })
	ada := b.ada()
	b.clock.advance(61 * time.Minute)
	ada.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range adminPaths {
		if got := ada.get(path); got.status != http.StatusSeeOther || !strings.HasPrefix(got.header.Get("Location"), "/again?to=") {
			t.Errorf("%s: %d to %s", path, got.status, got.header.Get("Location"))
		}
	}
}

func TestOverview(t *testing.T) {
	guacd, _ := fakeGuacd(t, "")
	b := openWith(t, guacd, func(s *gateway.Settings) { s.Version = "9.8.7" })
	ada := b.ada()
	host, err := os.Hostname()
	b.must(err)
	page := ada.get("/admin")
	page.shows(t, 200, "/admin", "Allt som portalen behöver svarar.", host, "9.8.7", guacd, "Active Directory", "outbox", "Ingen spärr håller", "inget meddelas med mejl")
	if strings.Contains(page.body, `data-state="broken"`) || strings.Contains(page.body, `data-state="look"`) {
		t.Errorf("something is not well: %s", excerpt(page.body))
	}
	csp := page.header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "style-src 'self';") || regexp.MustCompile(`\sstyle=|<style`).MatchString(page.body) {
		t.Error("the page has a style of its own, or the policy allows one")
	}
}

func TestOverviewOfFaults(t *testing.T) {
	b := open(t, nil) // there is no guacd
	ada := b.ada()
	b.must(b.store.Drain(t.Context(), b.guacd))
	b.must(b.directory.Stop())
	ada.get("/admin").shows(t, 200, "/admin", "Något som portalen behöver svarar inte.", "127.0.0.1:1", "får inga nya skrivbord", "Trasigt")
}

// A sender whose breaker is open is told with the last error in words.
func TestOverviewOfSenders(t *testing.T) {
	b := open(t, nil)
	ada := b.ada()
	route, err := otp.NewRoute(otp.RouteSettings{Failures: 1, Now: b.clock.Now}, otp.Way{Sender: refusing{}, Countries: []string{"SE"}}, otp.Way{Sender: b.outbox})
	b.must(err)
	b.codes.Sender = route
	b.ready() // its code goes by the second
	ada.get("/admin").shows(t, 200, "/admin", "refusing", "the provider is on strike", "misslyckades flera gånger i rad", "outbox")
	// Another node, where it goes well, and one that has a sender of its own.
	b.must(b.store.NoteNode(t.Context(), store.Node{ID: "second", Host: "portal-2", StartedAt: b.clock.Now(), Senders: []otp.SenderHealth{
		{Name: "refusing", Breaker: otp.BreakerClosed, LastSuccess: b.clock.Now()}, {Name: "elsewhere", Breaker: otp.BreakerOpen, OpenUntil: b.clock.Now().Add(time.Minute), Failure: "line 2 is cut"}}}))
	page := ada.get("/admin")
	page.shows(t, 200, "/admin", "portal-2</span>", "elsewhere", "line 2 is cut", "the provider is on strike")
	if n := strings.Count(page.body, `<th scope="row">refusing`); n != 2 {
		t.Errorf("%d lines of the sender on which the nodes do not agree", n)
	}
	b.clock.advance(31 * time.Second)
	if page := ada.get("/admin"); strings.Contains(page.body, "elsewhere") || strings.Contains(page.body, "portal-2</span>") {
		t.Error("what a node says that is gone is still there")
	}
}

type refusing struct{ brokenSender }

func (refusing) Name() string { return "refusing" }
func (refusing) Send(context.Context, otp.Message) (otp.Receipt, error) {
	return otp.Receipt{}, fmt.Errorf("%w: the provider is on strike", otp.ErrNotAccepted)
}

// Two nodes on one database see each other, and that their lists differ; one
// that stops says goodbye.
func TestNodesSeeEachOther(t *testing.T) {
	b := open(t, nil)
	ada := b.ada()
	other := *b
	site, err := openSite()
	b.must(err)
	log := slog.New(slog.DiscardHandler)
	second, err := gateway.New(gateway.Parts{Directory: b.portal.Directory, Store: b.store, Targets: b.watcher, Site: site, Log: log, Now: b.clock.Now,
		Codes: b.codes, Guacds: tunnel.NewPool(log, tunnel.NewGuacd("127.0.0.1:1", nil))},
		gateway.Settings{PublicURL: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, Name: "x", Version: "second-node"})
	b.must(err)
	other.portal = second
	b.awaitNode(ada, "second-node", `samma som här`)
	digest := b.watcher.List().Digest
	b.must(b.store.NoteNode(t.Context(), store.Node{ID: "third", Host: "portal-3", Version: "third-node", StartedAt: b.clock.Now(), TargetsDigest: "not-" + digest, TargetsError: "targets.yaml:7: id: is missing"}))
	b.awaitNode(ada, "third-node", "en annan än här")
	ada.get("/admin").shows(t, 200, "/admin", "targets.yaml:7: id: is missing", "Bör ses över")
	b.must(second.Close(t.Context()))
	b.awaitNode(ada, "second-node", "avslutad")
	b.clock.advance(31 * time.Second)
	b.awaitNode(ada, "third-node", "tyst sedan")
}

// awaitNode asks for the overview until the row of a version says something.
func (b *bench) awaitNode(of *browser, version, says string) {
	b.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		page := of.get("/admin").body
		for _, row := range strings.Split(page, "<tr>") {
			if strings.Contains(row, version) && strings.Contains(row, says) {
				return
			}
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("no row of %s says %q: %s", version, says, excerpt(page))
		}
	}
}

const hostileList = `targets:
  - {id: multiaccess01, name: XXX.MultiAccess01, group: MultiAccess, host: 127.0.0.1, port: 1, visible_to: ["AMIDO\\MultiAccess"]}
  - {id: stored, name: Gemensam, host: stored.example, credentials: stored, username: svc, password_file: password, drive_folder: /srv/drive, transfers: {copy: true, upload: true}, visible_to: ['AMIDO\Finns inte', 'AMIDO\Administrators']}
  - {id: formula, name: '=HYPERLINK("http://evil.example","x")', host: 127.0.0.1, parameters: {read-only: "true"}, visible_to: everyone}
  - {id: handbook, name: "<script>alert('x')</script>", kind: link, url: "https://handbook.example/", visible_to: everyone}
`

func TestAdminTargets(t *testing.T) {
	b := open(t, nil)
	b.must(os.WriteFile(strings.Replace(b.targets, "targets.yaml", "password", 1), []byte("Hemligt lösen 42!\n"), 0o600))
	ada := b.ada()
	b.relist(hostileList)
	page := ada.get("/admin/targets")
	page.shows(t, 200, "/admin/targets", b.targets, "XXX.<wbr>MultiAccess01", "rad 2", "127.<wbr>0.<wbr>0.<wbr>1:1", `AMIDO\MultiAccess`, "Alla", "kopiera ut", "filer in",
		"inget får passera", "bara titta", "loggar in med ett sparat konto", "Alla arbetar som samma konto.", `Katalogen känner inte gruppen <code>AMIDO\Finns inte`, "&lt;script&gt;")
	for _, no := range []string{"Hemligt", "<script>alert", `href="/desktop/`, `href="https://handbook`, `känner inte gruppen <code>AMIDO\Administrators`} {
		if strings.Contains(page.body, no) {
			t.Errorf("the page has %s", no)
		}
	}
}

// The newest file was refused: the page says where and why, and goes on to show
// the list that is in force.
func TestLastErrorOfTheList(t *testing.T) {
	b := open(t, nil)
	ada := b.ada()
	read := b.watcher.Changed()
	b.must(os.WriteFile(b.targets, []byte(list+"  - {id: broken, name: Trasig, host: 127.0.0.1, prot: 1, visible_to: everyone}\n"), 0o600))
	<-read
	ada.get("/admin/targets").shows(t, 200, "/admin/targets", "Den nyaste filen togs inte", b.targets+":5", "(rad 5)", "prot", "XXX.<wbr>MultiAccess01")
	ada.get("/admin").shows(t, 200, "/admin", "1 fel i den nyaste filen", "Bör ses över")
	b.relist(list)
	if page := ada.get("/admin/targets").body; strings.Contains(page, "togs inte") {
		t.Error("mended, and still said to be refused")
	}
}

func TestViewAs(t *testing.T) {
	b := open(t, nil)
	ada := b.ada()
	b.relist(hostileList[:strings.Index(hostileList, "  - {id: stored")] +
		"  - {id: other, name: Annan, host: 127.0.0.1, visible_to: ['AMIDO\\Dagpass', 'AMIDO\\Administrators']}\n" +
		"  - {id: handbook, name: Handbok, kind: link, url: \"https://handbook.example/\", visible_to: everyone}\n")
	part := func(page, from, to string) string {
		_, after, _ := strings.Cut(page, from)
		before, _, _ := strings.Cut(after, to)
		return before
	}
	for _, c := range []struct {
		name, typed string
		sees, not   string // regular expressions
	}{
		{"through a group in a group, åäö", `AMIDO\åsa`, `(?s)XXX\.MultiAccess01.*Genom gruppen <code>AMIDO\\MultiAccess.*Handbok.*Alla ser det`, `(?s)Annan.*Är inte med i någon av grupperna <code>AMIDO\\Dagpass</code> <code>AMIDO\\Administrators`},
		{"by the other name", "ÅSA@amido.example", `XXX\.MultiAccess01`, `Annan`},
		{"in no group", `AMIDO\erik`, `^(?s)[^X]*Handbok[^X]*$`, `(?s)XXX\.MultiAccess01.*Annan`},
		{"an administrator", `AMIDO\ada`, `(?s)Annan.*AMIDO\\Administrators`, `XXX\.MultiAccess01`},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := ada.post("/admin/targets", "name", c.typed)
			page.shows(t, 200, "/admin/targets")
			whole := part(page.body, `id="person"`, "</section>")
			sees, not := part(whole, "<h3>Ser</h3>", "<h3>"), part(whole, "<h3>Ser inte</h3>", "<details>")
			if !regexp.MustCompile(c.sees).MatchString(sees) {
				t.Errorf("sees: %s", sees)
			}
			if !regexp.MustCompile(c.not).MatchString(not) {
				t.Errorf("does not see: %s", not)
			}
			if strings.Contains(whole, `href="/desktop`) || strings.Contains(whole, `href="https://handbook`) {
				t.Error("something can be opened")
			}
		})
	}
	ada.post("/admin/targets", "name", `AMIDO\david`).shows(t, 200, "/admin/targets", "kontot är avstängt")
	ada.post("/admin/targets", "name", `AMIDO\ada`).shows(t, 200, "/admin/targets", "administratör")
	for _, unknown := range []string{`AMIDO\ingen`, "", "*", `NOWHERE\anna`, "<script>alert('x')</script>", strings.Repeat("å", 2000)} {
		page := ada.post("/admin/targets", "name", unknown)
		page.shows(t, http.StatusUnprocessableEntity, "/admin/targets", "Katalogen känner ingen", `id="fault"`)
		if strings.Contains(page.body, "<script>alert") {
			t.Error("what was typed came back as script")
		}
	}
	b.must(b.directory.Stop())
	ada.post("/admin/targets", "name", `AMIDO\cecilia`).shows(t, http.StatusServiceUnavailable, "/admin/targets", "svarar inte just nu")
}

// Each look is in the audit, with whom it was about.
func TestViewAsIsAudited(t *testing.T) {
	b := open(t, nil)
	ada := b.ada()
	ada.post("/admin/targets", "name", "åsa@amido.example")
	ada.post("/admin/targets", "name", `AMIDO\ingen`)
	events, err := b.store.Events(t.Context(), store.EventFilter{Kind: "view-as"})
	b.must(err)
	if len(events) != 2 || events[0].Result != "refused" || events[0].Reason != "not-found" || events[0].Detail["person"] != `AMIDO\ingen` ||
		events[1].Result != "ok" || events[1].Name != `AMIDO\ada` || events[1].Detail["person"] != `AMIDO\åsa` || events[1].Detail["account"] == "" {
		t.Errorf("%+v", events)
	}
}

func (b *bench) used(account, target string, at time.Time, shown time.Duration) {
	b.t.Helper()
	b.must(b.store.NoteUsage(b.t.Context(), account, target, at, at.Add(shown), true))
}

func TestUsagePage(t *testing.T) {
	b := open(t, nil)
	ada := b.ada()
	b.relist(list + "  - {id: formula, name: '=1+1', host: 127.0.0.1, visible_to: everyone}\n")
	y, m, d := b.clock.Now().Local().Date()
	noon := time.Date(y, m, d, 12, 0, 0, 0, time.Local)
	b.used("anna", "multiaccess01", noon, 90*time.Minute)
	b.used("bo", "multiaccess01", noon.AddDate(0, 0, -6), time.Hour)
	b.used("bo", "formula", noon.AddDate(0, 0, -29), time.Hour)
	b.used("bo", "gone", noon.AddDate(0, 0, -30), time.Hour)

	page := ada.get("/admin/usage")
	page.shows(t, 200, "/admin/usage", "3 h 30 min", "XXX.MultiAccess01", `role="img"`, "=1&#43;1", "2 h 30 min")
	if bars := strings.Count(plotOf(page.body), "<rect "); bars != 3 {
		t.Errorf("%d bars in the plot, want those of 3 days", bars)
	}
	if rows := strings.Count(page.body, `<tr><th scope="row"><time `); rows != 30 {
		t.Errorf("%d days in the table", rows)
	}
	if strings.Contains(page.body, ">gone<") {
		t.Error("what was used 31 days ago is among 30 days")
	}
	week := ada.get("/admin/usage?days=7&target=multiaccess01")
	week.shows(t, 200, "/admin/usage?days=7&target=multiaccess01", "2 h 30 min", "Bara XXX.MultiAccess01 visas.")
	if bars := strings.Count(plotOf(week.body), "<rect "); bars != 2 {
		t.Errorf("%d bars of the week", bars)
	}
	ada.get("/admin/usage?days=365").shows(t, 200, "/admin/usage?days=365", "finns inte längre på listan")
	for _, odd := range []string{"?days=-1", "?days=1e9", "?days=%00", "?target=%3Cscript%3Ealert(1)", "?target=" + strings.Repeat("x", 3000)} {
		if got := ada.get("/admin/usage" + odd); got.status != 200 || strings.Contains(got.body, "<script>alert") {
			t.Errorf("%s: %d", odd, got.status)
		}
	}
}

func plotOf(page string) string {
	_, after, _ := strings.Cut(page, `<svg class="plot"`)
	plot, _, _ := strings.Cut(after, "</svg>")
	return plot
}

// table reads a file that was exported.
func (a answer) table(t *testing.T) [][]string {
	t.Helper()
	text, marked := strings.CutPrefix(a.body, "\ufeff")
	if !marked || a.header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment; filename=") {
		t.Errorf("mark %v, %q, %q", marked, a.header.Get("Content-Type"), a.header.Get("Content-Disposition"))
	}
	if strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Error("lines do not end in CR LF")
	}
	rows, err := csv.NewReader(bytes.NewBufferString(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestUsageExport(t *testing.T) {
	b := open(t, nil)
	ada := b.ada()
	b.relist(list + `  - {id: formula, name: '=HYPERLINK("http://evil.example","x")', host: 127.0.0.1, visible_to: everyone}` + "\n" +
		`  - {id: quoted, name: 'Å "citat", komma', host: 127.0.0.1, visible_to: everyone}` + "\n")
	at := b.clock.Now().Local()
	day := at.Format(time.DateOnly)
	for _, target := range []string{"formula", "quoted", "gone"} {
		b.must(b.store.NoteUsage(t.Context(), "anna", target, at, at, true))
	}
	want := [][]string{
		{"day", "target", "name", "desktops", "seconds", "people"},
		{day, "formula", `'=HYPERLINK("http://evil.example","x")`, "1", "0", "1"},
		{day, "gone", "", "1", "0", "1"},
		{day, "quoted", `Å "citat", komma`, "1", "0", "1"},
	}
	if diff := cmp.Diff(want, ada.get("/admin/usage.csv").table(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:2], ada.get("/admin/usage.csv?days=7&target=formula").table(t)); diff != "" {
		t.Errorf("one target (-want +got):\n%s", diff)
	}
	b.await("export ok")
}

// A desktop is counted when its page lets go of it, once however often the page
// comes back.
func TestUsageOfADesktop(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia := b.ready()
	ws := cecilia.opens("/desktop/sso")
	leave(t, ws)
	b.await("desktop-close ok left")
	back := cecilia.runs("sso held")
	again := cecilia.opens(strings.ReplaceAll(back[0], "&amp;", "&"))
	again.Close()
	b.await("desktop-close error browser-lost")
	day := b.clock.Now().Local()
	first, last := day.AddDate(0, 0, -1).Format(time.DateOnly), day.Format(time.DateOnly)
	deadline := time.Now().Add(10 * time.Second)
	for {
		use, err := b.store.UsageOver(t.Context(), first, last, "sso")
		b.must(err)
		if use.Desktops == 1 && use.People == 1 {
			break
		}
		if use.Desktops > 1 || time.Now().After(deadline) {
			t.Fatalf("%+v", use)
		}
	}
}

func TestEnrolmentPage(t *testing.T) {
	b := under(t, factor.Rule{Domain: "GUEST", Need: factor.Required, From: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)})
	ada := b.ada()
	now := b.clock.Now()
	for _, p := range []store.Person{
		{AccountID: "1", Domain: "AMIDO", Name: "anna", DisplayName: "Anna Ångström", Phone: "+46701740607", LastLogin: now},
		{AccountID: "2", Domain: "AMIDO", Name: "bo", DisplayName: "=cmd|' /C calc'!A0", Mail: "+bo@amido.example", LastLogin: now},
		{AccountID: "3", Domain: "GUEST", Name: "cia", DisplayName: "<script>alert('x')</script>"},
	} {
		b.must(b.store.PutPerson(t.Context(), p))
	}
	page := ada.get("/helpdesk/enrolment")
	page.shows(t, 200, "/helpdesk/enrolment", "AMIDO", "GUEST", `AMIDO\bo`, "1 redan nu", "1 senare, de första från")
	if strings.Contains(page.body, `AMIDO\anna`) || strings.Contains(page.body, "<script>alert") {
		t.Error("somebody who has a factor is among those without, or a name is script")
	}
	only := ada.get("/helpdesk/enrolment?domain=GUEST")
	only.shows(t, 200, "/helpdesk/enrolment?domain=GUEST", `GUEST\cia`, "Visa alla domäner")
	if strings.Contains(only.body, `AMIDO\bo`) {
		t.Error("another domain's people are there too")
	}
	day := now.Local().Format(time.DateOnly)
	rows := ada.get("/helpdesk/enrolment.csv?domain=AMIDO").table(t)
	found := false
	for _, row := range rows {
		if row[1] == "bo" {
			found = true
			want := []string{"AMIDO", "bo", "'=cmd|' /C calc'!A0", "'+bo@amido.example", day, "required", ""}
			if diff := cmp.Diff(want, row); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		if row[0] == "GUEST" || row[1] == "anna" {
			t.Errorf("among AMIDO's without: %q", row)
		}
	}
	if !found {
		t.Errorf("bo is not there: %q", rows)
	}
	b.await("export ok")
}
