package webroot

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The contract with the gateway's pages of administrators, field by field.
type (
	adminPage struct {
		basePage
		Section, Part string
	}
	node struct {
		ID, Host, Version                             string
		StartedAt, SeenAt, StoppedAt, TargetsLoadedAt time.Time
		TargetsDigest, TargetsError                   string
		Desktops                                      int
		State                                         string
		Own, Gone, SameList                           bool
	}
	guacdState struct {
		Address, State string
		Live           int
		Draining       bool
		Fault          string
	}
	directoryState struct{ Domain, Server, Kind, State, Fault string }
	senderState    struct {
		Name                                string
		Countries                           []string
		Breaker                             string
		OpenUntil, LastSuccess, LastFailure time.Time
		Failure, State                      string
		Hosts                               []string
	}
	alarm struct {
		Rule, Subject string
		Sent          int
	}
	overviewPage struct {
		adminPage
		Worst       string
		Nodes       []node
		Guacds      []guacdState
		Directories []directoryState
		Senders     []senderState
		Alarms      []alarm
		Database    struct {
			State             string
			Megabytes, Events int
			Oldest            time.Time
			Fault             string
		}
		List struct {
			State    string
			Targets  int
			LoadedAt time.Time
			Problems int
		}
		Mail struct {
			Configured   bool
			State, Fault string
		}
		AskedAt time.Time
	}
	transfers   struct{ Paste, Copy, Upload, Download, Print, AudioOut, AudioIn bool }
	adminTarget struct {
		ID, Name, Group, Kind, Protocol, Place, Credentials string
		Line                                                int
		Everyone, ReadOnly                                  bool
		Groups, Unknown, Warnings                           []string
		Transfers                                           transfers
	}
	fault struct {
		File string
		Line int
		Text string
	}
	sight struct {
		ID, Name        string
		Everyone        bool
		Groups, Through []string
	}
	directoryGroup struct{ DN, Name string }
	viewedPerson   struct {
		DisplayName, Login, DN, Barred string
		Groups                         []directoryGroup
		Agent, Administrator           bool
	}
	viewAs struct {
		Name                 string
		Missing, Unavailable bool
		Person               *viewedPerson
		Sees, SeesNot        []sight
	}
	adminTargetsPage struct {
		adminPage
		File      string
		LoadedAt  time.Time
		Rows      []adminTarget
		Faults    []fault
		More      int
		RefusedAt time.Time
		ViewAs    viewAs
	}
	use    struct{ Desktops, Seconds, People, Hours, Minutes int }
	useRow struct {
		Day       time.Time
		ID, Name  string
		Use       use
		Spark     *Plot
		NoLonger  bool
		FilterURL string
	}
	usagePage struct {
		adminPage
		Days           int
		Choices        []int
		Target, Name   string
		Over           use
		Plot           Plot
		Table, Targets []useRow
		Export         string
	}
	enrolment struct {
		Domain                                            string
		People, Lately, Codes, Mails, Apps, Keys, Backups int
		Without, MustNow, MustLater, NeverMust            int
		MustFrom                                          time.Time
	}
	withoutFactor struct {
		AccountID, Domain, Name, DisplayName string
		LastLogin, MustFrom                  time.Time
		Must                                 bool
	}
	enrolmentPage struct {
		deskPage
		Domains []enrolment
		Domain  string
		Days    int
		People  []withoutFactor
		Most    int
		Cut     bool
	}
)

func administrators(lang, part string) adminPage {
	p := inside(lang, "Titel")
	p.Agent, p.Administrator, p.Path = true, true, "/admin"
	return adminPage{p, "admin", part}
}

func agents(lang, section string) deskPage {
	p := inside(lang, "Titel")
	p.Agent, p.Path = true, "/helpdesk/"+section
	return deskPage{p, section}
}

