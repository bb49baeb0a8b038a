package webroot

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// The contract of helpdesk's pages with the gateway, field by field.
type (
	deskPage struct {
		basePage
		Section string
	}
	personLink struct {
		Href, Name, User, Mail, Phone string
		At                            time.Time
	}
	findPage struct {
		deskPage
		Query                string
		Searched, Incomplete bool
		Remembered           bool
		People, Recent       []personLink
		Problem              string
	}
	deskPick struct{ Value, Text string }
	deskForm struct {
		Action, ID, Title, Effect, Reason, Field, Value, Label string
		Open, Tick                                             bool
		Picks                                                  []deskPick
		Change                                                 deskPick
	}
	deskCause struct {
		Text, Advice string
		Stops        bool
		Form         *deskForm
	}
	deskCaller struct {
		Verified, Asked, ByMail, ToMail bool
		Until                           time.Time
		Form                            *deskForm
		Action                          string
	}
	deskTry struct {
		At                    time.Time
		Text, Where, ID, Note string
		Bad                   bool
	}
	deskState struct {
		Mail                                                    string
		Disabled, Ended, Locked, MustChange, PasswordExpired    bool
		AccountExpires, PasswordExpires, PasswordSet, LastLogon time.Time
		WrongPasswords                                          int
	}
	deskPending struct {
		Masked, By string
		Since, Due time.Time
	}
	deskLimits struct {
		WrongPasswords, PasswordsAllowed, WrongCodes int
		FamiliarWrong, FamiliarAllowed               int
		PasswordUntil, FamiliarUntil, CodeUntil      time.Time
		CodeBlocked                                  bool
		Sends                                        []deskSendLimit
		Addresses                                    []deskAddress
		Told                                         deskTold
	}
	deskAddress struct {
		Address string
		Tries   int
		Until   time.Time
	}
	deskTold struct {
		Count, Most int
		Until       time.Time
	}
	deskSendLimit struct {
		Way, Rule string
		Until     time.Time
	}
	deskPhone struct {
		Masked, Source, How, By string
		Verified                bool
		VerifiedAt              time.Time
		Pending                 *deskPending
	}
	deskFactor struct {
		Kind, Name string
		AddedAt    time.Time
	}
	deskFactors struct {
		Has               []string
		Need              string
		From, BypassUntil time.Time
		Factors           []deskFactor
		BackupLeft        int
		Devices           []string
	}
	deskMessage struct {
		At, Ended                     time.Time
		Masked, State, Sender, Reason string
	}
	deskNumber struct {
		At                                      time.Time
		Act, Old, New, By, Address, Reason, How string
	}
	deskSession struct {
		Address   string
		CreatedAt time.Time
	}
	deskFacts struct {
		ID                 string
		Gone, DirectoryOut bool
		Limits             deskLimits
		State              deskState
		Phone              deskPhone
		Factors            *deskFactors
		Messages           []deskMessage
		History            []deskNumber
		Sessions           []deskSession
		ActsLeft           int
	}
	personPage struct {
		deskPage
		Facts                                   deskFacts
		Name, User, Done, Fault, Secret, Barred string
		SecretUntil                             time.Time
		Why                                     []deskCause
		Caller                                  deskCaller
		Acts                                    []deskForm
		Tries                                   []deskTry
	}
)

func (t deskTold) Full() bool { return t.Count >= t.Most }

