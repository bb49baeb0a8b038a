package webroot

import (
	"bytes"
	"encoding/json"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// What follows is the contract with the gateway, field by field: its pages
// embed such a Page.
type (
	languageLink struct {
		Code, Name, Href string
		Current          bool
	}
	helpdesk    struct{ Name, Phone, Mail string }
	sessionInfo struct{ IdleSeconds, WarnSeconds int }
	basePage    struct {
		Lang                        string
		Languages                   []languageLink
		Portal, Person, Path, Title string
		Helpdesk                    helpdesk
		Session                     *sessionInfo

		Agent, Administrator bool
	}
	loginPage struct {
		basePage
		Username                                  string
		Expired, Refused, Unavailable, Malformed  bool
		Wait, EndedMinutes                        int
		Ended, EndedTarget, Target, DefaultDomain string
	}
	rule struct {
		Text  string
		Least int
	}
	passwordPage struct {
		basePage
		Username                                                           string
		Rules                                                              []rule
		Broken                                                             string
		Refused, Mismatch, Same, Unavailable, NotExpired, Forbidden, Empty bool
		Wait                                                               int
		Voluntary                                                          bool
	}
	codePage struct {
		basePage
		Masked                                          string
		Mail, NoPhone, NoWay, Blocked                   bool
		NotSent, Recent, Wrong, Expired, UsedUp, Resent bool
		Left, Wait, ResendIn                            int
		ways
		Way codeWay
	}
	codeWay struct {
		State string
		Lines []string
		Final bool
		Ask   string
	}
	country struct {
		Code, Name string
		Dial       int
		Flag       string
		Chosen     bool
	}
	pendingNumber struct {
		ID, Masked string
		DueAt      time.Time
	}
	phonePage struct {
		basePage
		Stage                string
		First                bool
		Masked, NewMasked    string
		Directory            bool
		How                  string
		VerifiedAt           time.Time
		Done                 bool
		Pending              *pendingNumber
		Frozen, Elsewhere    bool
		Fault                string
		Left, Wait, ResendIn int
		Resent               bool
		Recent               bool
		Number, Country      string
		Countries            []country
		Way                  codeWay
	}
	freezePage struct {
		basePage
		Stage string
		Wait  int
		Token string
	}
	target struct {
		ID, Name, Description, Group, Icon, Kind, Href string
		NewTab, Favourite, Asked                       bool
	}
	running struct {
		target
		Desktop, State, View string
	}
	recent struct {
		target
		View string
	}
	group struct {
		Name string
		Rows template.HTML
	}
	targetsPage struct {
		basePage
		Running       []running
		Favourites    template.HTML
		Recent        []recent
		Groups        []group
		Search, Empty bool
		ExpiryDays    int
		Invite        bool
		InviteFrom    time.Time
		InviteOther   bool
		Waiting       string
	}
	desktopPage struct {
		basePage
		Desktops, Choices, SupportID string
	}
	action struct {
		Href, Label string
		Primary     bool
	}
	helpPage struct {
		basePage
		Help HelpPage
	}
	checkPage struct {
		basePage
		Host string
	}
	messagePage struct {
		basePage
		Heading, Text, SupportID string
		Actions                  []action
	}
)

// Second factors: the pages that ask for one, and those that set one up.
type (
	ways struct {
		Again        bool
		RememberDays int
	}
	trouble struct {
		Wrong, Expired, Cloned, Full, Untold, Blocked bool
		Wait                                          int
	}
	factorPage struct {
		basePage
		ways
		trouble
		Backup                           bool
		Options, Secret, Name, Back, Who string
		QR                               template.URL
		Codes                            []string
	}
	ownFactor struct {
		ID, Kind, Name  string
		AddedAt, UsedAt time.Time
	}
	ownBrowser struct {
		ID, Address, Browser, System string
		UsedAt, ExpiresAt, Since     time.Time
		Here                         bool
	}
	accountPage struct {
		basePage
		Masked, Waiting, Mail                    string
		Apps, Keys                               []ownFactor
		Backup                                   int
		MaySMS, MayApp, MayKey, MayBackup, Saved bool
		Untold, Held                             bool
		Devices, Sessions                        []ownBrowser
		From                                     time.Time
		Other                                    bool
	}
	otherPage struct {
		basePage
		ways
		SMS, Mail, App, Key, Backup bool
		Masked, MaskedMail          string
	}
	enrolPage struct {
		basePage
		SMS, App, Key, Later, Other, Held bool
		From                              time.Time
	}
	againPage struct {
		basePage
		Username, To         string
		Refused, Unavailable bool
		Wait                 int
	}
)

func opened(t *testing.T) *Site {
	t.Helper()
	site, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func outside(lang, title string) basePage {
	return basePage{
		Lang: lang, Title: title, Portal: "Amido Alliera Backstage", Path: "/",
		Helpdesk:  helpdesk{Name: "Amido", Phone: "08-555 010 00", Mail: "helpdesk@amido.example"},
		Languages: languageLinks(lang),
	}
}

func languageLinks(lang string) (links []languageLink) {
	for _, l := range []Language{{"sv", "Svenska"}, {"en", "English"}, {"da", "Dansk"}, {"de", "Deutsch"}, {"fi", "Suomi"}, {"nb", "Norsk bokmål"}} {
		links = append(links, languageLink{l.Code, l.Name, "?lang=" + l.Code, l.Code == lang})
	}
	return links
}

func inside(lang, title string) basePage {
	p := outside(lang, title)
	p.Person, p.Session = "Anna Åkesson", &sessionInfo{IdleSeconds: 900, WarnSeconds: 120}
	return p
}

var someDay = time.Date(2026, 11, 21, 14, 2, 11, 0, time.Local)

const hostile = `"><script>alert('x')</script>{{.}}`

// rows are targets as the page's own part makes them.
func rows(t *testing.T, site *Site, lang string, targets ...target) (made template.HTML) {
	t.Helper()
	for _, one := range targets {
		row, err := site.Part(lang, "targets", "target", one)
		if err != nil {
			t.Fatal(err)
		}
		made += row
	}
	return made
}

// samples are all pages in all their states; what must (and, with a leading
// "!", must not) be in the page stands beside, "|" between what may be.
func samples(t *testing.T, site *Site, lang string) []struct {
	name, page string
	data       any
	want       []string
} {
	out, in := outside(lang, "Titel"), inside(lang, "Titel")
	shown, err := json.Marshal([]map[string]any{{"id": "ma01", "name": hostile, "copy": true, "paste": true, "upload": true}})
	if err != nil {
		t.Fatal(err)
	}
	desktop := desktopPage{basePage: in, Desktops: string(shown), SupportID: "R7K2XXXX"}
	desktop.Title = hostile
	secondPage := in
	secondPage.Title = hostile
	targets := []group{
		{Name: "Stockholm", Rows: rows(t, site, lang,
			target{ID: "ma01", Name: "XXX.MultiAccess01", Description: "Passersystem", Icon: "door", Kind: "desktop", Href: "/desktop/ma01"},
			target{ID: "x", Name: hostile, Description: hostile, Icon: "no-such-icon", Kind: "desktop", Href: "/desktop/x"})},
		{Rows: rows(t, site, lang, target{ID: "doc", Name: "R-CARD M5", Icon: "book", Kind: "document", Href: "/document/doc", NewTab: true})},
	}
	mine := target{ID: "mine", Name: hostile, Group: hostile, Icon: "door", Kind: "desktop", Href: "/desktop/mine", Favourite: true}
	view := site.Asset("mark.svg") // stands for a picture that the gateway has
	full := targetsPage{basePage: in, Groups: targets, ExpiryDays: -1, Search: true, Favourites: rows(t, site, lang, mine),
		Running: []running{{mine, "ABCDEFGHIJKLMNOPQRST", "held", view}, {mine, "BBCDEFGHIJKLMNOPQRST", "shown", ""}},
		Recent:  []recent{{mine, view}, {mine, ""}}}
	countries := []country{{"DK", "Danmark", 45, site.Asset("flags/DK.svg"), false}, {"SE", "Sverige", 46, site.Asset("flags/SE.svg"), true}, {"XX", hostile, 0, "", false}}
	return []struct {
		name, page string
		data       any
		want       []string
	}{
		{"phone first", "phone", phonePage{basePage: out, Stage: "number", First: true, Country: "SE", Countries: countries}, []string{
			`name="number"`, `name="country"`, `<option value="SE"`, ` selected>`, `type="tel"`, `autocomplete="tel"`, `action="/logout"`, `!id="fault"`, `phone.js`, site.Asset("flags/SE.svg")}},
		{"phone unreadable", "phone", phonePage{basePage: out, Stage: "number", First: true, Fault: "unreadable", Number: hostile[:10], Countries: countries}, []string{
			`id="fault"`, `aria-invalid="true"`, `value="&#34;&gt;&lt;script&gt;`, `aria-describedby="number-hint fault"`}},
		{"phone empty", "phone", phonePage{basePage: out, Stage: "number", First: true, Fault: "empty", Countries: countries}, []string{`id="fault"`}},
		{"phone not mobile", "phone", phonePage{basePage: in, Stage: "number", Fault: "not-mobile", Countries: countries}, []string{`id="fault"`, `value="restart"`}},
		{"phone other country", "phone", phonePage{basePage: in, Stage: "number", Fault: "country", Countries: countries}, []string{`id="fault"`}},
		{"phone yours", "phone", phonePage{basePage: in, Stage: "number", Fault: "yours", Countries: countries}, []string{`id="fault"`}},
		{"phone old code", "phone", phonePage{basePage: in, Stage: "old", Masked: "•• 05", Left: 5, ResendIn: 30, Way: codeWay{State: "sent", Lines: []string{"Handed over at 14:02:11."}, Ask: "/phone/way"}}, []string{
			`data-open="/phone/way"`, `<p>Handed over at 14:02:11.</p>`, `data-state="sent"`,
			`•• 05`, `name="code"`, `value="code"`, `value="resend"`, `data-resend-in="30"`, `!phone?edit`, `!phone.js`}},
		{"phone new code", "phone", phonePage{basePage: out, Stage: "new", First: true, NewMasked: "•• 67", Left: 5}, []string{`•• 67`, `/phone?edit`, `one-time-code`}},
		{"phone code resent", "phone", phonePage{basePage: out, Stage: "new", First: true, NewMasked: "•• 67", Resent: true}, []string{`class="notice"`}},
		{"phone code too soon", "phone", phonePage{basePage: in, Stage: "new", NewMasked: "•• 67", Recent: true, ResendIn: 42}, []string{`class="notice"`, `data-resend-in="42"`, `!•• 67`}},
		{"phone wrong code", "phone", phonePage{basePage: in, Stage: "new", NewMasked: "•• 67", Fault: "wrong", Left: 3}, []string{`id="fault"`, `aria-invalid="true"`, `3`}},
		{"phone used up", "phone", phonePage{basePage: in, Stage: "new", NewMasked: "•• 67", Fault: "used-up"}, []string{`id="fault"`}},
		{"phone expired code", "phone", phonePage{basePage: in, Stage: "old", Masked: "•• 67", Fault: "expired"}, []string{`id="fault"`}},
		{"phone not sent", "phone", phonePage{basePage: in, Stage: "new", NewMasked: "•• 67", Fault: "not-sent", Way: codeWay{State: "failed", Lines: []string{"No answer."}, Final: true}}, []string{`id="fault"`, `value="resend"`, `<p>No answer.</p>`, `!data-open`}},
		{"phone wait", "phone", phonePage{basePage: in, Stage: "new", NewMasked: "•• 67", Fault: "wait", Wait: 17}, []string{` 17 `}},
		{"phone have", "phone", phonePage{basePage: in, Stage: "have", Masked: "•• 67", How: "code", VerifiedAt: time.Unix(1795000000, 0), Done: true}, []string{
			`•• 67`, `value="old"`, `class="notice"`, `2026`}},
		{"phone from the directory", "phone", phonePage{basePage: in, Stage: "have", Masked: "•• 67", Directory: true, Fault: "moved"}, []string{`value="old"`, `id="fault"`}},
		{"phone pending", "phone", phonePage{basePage: in, Stage: "have", Masked: "•• 67", Pending: &pendingNumber{"x", "•• 89", time.Unix(1795000000, 0)}, Fault: "pending"}, []string{
			`•• 89`, `value="withdraw"`, `!value="old"`, `2026`}},
		{"phone pending a second agent", "phone", phonePage{basePage: in, Stage: "have", Masked: "•• 67", Pending: &pendingNumber{ID: "x", Masked: "•• 89"}}, []string{`•• 89`, `!2026`}},
		{"phone frozen", "phone", phonePage{basePage: in, Stage: "have", Masked: "•• 67", Frozen: true, Fault: "too-many"}, []string{`!value="old"`, `08-555 010 00`}},
		{"phone elsewhere", "phone", phonePage{basePage: in, Stage: "have", Masked: "•• 67", Elsewhere: true}, []string{`!value="old"`}},
		{"phone that waits", "phone", phonePage{basePage: in, Stage: "waits", First: true, Pending: &pendingNumber{"x", "•• 89", time.Unix(1795000000, 0)}}, []string{`•• 89`, `value="withdraw"`, `2026`, `href="/account"`}},
		{"phone that waits for a second agent", "phone", phonePage{basePage: out, Stage: "waits", First: true, Pending: &pendingNumber{ID: "x", Masked: "•• 89"}}, []string{`•• 89`, `value="withdraw"`, `!2026`, `action="/logout"`}},
		{"phone none", "phone", phonePage{basePage: out, Stage: "none", First: true}, []string{`tel:0855501000`, `!name="number"`}},
		{"freeze", "freeze", freezePage{basePage: out, Stage: "ask", Token: hostile}, []string{`name="t"`, `value="&#34;&gt;&lt;script&gt;`, `<button>`}},
		{"freeze done", "freeze", freezePage{basePage: out, Stage: "done"}, []string{`role="status"`, `!name="t"`, `08-555 010 00`}},
		{"freeze stopped", "freeze", freezePage{basePage: out, Stage: "stopped"}, []string{`role="status"`, `!name="t"`, `08-555 010 00`}},
		{"freeze late", "freeze", freezePage{basePage: out, Stage: "late"}, []string{`id="fault"`, `08-555 010 00`}},
		{"freeze unknown", "freeze", freezePage{basePage: out, Stage: "unknown"}, []string{`id="fault"`}},
		{"freeze wait", "freeze", freezePage{basePage: out, Stage: "wait", Wait: 12}, []string{` 12 `}},
		{"login", "login", loginPage{basePage: out, DefaultDomain: "AMIDO"}, []string{
			`name="username"`, `name="password"`, `action="/login"`, `autocomplete="username"`, `autocomplete="current-password"`, `AMIDO\`, `href="/help"`, `!id="fault"`, `!name="target"`, `!id="idle"`}},
		{"login refused", "login", loginPage{basePage: out, Username: hostile, Refused: true, Target: hostile}, []string{
			`aria-invalid="true"`, `id="fault"`, `value="&#34;&gt;&lt;script&gt;`, `name="target"`}},
		{"login expired", "login", loginPage{basePage: out, Username: `AMIDO\anna`, Expired: true}, []string{`<a href="/password">`}},
		{"login unavailable", "login", loginPage{basePage: out, Unavailable: true}, []string{`id="fault"`, `!aria-invalid`}},
		{"login throttled", "login", loginPage{basePage: out, Wait: 17}, []string{` 17 `}},
		{"login held", "login", loginPage{basePage: out, Wait: 60 * 24 * 365}, []string{`id="fault"`, `Amido`, `!525`}},
		{"login malformed", "login", loginPage{basePage: out, Malformed: true}, []string{`AMIDO\`}},
		{"login after idle", "login", loginPage{basePage: out, Ended: "idle", EndedMinutes: 15, EndedTarget: "XXX.MultiAccess01"}, []string{` 15 `, `XXX.MultiAccess01`}},
		{"login after a slow login", "login", loginPage{basePage: out, Ended: "pre-auth"}, []string{`class="notice"`}},
		{"login after absolute", "login", loginPage{basePage: out, Ended: "absolute", EndedMinutes: 720}, []string{` 12 `}},
		{"login after logout", "login", loginPage{basePage: out, Ended: "logout"}, []string{`class="notice"`}},
		{"login after revoked", "login", loginPage{basePage: out, Ended: "revoked"}, []string{`class="notice"`}},
		{"login after replaced", "login", loginPage{basePage: out, Ended: "replaced"}, []string{`class="notice"`}},
		{"login after password change", "login", loginPage{basePage: out, Ended: "password-changed"}, []string{`class="notice"`}},
		{"password", "password", passwordPage{basePage: out, Username: `AMIDO\anna`, Rules: []rule{{"Minst 12 tecken.", 12}, {"Inte något av dina 5 senaste lösenord.", 0}}}, []string{
			`name="username"`, `name="current"`, `name="new"`, `name="confirm"`, `action="/password"`, `autocomplete="new-password"`, `Minst 12 tecken.`, `data-least="12"`, `aria-describedby="rules"`, `!readonly`}},
		{"password broken", "password", passwordPage{basePage: out, Rules: []rule{{"Minst 12 tecken.", 12}, {"Tecken av minst tre slag: stora bokstäver, små bokstäver, siffror och specialtecken. Inte ditt användarnamn eller delar av ditt namn.", 0}}, Broken: "För kort."}, []string{`För kort.`, `aria-describedby="fault rules"`}},
		{"password refused", "password", passwordPage{basePage: out, Refused: true}, []string{`id="fault"`}},
		{"password mismatch", "password", passwordPage{basePage: out, Mismatch: true}, []string{`id="fault"`}},
		{"password same", "password", passwordPage{basePage: out, Same: true}, []string{`id="fault"`}},
		{"password unavailable", "password", passwordPage{basePage: out, Unavailable: true}, []string{`id="fault"`}},
		{"password not expired", "password", passwordPage{basePage: out, NotExpired: true}, []string{`<a href="/login">`}},
		{"password forbidden", "password", passwordPage{basePage: out, Forbidden: true}, []string{`id="fault"`}},
		{"password empty", "password", passwordPage{basePage: out, Empty: true}, []string{`id="fault"`}},
		{"password throttled", "password", passwordPage{basePage: out, Wait: 3}, []string{` 3 `}},
		{"password held", "password", passwordPage{basePage: out, Wait: 60 * 24 * 365}, []string{`id="fault"`, `Amido`, `!525`}},
		{"password by choice", "password", passwordPage{basePage: in, Username: `AMIDO\anna`, Voluntary: true}, []string{`readonly`, `id="idle"`}},
		{"password changed", "password-changed", out, []string{`href="/login"`}},
		{"code", "code", codePage{basePage: out, Masked: "•• 67", ResendIn: 30, Way: codeWay{Lines: []string{"Handed over at 14:02:11."}, Ask: "/code/way"}}, []string{
			`data-open="/code/way"`,
			`name="code"`, `inputmode="numeric"`, `autocomplete="one-time-code"`, `action="/code"`, `action="/code/resend"`, `data-resend-in="30"`, `•• 67`, `role="status"`, `data-open`, `14:02:11`, `action="/logout"`, `08-555 010 00`}},
		{"code delivered", "code", codePage{basePage: out, Masked: "•• 67", Way: codeWay{State: "delivered", Lines: []string{"a", "b"}, Final: true}}, []string{`data-state="delivered"`, `<p>a</p>`, `<p>b</p>`, `!data-open`}},
		{"code wrong", "code", codePage{basePage: out, Masked: "•• 67", Wrong: true, Left: 4}, []string{`aria-invalid="true"`, ` 4.`}},
		{"code expired", "code", codePage{basePage: out, Masked: "•• 67", Expired: true}, []string{`id="fault"`}},
		{"code used up", "code", codePage{basePage: out, Masked: "•• 67", UsedUp: true}, []string{`id="fault"`}},
		{"code throttled", "code", codePage{basePage: out, Masked: "•• 67", Wait: 15}, []string{` 15 `}},
		{"code blocked", "code", codePage{basePage: out, Masked: "•• 67", Blocked: true}, []string{`id="fault"`, `!name="code"`, `!/code/resend`, `!•• 67`, `mailto:helpdesk@amido.example`, `action="/logout"`}},
		{"code not sent", "code", codePage{basePage: out, Masked: "•• 67", NotSent: true}, []string{`id="fault"`}},
		{"code resent", "code", codePage{basePage: out, Masked: "•• 67", Resent: true}, []string{`class="notice"`}},
		{"code without phone", "code", codePage{basePage: out, NoPhone: true}, []string{`!name="code"`, `!/code/resend`, `action="/logout"`, `mailto:helpdesk@amido.example`}},
		// Codes by mail.
		{"code by mail", "code", codePage{basePage: out, Mail: true, Masked: "a•••@amido.example", ResendIn: 30, Way: codeWay{Lines: []string{"At 14:02:11."}, Final: true}}, []string{
			`name="code"`, `a•••@amido.example`, `data-resend-in="30"`, `action="/code/resend"`, `!data-open`, `!SMS`, `!sms`, `!tekstiviesti`, `!text message`}},
		{"code by mail not sent", "code", codePage{basePage: out, Mail: true, Masked: "a•••@amido.example", NotSent: true}, []string{`id="fault"`, `!SMS`, `!sms`}},
		{"code by mail, one sent in another way", "code", codePage{basePage: out, Mail: true, Masked: "a•••@amido.example", Recent: true, ResendIn: 12}, []string{`class="notice"`, `!a•••@`, `!SMS`}},
		{"code by mail resent", "code", codePage{basePage: out, Mail: true, Masked: "a•••@amido.example", Resent: true}, []string{`class="notice"`, `!SMS`}},
		{"no code can be sent", "code", codePage{basePage: out, NoWay: true}, []string{`!name="code"`, `!/code/resend`, `action="/logout"`, `href="/code/other"`, `mailto:helpdesk@amido.example`}},
		{"targets", "targets", targetsPage{basePage: in, Groups: targets, ExpiryDays: -1}, []string{
			`href="/desktop/ma01"`, `#door"`, `#desktop"`, `target="_blank"`, `action="/logout"`, `id="idle"`, `data-idle="900"`, `data-warn="120"`, `Anna Åkesson`, `!class="notice"`,
			`id="t-ma01"`, `form="favourite" name="add" value="ma01" aria-pressed="false"`, `action="/favourite"`, `!id="find"`, `!id="running"`, `!id="recent"`, `!id="favourites"`, `!data-group`}},
		{"targets with all", "targets", full, []string{`id="find"`, `id="nothing"`, `name="remove" value="mine" aria-pressed="true"`, `data-group="`,
			`href="/desktop/mine?desktop=ABCDEFGHIJKLMNOPQRST"`, `action="/desktop/mine/end"`, `name="desktop" value="ABCDEFGHIJKLMNOPQRST"`, `data-state="held"`, `data-state="shown"`,
			`<img class="sight" src="` + view + `" alt=""`}},
		{"targets, expiring", "targets", targetsPage{basePage: in, Groups: targets, ExpiryDays: 7}, []string{` 7 `, `<a href="/password">`}},
		{"targets, expiring tomorrow", "targets", targetsPage{basePage: in, Groups: targets, ExpiryDays: 1}, []string{`class="notice"`}},
		{"targets, expiring today", "targets", targetsPage{basePage: in, Groups: targets}, []string{`class="notice"`}},
		{"no targets", "targets", targetsPage{basePage: in, ExpiryDays: -1, Empty: true}, []string{`mailto:`}},
		{"second window", "second", secondPage, []string{`desktop.css"`, `data-part="display"`, `data-part="sink"`, `data-part="note"`}},
		{"desktop", "desktop", desktop, []string{
			`id="panes"`, `&#34;id&#34;:&#34;ma01&#34;`, `data-support-id="R7K2XXXX"`, `data-state="connecting"`, `id="tools"`, `id="idle"`, `action="/logout"`, `<noscript>`}},
		{"message", "message", messagePage{basePage: out, Heading: hostile, Text: hostile, SupportID: "R7K2", Actions: []action{{"/", "Hem", true}, {"javascript:alert(1)", "x", false}}}, []string{`R7K2`, `!javascript:`}},
		// Second factors.
		{"app", "code-app", factorPage{basePage: out, ways: ways{RememberDays: 30}}, []string{`name="code"`, `inputmode="numeric"`, `name="remember"`, ` 30 `, `href="/code/other"`, `action="/logout"`}},
		{"app wrong", "code-app", factorPage{basePage: out, trouble: trouble{Wrong: true}}, []string{`aria-invalid="true"`, `!name="remember"`}},
		{"app locked", "code-app", factorPage{basePage: out, trouble: trouble{Wait: 15}}, []string{` 15 `}},
		{"app blocked, again", "code-app", factorPage{basePage: in, ways: ways{Again: true}, trouble: trouble{Blocked: true}}, []string{`id="fault"`, `<a href="/">`}},
		{"backup", "code-backup", factorPage{basePage: out, Backup: true}, []string{`name="code"`, `action="/code/backup"`, `Amido`}},
		{"backup wrong", "code-backup", factorPage{basePage: out, trouble: trouble{Wrong: true}}, []string{`id="fault"`, `aria-invalid`}},
		{"key", "code-key", factorPage{basePage: out, Options: hostile, ways: ways{RememberDays: 1}}, []string{`data-ask="&#34;&gt;`, `name="answer"`, `key.js`, `<noscript>`, `href="/code/other"`, ` 1 `}},
		{"key refused", "code-key", factorPage{basePage: out, Options: "{}", trouble: trouble{Wrong: true}}, []string{`id="fault"`}},
		{"key copied", "code-key", factorPage{basePage: out, Options: "{}", trouble: trouble{Cloned: true}}, []string{`id="fault"`}},
		{"key expired", "code-key", factorPage{basePage: out, Options: "{}", trouble: trouble{Expired: true}}, []string{`id="fault"`}},
		{"key locked", "code-key", factorPage{basePage: out, trouble: trouble{Wait: 15}}, []string{` 15 `, `!name="answer"`}},
		{"new key", "account-key", factorPage{basePage: in, Options: hostile, Name: hostile, Back: "/account"}, []string{`data-make="&#34;&gt;`, `name="answer"`, `href="/account"`, `value="&#34;&gt;`}},
		{"new key, full", "account-key", factorPage{basePage: in, Options: "{}", Back: "/account", trouble: trouble{Full: true}}, []string{`id="fault"`}},
		{"new key expired", "account-key", factorPage{basePage: in, Options: "{}", Back: "/account", trouble: trouble{Expired: true}}, []string{`id="fault"`}},
		{"new app", "account-app", factorPage{basePage: out, QR: "data:image/png;base64,AAAA", Secret: "ABCD EFGH", Back: "/enrol"}, []string{`src="data:image/png;base64,AAAA"`, `ABCD EFGH`, `name="code"`, `name="name"`, `href="/enrol"`}},
		{"new app wrong", "account-app", factorPage{basePage: in, QR: "data:image/png;base64,AAAA", Back: "/account", trouble: trouble{Wrong: true}}, []string{`aria-invalid="true"`}},
		{"new app expired", "account-app", factorPage{basePage: in, QR: "data:image/png;base64,AAAA", Back: "/account", trouble: trouble{Expired: true}}, []string{`id="fault"`}},
		{"new app, full", "account-app", factorPage{basePage: in, QR: "data:image/png;base64,AAAA", Back: "/account", trouble: trouble{Full: true}}, []string{`id="fault"`}},
		{"new app locked", "account-app", factorPage{basePage: in, QR: "data:image/png;base64,AAAA", Back: "/account", trouble: trouble{Wait: 15}}, []string{` 15 `}},
		{"new app, untold", "account-app", factorPage{basePage: in, QR: "data:image/png;base64,AAAA", Back: "/account", trouble: trouble{Untold: true}}, []string{`id="fault"`}},
		{"new key, untold", "account-key", factorPage{basePage: in, Options: "{}", Back: "/account", trouble: trouble{Untold: true}}, []string{`id="fault"`}},
		{"account, untold", "account", accountPage{basePage: in, MayBackup: true, Untold: true}, []string{`id="fault"`, `action="/account/backup"`}},
		{"account, held", "account", accountPage{basePage: in, Held: true}, []string{`class="notice"`, `!href="/account/app"`, `!action="/account/backup"`}},
		{"enrol, held", "enrol", enrolPage{basePage: in, Later: true, Held: true}, []string{`action="/enrol"`, `!class="pick"`}},
		{"backup codes", "account-backup", factorPage{basePage: in, Codes: []string{"ABCDE-12345"}, Who: `AMIDO\anna`}, []string{`ABCDE-12345`, `AMIDO\anna`, `href="/account"`}},
		{"account with a number that waits", "account", accountPage{basePage: in, Waiting: "•• 89"}, []string{`•• 89`, `href="/phone"`}},
		{"account with codes by mail", "account", accountPage{basePage: in, Mail: "a•••@example.se"}, []string{`a•••@example.se`, `!href="/phone"`}},
		{"account", "account", accountPage{basePage: in, MaySMS: true}, []string{`!class="notice"`, `href="/phone"`, `href="/password"`, `!own-mail`, `!action="/account/backup"`, `!action="/account/remove"`}},
		{"account with all", "account", accountPage{basePage: in, Masked: "•• 67", Backup: 10, MayApp: true, MayKey: true, MayBackup: true, Saved: true,
			Apps:     []ownFactor{{ID: "a1", Kind: "app", Name: hostile, AddedAt: someDay, UsedAt: someDay}},
			Keys:     []ownFactor{{ID: "k1", Kind: "key", AddedAt: someDay}},
			Devices:  []ownBrowser{{ID: "d1", Browser: "Firefox", System: "Windows", UsedAt: someDay}},
			Sessions: []ownBrowser{{ID: "s1", Browser: "Edge", System: "Windows", Address: "192.0.2.1", Since: someDay, Here: true}, {ID: "s2", Browser: "Chrome", Since: someDay}, {ID: "s3", Since: someDay}}}, []string{
			`value="a1"`, `value="k1"`, `value="d1"`, `value="s2"`, `value="s3"`, `!value="s1"`, `href="/account/app"`, `href="/account/key"`, `action="/account/backup"`, ` 10 |10 `, `192.0.2.1`, `Firefox`}},
		{"account before the date", "account", accountPage{basePage: in, Backup: 1, From: someDay}, []string{`2026`, `class="notice"`}},
		{"other ways", "code-other", otherPage{basePage: out, SMS: true, App: true, Key: true, Backup: true, Masked: "•• 67"}, []string{`href="/code/app"`, `href="/code/key"`, `href="/code/backup"`, `value="sms"`, `•• 67`}},
		{"other ways, mail", "code-other", otherPage{basePage: out, Mail: true, MaskedMail: "a•••@amido.example"}, []string{`value="mail"`, `a•••@amido.example`, `!value="sms"`}},
		{"no other way", "code-other", otherPage{basePage: out}, []string{`!/code/app`, `!value="sms"`, `href="/code/backup"`}},
		{"enrol", "enrol", enrolPage{basePage: out, App: true, Key: true, SMS: true}, []string{`href="/account/app"`, `href="/account/key"`, `href="/phone"`, `action="/logout"`, `!action="/enrol"`}},
		{"enrol another way", "enrol", enrolPage{basePage: in, App: true, Later: true, Other: true, From: time.Date(2026, 12, 3, 0, 0, 0, 0, time.Local)}, []string{`href="/account/app"`, `2026`}},
		{"enrol later", "enrol", enrolPage{basePage: in, App: true, Later: true, From: time.Date(2026, 12, 3, 0, 0, 0, 0, time.Local)}, []string{`action="/enrol"`, `2026`}},
		{"again", "again", againPage{basePage: in, Username: hostile, To: hostile}, []string{`name="to" value="&#34;&gt;`, `autocomplete="current-password"`}},
		{"again refused", "again", againPage{basePage: in, Refused: true}, []string{`id="fault"`, `aria-invalid`}},
		{"again throttled", "again", againPage{basePage: in, Wait: 3}, []string{` 3 `}},
		{"again held", "again", againPage{basePage: in, Wait: 60 * 24 * 365}, []string{`id="fault"`, `Amido`, `!525`}},
		{"again unavailable", "again", againPage{basePage: in, Unavailable: true}, []string{`id="fault"`}},
		{"targets, invited", "targets", targetsPage{basePage: in, Groups: targets, ExpiryDays: -1, Invite: true}, []string{`<a href="/enrol">`}},
		{"targets, invited until a date", "targets", targetsPage{basePage: in, Groups: targets, ExpiryDays: -1, Invite: true, InviteFrom: time.Date(2026, 12, 3, 0, 0, 0, 0, time.Local)}, []string{`<a href="/enrol">`, `2026`}},
		{"targets, invited to another way", "targets", targetsPage{basePage: in, Groups: targets, ExpiryDays: -1, Invite: true, InviteOther: true, InviteFrom: time.Date(2026, 12, 3, 0, 0, 0, 0, time.Local)}, []string{`<a href="/enrol">`, `2026`}},
		{"help", "help", helpPage{out, HelpPage{Lang: "nn", Contents: []HelpHeading{{"sms", hostile}, {"x", "X"}}, Lead: "<p>Hej</p>", Body: `<h2 id="sms">Sms</h2>`}}, []string{`<li><a href="#sms">&#34;&gt;`, `<h2 id="sms">Sms</h2>`, `href="/check"`, `<article class="prose" lang="nn">`}},
		{"help with one heading", "help", helpPage{out, HelpPage{Lang: lang, Contents: []HelpHeading{{"x", "X"}}, Body: `<p>x</p>`}}, []string{`!<nav class="contents"`, `<article class="prose">`}},
		{"check", "check", checkPage{out, "portal.amido.example"}, []string{`check.js`, `data-host="portal.amido.example"`, `data-keys="` + site.T(lang, "format.keys") + `"`, `JavaScript`, `href="/help#check"`}},
	}
}

func TestPages(t *testing.T) {
	site := opened(t)
	for _, language := range site.Languages() {
		for _, sample := range samples(t, site, language.Code) {
			t.Run(language.Code+"/"+sample.name, func(t *testing.T) {
				var b bytes.Buffer
				if err := site.Render(&b, language.Code, sample.page, sample.data); err != nil {
					t.Fatal(err)
				}
				page := b.String()
				checkHTML(t, page)
				for _, want := range sample.want {
					if unwanted, no := strings.CutPrefix(want, "!"); no {
						if strings.Contains(page, unwanted) {
							t.Errorf("the page has %s", unwanted)
						}
					} else if !slices.ContainsFunc(strings.Split(want, "|"), func(one string) bool { return strings.Contains(page, one) }) {
						t.Errorf("the page lacks %s", want)
					}
				}
			})
		}
	}
}

var (
	inlineScript = regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<script>|<style|\sstyle=|\son[a-z]+=|javascript:`)
	unfilled     = regexp.MustCompile(`\{\w+\}`)
	placeAndKey  = regexp.MustCompile(`(?sU)<template id="[a-z-]*texts">.*</template>`)
	ids          = regexp.MustCompile(`\sid="([^"]+)"`)
	references   = regexp.MustCompile(`\s(?:for|aria-describedby|aria-labelledby|aria-controls)="([^"]+)"`)
	elsewhere    = regexp.MustCompile(`\s(?:src|href)="(?:https?:)?//`)
)

// checkHTML holds every page to what the strict CSP and assistive technology need.
func checkHTML(t *testing.T, page string) {
	t.Helper()
	if found := inlineScript.FindString(page); found != "" {
		t.Errorf("inline script or style, which the CSP forbids: %q", found)
	}
	if found := unfilled.FindString(placeAndKey.ReplaceAllString(page, "")); found != "" {
		t.Errorf("a placeholder was not filled: %s", found)
	}
	if found := elsewhere.FindString(page); found != "" {
		t.Errorf("something is loaded from elsewhere: %s", found)
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "ZgotmplZ") && !strings.Contains(page, "#ZgotmplZ") {
		t.Error("foreign text was not escaped")
	}
	seen := map[string]bool{}
	for _, m := range ids.FindAllStringSubmatch(page, -1) {
		if seen[m[1]] {
			t.Errorf("two elements with the id %q", m[1])
		}
		seen[m[1]] = true
	}
	for _, m := range references.FindAllStringSubmatch(page, -1) {
		for id := range strings.FieldsSeq(m[1]) {
			if !seen[id] {
				t.Errorf("a reference to #%s, which is not there", id)
			}
		}
	}
	for _, once := range []string{"<html lang=", "<h1", "<main", "<title>", "</html>"} {
		if n := strings.Count(page, once); n != 1 {
			t.Errorf("%d times %s", n, once)
		}
	}
}

func TestRenderUnknownPage(t *testing.T) {
	var b bytes.Buffer
	if err := opened(t).Render(&b, "sv", "no-such-page", nil); err == nil || b.Len() > 0 {
		t.Fatalf("err %v, %d bytes written; want an error and nothing", err, b.Len())
	}
}

var (
	textCall    = regexp.MustCompile(`\b(?:t|link) "([^"]+)"`)
	scriptCall  = regexp.MustCompile(`"((?:app|idle|desktop|check|targets|key|live|phone)\.js\.[a-z0-9.-]+)"`)
	gatewayKeys = regexp.MustCompile(`"((?:title|message|action|rule|format|span|way|alarm)\.[a-z0-9.-]+|code\.sms|phone\.(?:title|sms)[a-z.]*|freeze\.title)"`)
	forGateway  = []string{"title.", "message.", "action.", "rule.", "code.sms", "code.mail.subject", "language.", "format.", "span.", "way.", "alarm.", "event.",
		"phone.title", "phone.sms.", "phone.notice.", "freeze.title",
		"code.caller", "desk.act.", "desk.effect.", "desk.done.", "desk.why.", "desk.advice.", "desk.refused.",
		"desk.field.", "desk.kind.", "desk.unknown-time", "factor.notice."}
)

func sources(t *testing.T, patterns ...string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(raw)
		}
	}
	return all.String()
}