func overviewSample(lang string) overviewPage {
	at := time.Date(2026, 11, 22, 8, 2, 11, 0, time.Local)
	o := overviewPage{adminPage: administrators(lang, "overview"), Worst: "broken", AskedAt: at,
		Nodes: []node{
			{ID: "A1B2C3D4", Host: "portal-1", Version: "1.2.3", StartedAt: at, SeenAt: at, Desktops: 1234, State: "good", Own: true, SameList: true},
			{ID: "E5F6G7H8", Host: hostile, StartedAt: at, SeenAt: at, State: "look", Gone: true, TargetsError: hostile},
			{ID: "J1K2L3M4", Host: "portal-3", StartedAt: at, SeenAt: at, StoppedAt: at, State: "off", Gone: true, SameList: true}},
		Guacds:      []guacdState{{"127.0.0.1:4822", "good", 3, false, ""}, {"guacd-2:4822", "broken", 0, true, hostile}},
		Directories: []directoryState{{"AMIDO", "ldaps://dc1.amido.example", "Active Directory", "good", ""}, {"AMIDO", "ldaps://dc2.amido.example", "", "broken", hostile}},
		Senders: []senderState{
			{Name: "46elks", Breaker: "closed", State: "good"},
			{Name: "twilio", Countries: []string{"SE", "NO"}, Breaker: "open", OpenUntil: at, LastSuccess: at, LastFailure: at, Failure: hostile, State: "broken"},
			{Name: "smpp", Breaker: "half-open", LastFailure: at, State: "look", Hosts: []string{"portal-1", hostile}}},
	}
	o.Mail.Configured, o.Mail.State, o.Mail.Fault = true, "broken", hostile
	o.Alarms = []alarm{{"total", "", 200}, {"country", "NO", 0}, {"prefix", "+46701234•••", 12}}
	o.Database.State, o.Database.Megabytes, o.Database.Events, o.Database.Oldest = "good", 12, 123456, at
	o.List.State, o.List.Targets, o.List.LoadedAt, o.List.Problems = "look", 7, at, 2
	return o
}

func adminTargetsSample(lang string) adminTargetsPage {
	at := time.Date(2026, 11, 22, 8, 2, 11, 0, time.Local)
	return adminTargetsPage{adminPage: administrators(lang, "targets"), File: "/etc/stagedoor/targets.yaml", LoadedAt: at, RefusedAt: at, More: 3,
		Faults: []fault{{"/etc/stagedoor/targets.yaml", 17, hostile}, {"/etc/stagedoor/targets.yaml", 0, "the file is empty"}},
		Rows: []adminTarget{
			{ID: "ma01", Name: "XXX.MultiAccess01", Group: "MultiAccess", Kind: "desktop", Protocol: "rdp", Place: "ma01.example:3389", Credentials: "session", Line: 2,
				ReadOnly: true, Groups: []string{`AMIDO\MultiAccess`, hostile}, Unknown: []string{hostile}, Warnings: []string{"certificate", "plain", "shared", "everyone", "http"},
				Transfers: transfers{true, true, true, true, true, true, true}},
			{ID: "b", Name: hostile, Kind: "desktop", Protocol: "vnc", Place: hostile, Credentials: "prompt", Line: 9, Everyone: true},
			{ID: "doc", Name: "Handbok", Kind: "document", Place: "/srv/handbook.pdf", Line: 12, Everyone: true},
			{ID: "web", Name: "Webb", Kind: "link", Place: "https://handbook.example/", Line: 13, Everyone: true}},
		ViewAs: viewAs{Name: `AMIDO\åsa`, Person: &viewedPerson{hostile, `AMIDO\åsa`, "CN=Åsa,DC=amido,DC=example", "locked",
			[]directoryGroup{{"CN=A,DC=x", `AMIDO\A`}, {"CN=B,DC=x", ""}}, true, false},
			Sees:    []sight{{"web", "Webb", true, nil, nil}, {"ma01", hostile, false, []string{`AMIDO\A`}, []string{`AMIDO\A`}}},
			SeesNot: []sight{{"b", hostile, false, []string{`AMIDO\B`, hostile}, nil}}},
	}
}

func usageSample(lang string) usagePage {
	day := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	spark := NewSpark([]float64{0, 1, 3})
	return usagePage{adminPage: administrators(lang, "usage"), Days: 30, Choices: []int{7, 30}, Target: hostile, Over: use{12, 45000, 3, 12, 30},
		Plot:    NewPlot([]float64{0, 1.5, 3}, []string{"a", hostile, "c"}, []string{"20/11", "21/11", "22/11"}),
		Table:   []useRow{{Day: day, Use: use{2, 3600, 1, 1, 0}}},
		Targets: []useRow{{ID: "ma01", Name: hostile, Use: use{2, 3600, 1, 1, 0}, Spark: &spark, FilterURL: "/admin/usage?days=30&target=ma01"}, {ID: "old", Name: "old", NoLonger: true}},
		Export:  "/admin/usage.csv?days=30&target=x"}
}

