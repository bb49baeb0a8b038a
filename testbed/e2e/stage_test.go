package e2e

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stagedoor/store"
	"stagedoor/testbed"
)

// only picks views while one of them is being worked on.
var only = flag.String("views", "", "of the table of views, only those whose name matches this `pattern`")

// stage is a portal on which every view can be reached.
type stage struct {
	*rig
	browser   *testbed.Browser
	pages     map[string]*testbed.Page
	views     []view
	impatient *impatient
	person    string // whose browser is at work
	link      string // that stops a change of nils' number
	stopped   string // one that has stopped a change of gunnar's
}

// people who log in on a stage: what they type, and where their codes go.
var people = map[string]struct{ name, password, number string }{
	"ada":     {`AMIDO\ada`, "Sommar-2026-ok", "+46701740616"},
	"cecilia": {`AMIDO\cecilia`, "Sommar-2026-åäö", "+46701740607"},
	"erik":    {`AMIDO\erik`, "Sommar-2026-ok", ""},
	"iris":    {`AMIDO\iris`, "Sommar-2026-ok", ""},
	"nils":    {`AMIDO\nils`, "Sommar-2026-ok", ""},
	"frida":   {`AMIDO\frida`, "Sommar-2026-ok", "+46701740612"},
	"gerd":    {`AMIDO\gerd`, "Sommar-2026-ok", "+46701740613"},
	"greta":   {`AMIDO\greta`, "Sommar-2026-ok", "+46701740611"},
	"gustav":  {`AMIDO\gustav`, "Sommar-2026-ok", "+46701740644"},
	"gunnar":  {`AMIDO\gunnar`, "Sommar-2026-ok", "+46701740633"},
	"mats":    {`AMIDO\mats`, "Sommar-2026-ok", ""},
	"hanna":   {`AMIDO\hanna`, "Sommar-2026-ok", "+46701740609"},
	"harald":  {`AMIDO\harald`, "Sommar-2026-ok", "+46701740614"},
	"ingrid":  {`AMIDO\ingrid`, "Sommar-2026-ok", "+46701740615"},
}

// newStage starts a portal with everything that the views need.
func newStage(t *testing.T) *stage {
	t.Helper()
	testbed.Need(t, "chromium")
	s := &stage{rig: newRig(t), pages: map[string]*testbed.Page{}}
	pattern := must[*regexp.Regexp](t)(regexp.Compile(*only))
	for _, v := range views {
		if pattern.MatchString(v.name) {
			s.views = append(s.views, v)
		}
	}
	desktops := slices.ContainsFunc(s.views, func(v view) bool { return v.desktop })
	if desktops {
		testbed.Need(t, "nla")
		s.withDesktops()
	}
	s.targets = s.list(desktops)
	s.blocks["phones"] = "phones: {enrol: self}\n"
	s.blocks["codes"] = "codes: {timeout: 2s, per_hour: 20, per_day: 40}\n" // each view is seen several times
	s.withMail()
	s.serve()
	ok(t, s.inStore(workDays))
	s.browser = testbed.StartBrowser(t, testbed.BrowserOptions{})
	if slices.ContainsFunc(s.views, func(v view) bool { return v.who == "ingrid" }) {
		s.leaveAlone()
	}
	return s
}

// list is the seed's portal: two systems in several places, a handbook. Without
// desktops nothing answers at their addresses.
func (s *stage) list(desktops bool) string {
	nobody := testbed.UnixUser{Name: "nobody", Password: "none"}
	host, port, nla, first, second := "127.0.0.1", "1", 1, nobody, nobody
	if desktops {
		host, port, _ = net.SplitHostPort(s.xrdp.Address)
		first, second = s.user, s.second
		server := must[*testbed.NLA](s.t)(testbed.StartNLA(s.t.Context(), "cecilia", "Sommar-2026-ok"))
		s.t.Cleanup(func() { ok(s.t, server.Stop()) })
		nla = must[*net.TCPAddr](s.t)(net.ResolveTCPAddr("tcp", server.Address)).Port
	}
	s.file("desktop-password", first.Password)
	s.file("second-password", second.Password)
	s.file("handbook.txt", "Instruktioner för åtkomst\n")
	common := "dangerously_ignore_certificate: true, visible_to: ['AMIDO\\MultiAccess']"
	return fmt.Sprintf(`targets:
  - {id: multiaccess01, name: XXX.MultiAccess01, group: MultiAccess, description: Passersystem, icon: door, host: %[2]s, port: %[3]s, security: tls, credentials: stored, username: %[4]q, password_file: desktop-password, drive_folder: %[5]q, transfers: {copy: true, paste: true, upload: true, download: true, audio: true}, %[1]s}
  - {id: multiaccess02, name: XXX.Stockholm.MultiAccess02, group: MultiAccess, description: Passersystem, icon: door, host: 127.0.0.1, port: 1, %[1]s}
  - {id: silent, name: XXX.Stockholm.MultiAccess03, group: MultiAccess, description: Passersystem, icon: door, host: 127.0.0.1, port: %[6]d, %[1]s}
  - {id: rcard-m5, name: R-CARD M5 Arbetstation, group: R-CARD, host: 127.0.0.1, port: %[7]d, security: nla, %[1]s}
  - {id: rcard-server, name: R-CARD M5 Server, group: R-CARD, icon: server, host: %[2]s, port: %[3]s, security: tls, credentials: stored, username: %[8]q, password_file: second-password, %[1]s}
  - {id: goteborg01, name: XXX.Göteborg.MultiAccess01, group: Göteborg, description: Passersystem, icon: door, host: 127.0.0.1, port: %[6]d, %[1]s}
  - {id: goteborg02, name: XXX.Göteborg.MultiAccess02, group: Göteborg, description: Passersystem, icon: door, host: 127.0.0.1, port: 1, %[1]s}
  - {id: handbook, name: R-CARD M5 Arbetstation INSTRUKTIONER OCH HJÄLPVERKTYG, group: R-CARD, icon: book, kind: document, file: handbook.txt, visible_to: ['AMIDO\MultiAccess']}
`, common, host, port, first.Name, s.folder("drive"), s.silentPort(), nla, second.Name)
}