func TestHelpdeskPages(t *testing.T) {
	site := opened(t)
	at := time.Date(2026, 11, 22, 14, 2, 11, 0, time.Local)
	for _, language := range site.Languages() {
		in := deskPage{inside(language.Code, "Titel"), "find"}
		in.Agent = true
		form := func(id string) *deskForm {
			return &deskForm{Action: "/helpdesk/person/x/" + id, ID: id, Title: hostile, Effect: "Effekt"}
		}
		number, pickOne, known := *form("number"), *form("factor-remove"), *form("bypass")
		number.Field, number.Label, number.Value, number.Open, number.Reason = "number", "Nummer", hostile, true, hostile
		pickOne.Field, pickOne.Label, pickOne.Picks = "factor", "Vilken", []deskPick{{"id1", hostile}}
		known.Tick = true
		change := *form("change-confirm")
		change.Change = deskPick{"CHANGE1", "••• 0633"}
		whole := personPage{deskPage: in, Name: hostile, User: `AMIDO\x`, Facts: deskFacts{
			State: deskState{Mail: "x@amido.example", Locked: true, PasswordSet: at, PasswordExpires: at, AccountExpires: at, LastLogon: at, WrongPasswords: 3},
			Phone: deskPhone{Masked: "••• 0607", Source: "directory", Verified: true, How: "caller", VerifiedAt: at, By: `AMIDO\hanna`, Pending: &deskPending{"••• 0633", "hanna", at, at}},
			Factors: &deskFactors{Has: []string{"sms", "app"}, Need: "voluntary", From: at, BypassUntil: at, BackupLeft: 3, Devices: []string{"a"},
				Factors: []deskFactor{{"app", hostile, at}}},
			Messages: []deskMessage{{At: at, Ended: at, Masked: "••• 0607", State: "delivered", Sender: "provider"}, {At: at, State: "undelivered", Reason: hostile}},
			History:  []deskNumber{{at, "frozen", "••• 0607", "••• 0633", "", "192.0.2.9", "", ""}, {at, "asked", "", "••• 0607", `AMIDO\hanna`, "192.0.2.8", hostile, "agents"}, {at, "directory-changed", "••• 0606", "••• 0607", "", "", "", ""}},
			Sessions: []deskSession{{"192.0.2.1", at}}, ActsLeft: 1,
			ID: "x", Limits: deskLimits{WrongPasswords: 4, PasswordsAllowed: 4, PasswordUntil: at, FamiliarWrong: 1, FamiliarAllowed: 1, FamiliarUntil: at, WrongCodes: 9, CodeUntil: at, Sends: []deskSendLimit{{"sms", "hour", at}, {Way: "mail"}},
				Addresses: []deskAddress{{"192.0.2.77", 60, at}}, Told: deskTold{3, 10, at}},
		},
			Why:    []deskCause{{Text: hostile, Advice: "Lås upp.", Stops: true, Form: form("unlock")}, {Text: "Fel", Advice: "Råd."}},
			Caller: deskCaller{Asked: true, ToMail: true, Form: form("caller"), Action: "/helpdesk/person/x/caller-code"},
			Acts:   []deskForm{number, pickOne, known, change}, Tries: []deskTry{{At: at, Text: hostile, Where: "192.0.2.1", ID: "R7K2XXXX", Bad: true, Note: hostile}},
		}
		refused := whole
		refused.Facts.Limits.Told.Count = 10
		refused.Fault, refused.Caller = "Nej.", deskCaller{Verified: true, ByMail: true, Until: at, Form: form("caller")}
		secret := personPage{deskPage: in, Name: "Cecilia", Secret: "ABCDE-12345", SecretUntil: at, Done: "Klart."}
		secret.Path = "/helpdesk/person/x"
		for _, sample := range []struct {
			name, page string
			data       any
			want       []string
		}{
			{"find", "helpdesk", findPage{deskPage: in, Recent: []personLink{{Href: "/helpdesk/person/x", Name: hostile, At: at}}}, []string{`name="q"`, `aria-current="page"`, `!id="found"`}},
			{"found", "helpdesk", findPage{deskPage: in, Query: hostile, Searched: true, Incomplete: true, People: []personLink{{Href: "/helpdesk/person/x", Name: hostile, User: `AMIDO\x`, Phone: "••• 0607"}}}, []string{`id="found"`, `••• 0607`, `class="notice"`}},
			{"found without the directory", "helpdesk", findPage{deskPage: in, Query: "x", Searched: true, Incomplete: true, Remembered: true, People: []personLink{{Href: "/helpdesk/person/x", Name: hostile}}}, []string{`id="found"`, `class="notice"`}},
			{"nobody found", "helpdesk", findPage{deskPage: in, Query: "zz", Searched: true}, []string{`id="found"`, `!<table>`}},
			{"not searched", "helpdesk", findPage{deskPage: in, Query: "z", Problem: "Skriv mer."}, []string{`id="fault"`, `aria-invalid="true"`}},
			{"person", "person", whole, []string{`id="why"`, `action="/helpdesk/person/x/unlock"`, `action="/helpdesk/person/x/caller-code"`, `name="reason"`,
				`id="act-number" open`, `name="number"`, `name="factor"`, `name="known"`, `type="hidden" name="change" value="CHANGE1"`, `Effekt <strong>••• 0633</strong>`, `href="/helpdesk/id/R7K2XXXX"`, `href="/helpdesk/audit?account=x"`, `14:02:11|14.02.11`, `id="history"`, `••• 0633`, `192.0.2.9`, `AMIDO\hanna`, `192.0.2.77`, `!class="card secret"`}},
			{"person, refused", "person", refused, []string{`id="fault"`, `!name="code"`}},
			{"person with a one-time code", "person", secret, []string{`ABCDE-12345`, `href="/helpdesk/person/x"`, `!class="acts"`}},
			{"person who is gone", "person", personPage{deskPage: in, Name: `AMIDO\x`, Facts: deskFacts{Gone: true}, Barred: "Nej.", Why: []deskCause{{Text: "Borta", Stops: true}}}, []string{`class="stops"`, `!class="act"`}},
		} {
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

// What a caller reads out is one message, and of the GSM alphabet.
func TestCallerCodeFitsOneMessage(t *testing.T) {
	site := opened(t)
	for _, language := range site.Languages() {
		words := site.T(language.Code, "code.caller", "code", "123456", "portal", strings.Repeat("p", 30))
		if n := septets(words); n < 0 || n > 160 {
			t.Errorf("%s: %d septets: %s", language.Code, n, words)
		}
	}
}