func enrolmentSample(lang string) enrolmentPage {
	at := time.Date(2026, 11, 22, 8, 2, 11, 0, time.Local)
	return enrolmentPage{deskPage: agents(lang, "enrolment"), Days: 30, Domain: "AMIDO", Most: 200, Cut: true,
		Domains: []enrolment{{"AMIDO", 1200, 800, 900, 30, 20, 10, 5, 270, 100, 150, 20, at}, {Domain: hostile, People: 1}},
		People: []withoutFactor{{"id-1", "AMIDO", "anna", "Anna Ångström", at, time.Time{}, true},
			{"id-2", "AMIDO", hostile, hostile, time.Time{}, at, false}, {AccountID: "id-3", Domain: "AMIDO", Name: "c"}}}
}

func TestAdministratorsPages(t *testing.T) {
	site := opened(t)
	for _, language := range site.Languages() {
		lang := language.Code
		missing, unavailable := adminTargetsPage{adminPage: administrators(lang, "targets")}, adminTargetsPage{adminPage: administrators(lang, "targets")}
		missing.ViewAs = viewAs{Name: hostile, Missing: true}
		unavailable.ViewAs = viewAs{Name: "x", Unavailable: true}
		for _, sample := range []struct {
			name, page string
			data       any
			want       []string
		}{
			{"overview", "admin", overviewSample(lang), []string{`data-state="broken"`, `data-state="off"`, `portal-1`, `twilio`, `46701234•••`, `SE, NO`, `href="/admin/targets"`, `aria-current="page"`}},
			{"overview of nothing", "admin", overviewPage{adminPage: administrators(lang, "overview"), Worst: "good"}, []string{`data-state="good"`}},
			{"targets", "admin-targets", adminTargetsSample(lang), []string{`targets.yaml:17`, `value="AMIDO\åsa"`, `id="refused"`, `action="/admin/targets"`, `ma01.<wbr>example:3389`, `AMIDO\A`, `!href="/desktop/`, `!href="https://handbook`}},
			{"targets, nobody like that", "admin-targets", missing, []string{`aria-invalid="true"`, `id="fault"`, `!id="refused"`, `!id="person"`}},
			{"targets, no directory", "admin-targets", unavailable, []string{`id="fault"`, `!aria-invalid`}},
			{"usage", "admin-usage", usageSample(lang), []string{`role="img"`, `<title id="plot-title">`, `<desc id="plot-desc">`, `class="spark"`, `<details>`, `days=30&amp;target=ma01`}},
			{"usage of nothing", "admin-usage", usagePage{adminPage: administrators(lang, "usage"), Days: 7, Plot: NewPlot(make([]float64, 7), make([]string, 7), make([]string, 7))}, []string{`<svg`, `!<rect`}},
			{"enrolment", "admin-enrolment", enrolmentSample(lang), []string{`href="/helpdesk/enrolment.csv?domain=AMIDO"`, `AMIDO\anna`, `<a href="/helpdesk/person/id-1">Anna Ångström</a>`, `<a href="/helpdesk/person/id-3">c</a>`, `!href="/admin`}},
			{"enrolment of nobody", "admin-enrolment", enrolmentPage{deskPage: agents(lang, "enrolment")}, []string{`!<table`, `!.csv`}},
		} {
			t.Run(lang+"/"+sample.name, func(t *testing.T) {
				var b bytes.Buffer
				if err := site.Render(&b, lang, sample.page, sample.data); err != nil {
					t.Fatal(err)
				}
				checkHTML(t, b.String())
				for _, want := range sample.want {
					unwanted, no := strings.CutPrefix(want, "!")
					if strings.Contains(b.String(), unwanted) == no {
						t.Errorf("%s", want)
					}
				}
				// Each state has its word: colour alone says nothing to many.
				for _, state := range regexp.MustCompile(`(?s)<span class="state"[^>]*>.*?</span>`).FindAllString(b.String(), -1) {
					if !regexp.MustCompile(`</svg>\s*\pL`).MatchString(state) {
						t.Errorf("a state without a word: %s", state)
					}
				}
			})
		}
	}
}