func TestEveryTextIsUsed(t *testing.T) {
	templates, scripts := sources(t, "templates/*.html"), sources(t, "src/*.ts", "src/*/*.ts")
	used := map[string]bool{}
	for _, m := range textCall.FindAllStringSubmatch(templates, -1) {
		used[m[1]] = true
	}
	for _, m := range scriptCall.FindAllStringSubmatch(scripts, -1) {
		used[m[1]] = true
		used[m[1]+".text"] = true // the second line of a status
		used[m[1]+".long"] = true // and of a wait that takes its time
	}
	for key := range opened(t).locales.texts[firstLanguage].byKey {
		stem := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		theirs := slices.ContainsFunc(forGateway, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if !used[key] && !used[stem] && !theirs {
			t.Errorf("nothing uses the text %q", key)
		}
	}
}

func TestGatewaysTextsExist(t *testing.T) {
	texts := opened(t).locales.texts[firstLanguage]
	for _, m := range gatewayKeys.FindAllStringSubmatch(sources(t, "../gateway/*.go", "../cmd/*/*.go"), -1) {
		if texts.forms(m[1]) == nil && !strings.HasSuffix(m[1], ".") {
			t.Errorf("the gateway names the text %q, which does not exist", m[1])
		}
	}
}

// A word outside a tag and outside an action is text that no translator sees.
func TestNoLiteralText(t *testing.T) {
	action, tag := regexp.MustCompile(`(?s)\{\{.*?\}\}`), regexp.MustCompile(`(?s)<[^>]*>`)
	word := regexp.MustCompile(`\pL{2,}`)
	attribute := regexp.MustCompile(`\s(?:title|alt|aria-label|placeholder)="([^"]*)"`)
	names, err := filepath.Glob("templates/*.html")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bare := action.ReplaceAllString(string(raw), "")
		for _, m := range attribute.FindAllStringSubmatch(bare, -1) {
			if word.MatchString(m[1]) {
				t.Errorf("%s: literal text in an attribute: %q", name, m[1])
			}
		}
		bare = strings.Replace(bare, iconNames, "", 1)
		if found := word.FindString(tag.ReplaceAllString(bare, " ")); found != "" {
			t.Errorf("%s: literal text: %q", name, found)
		}
	}
}

// iconNames is what the "icon" template leaves of itself without its actions.
const iconNames = "serverdoorcamerabooklinkfilekeydesktop"