// workDays are six weeks of people at work on some of the stage's targets, until
// yesterday.
func workDays(ctx context.Context, db *store.Store) error {
	year, month, today := time.Now().Date()
	for back := 1; back <= 42; back++ {
		morning := time.Date(year, month, today-back, 7, 30, 0, 0, time.Local)
		if morning.Weekday() == time.Saturday || morning.Weekday() == time.Sunday {
			continue
		}
		for person := range 4 + back*7%5 {
			target := []string{"multiaccess01", "rcard-m5", "multiaccess01", "goteborg01"}[person%4]
			begin := morning.Add(time.Duration(person*25) * time.Minute)
			end := begin.Add(time.Duration(35+(person*back)%4*50) * time.Minute)
			if err := db.NoteUsage(ctx, fmt.Sprintf("person-%d", person), target, begin, end, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// show reaches a view in a language and returns the page that it is in.
func (s *stage) show(v view, language string) *testbed.Page {
	p := s.page(v.who)
	s.person = v.who
	p.Size(1280, 800)
	p.Prefer("prefers-color-scheme", "light")
	p.Language(language)
	v.reach(s, p)
	return p
}

// page is the tab of somebody's browser.
func (s *stage) page(who string) *testbed.Page {
	if s.pages[who] == nil {
		s.pages[who] = s.browser.NewPerson()
	}
	return s.pages[who]
}

// signIn fills in the login page as the person whose browser it is, and returns
// where the code goes.
func (s *stage) signIn(p *testbed.Page) (number string) {
	person := people[s.person]
	signIn(p, person.name, person.password)
	return person.number
}

// wholeDesktop waits until the desktop fills the window.
func (s *stage) wholeDesktop(p *testbed.Page) {
	size := testbed.Eval[[]int](p, "[innerWidth, innerHeight]")
	p.WaitColour(size[0]-4, size[1]-4, colour)
	p.WaitColour(56, 200, terminal)
}

// impatient is a second portal, which logs people out after 30 s.
type impatient struct {
	*rig
	remind func() // gives the browser the cookies of the session that ended back
}

// leaveAlone logs ingrid in on an impatient portal, has her pick a system, and
// goes away: by the time that her view comes she has been logged out.
func (s *stage) leaveAlone() {
	portal := *s.rig
	portal.dir = s.folder("impatient")
	portal.port = must[int](s.t)(testbed.FreePort())
	portal.address = fmt.Sprintf("http://localhost:%d", portal.port)
	portal.blocks = maps.Clone(s.blocks)
	portal.blocks["listen"] = fmt.Sprintf("listen: localhost:%d\npublic_url: %s\n", portal.port, portal.address)
	portal.blocks["session"] = "session: {idle: 30s, warning: 20s}\n"
	for _, name := range []string{"server-key", "bind-password", "sms-password", "desktop-password", "second-password", "handbook.txt"} {
		portal.file(name, string(must[[]byte](s.t)(os.ReadFile(filepath.Join(s.dir, name)))))
	}
	portal.serve()
	s.impatient = &impatient{rig: &portal}
	p := s.page("ingrid")
	at := stage{rig: &portal, person: "ingrid"}
	at.atList(p)
	cookies := p.Cookies()
	s.impatient.remind = func() { p.Remember(cookies) }
	p.Open(portal.address + "/desktop/multiaccess02")
	p.WaitUntil(desktopState + ` === "error"`)
}

// leftAlone is the login page as somebody finds it who comes back too late. It
// says so once; the cookies are put back for another look.
func (s *stage) leftAlone(p *testbed.Page) {
	if !strings.Contains(p.URL(), "/login") {
		p.Limit *= 2
		p.WaitURL("/login") // the page itself goes there
		p.Limit /= 2
	}
	s.impatient.remind()
	p.Open(s.impatient.address + "/login")
	p.WaitFor(".notice")
}
