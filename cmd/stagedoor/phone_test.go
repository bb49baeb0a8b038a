package main

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"stagedoor/directory/directorytest"
	"stagedoor/gateway/helpdesk"
	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/testbed"
)

// The command line in all its ways: what is understood, what is refused and how.
func TestPhone(t *testing.T) {
	r := newPhoneRig(t, "")
	for _, c := range []struct {
		args, want string // want with "!" in front: the error; with "?": the command line is wrong
	}{
		{`show AMIDO\sara`, "••• 0610, from directory"},
		{`show sara`, "Nothing stands in the way of logging in"},
		{`show AMIDO\sara`, "Sara Åkesson"},
		{`show AMIDO\erik`, "Has no mobile number"},
		{`show AMIDO\erik`, `stagedoor phone set 'AMIDO\erik' NUMBER`},
		{`show AMIDO\nobody`, "!the directory has no account"},
		{`show AMIDOsara`, "!in quotes"},
		{`history AMIDO\sara`, "nothing has been done"},
		{`verify AMIDO\sara`, "?write why"},
		{`--why !! verify AMIDO\sara`, "!write why"},
		{`--reason asked-in-person verify AMIDO\sara`, "is confirmed"},
		{`--why asked-in-person set AMIDO\sara 08-465`, "!no mobile number"},
		{`--why asked-in-person set AMIDO\sara 070-174-06-10`, "!the number already"},
		{`set --why lost-her-phone AMIDO\sara 070-174-06-33`, "+46701740633 from now on"},
		{`show AMIDO\sara`, "••• 0633, from verified, verified (cli)"},
		{`history AMIDO\sara`, "  lost-her-phone"},
		{`set AMIDO\erik 070-174-06-34 --why lost-her-phone`, "+46701740634 from now on"},
		{`withdraw AMIDO\sara --why asked`, "!there is nothing of that"},
		{`unfreeze AMIDO\sara --why asked`, "!there is nothing of that"},
		{`clear AMIDO\sara sends --why asked`, "messages of the last hour and day"},
		{`clear AMIDO\sara everything --why asked`, `?"everything" is none of codes`},
		{`factors AMIDO\sara`, "a second factor is required; allowed: code by text message"},
		{`remove AMIDO\sara key --why asked`, `!has no "key"`},
		{`remove AMIDO\sara backup --why asked`, "!there is none"},
		{`remove AMIDO\sara browsers --why asked`, "!there is none"},
		{`remove AMIDO\sara --why asked`, "?remove: what?"},
		{`set AMIDO\sara --why asked`, "?NUMBER is missing"},
		{`set AMIDO\sara 070-174 06 33 --why asked`, `?unexpected argument "06"`},
		{`show`, "?whom?"}, {`sing AMIDO\sara`, `?no verb "sing"`}, {``, "?a verb is missing"}, {`--loud show`, "?-loud"},
		{`--help`, "take all authenticator apps"},
	} {
		out, err := r.phone(strings.Fields(c.args)...)
		want, refused := strings.CutPrefix(c.want, "!")
		want, misused := strings.CutPrefix(want, "?")
		said := out
		if err != nil {
			said = err.Error()
		}
		var usage usageError
		if (err != nil) != (refused || misused) || errors.As(err, &usage) != misused || !strings.Contains(said, want) {
			t.Errorf("phone %s: %v, %s; want %q", c.args, err, out, c.want)
		}
		if strings.ContainsFunc(out, func(r rune) bool { return r < ' ' && r != '\n' }) {
			t.Errorf("phone %s: escapes or tabs in %q", c.args, out)
		}
	}
	events, err := r.db.Events(t.Context(), store.EventFilter{Kind: "phone-change", Result: "ok"})
	if err != nil || len(events) != 2 || events[0].Name != operator() || !strings.HasPrefix(operator(), "cli:") || events[1].Detail["why"] != "lost-her-phone" {
		t.Errorf("the record: %+v, %v", events, err)
	}
}

// An administrator who has typed a hundred wrong codes cannot log in, and no
// colleague can help: the command line on the server does.
func TestPhoneLetsLockedOutAdministratorIn(t *testing.T) {
	r := newPhoneRig(t, "")
	r.serve()
	sara := r.id("sara")
	if at, _ := r.visitor().logIn(`AMIDO\sara`, "Sommar-2026"); at != "/" {
		t.Fatalf("before anything was wrong she comes to %s", at)
	}
	r.wrongCodes(sara, 100)
	at, body := r.visitor().logIn(`AMIDO\sara`, "Sommar-2026")
	if at != "/code" || !strings.Contains(body, "spärrat efter för många fel koder") || len(r.takeTexts()) != 0 {
		t.Fatalf("locked, she comes to %s:\n%s", at, body)
	}
	r.says([]string{"show", `AMIDO\sara`}, "In the way\n  Far too many wrong codes: held until somebody lifts it\n",
		`-> stagedoor phone clear 'AMIDO\sara' --why TEXT`, "100 in a row: held until somebody lifts it")
	if _, err := r.phone("clear", `AMIDO\sara`); err == nil {
		t.Error("cleared without a reason")
	}
	r.says([]string{"clear", `AMIDO\sara`, "--why", "ringde från jouren"}, "wrong codes are forgotten", "Nothing stands in the way")
	if at, body := r.visitor().logIn(`AMIDO\sara`, "Sommar-2026"); at != "/" {
		t.Errorf("after clear she comes to %s:\n%s", at, body)
	}
	for _, kind := range []string{"helpdesk-clear-codes", "helpdesk-clear-sends", "helpdesk-clear-password"} {
		events, err := r.db.Events(t.Context(), store.EventFilter{Name: `AMIDO\sara`, Kind: kind})
		if err != nil || len(events) != 2 || events[0].Result != "ok" || events[1].Result != "begun" || events[0].Name != operator() ||
			events[0].Address != "cli" || events[0].Detail["why"] != "ringde från jouren" {
			t.Errorf("%s: %+v, %v", kind, events, err)
		}
	}
}

// What an address is held for is everybody's: it is shown, and lifted only by name.
func TestPhoneLiftsAddress(t *testing.T) {
	r := newPhoneRig(t, "")
	const held = "address:192.0.2.7"
	for range 60 {
		_, _, err := r.db.Take(t.Context(), held, 60, time.Hour)
		r.must(err)
	}
	_, err := r.db.AppendEvent(t.Context(), store.Event{Kind: "login", Result: "refused", Reason: "address-throttled", Name: `AMIDO\sara`, Address: "192.0.2.7"})
	r.must(err)
	r.says([]string{"show", `AMIDO\sara`}, "No passwords are tried from the address 192.0.2.7 before", `-> stagedoor phone clear 'AMIDO\sara' addresses --why TEXT`,
		"60 wrong passwords from there: held until", "0 of 10 in 24 hours")
	r.says([]string{"clear", `AMIDO\sara`, "--why", "ringde"}, "No passwords are tried from the address 192.0.2.7")
	r.says([]string{"clear", `AMIDO\sara`, "addresses", "--why", "sitter på kontoret"}, "for everybody behind them", "Nothing stands in the way")
	if tries, _, err := r.db.Tries(t.Context(), held); err != nil || tries != 0 {
		t.Errorf("%d tries are left, %v", tries, err)
	}
	if _, err := r.phone("clear", `AMIDO\sara`, "addresses", "--why", "sitter på kontoret"); err == nil {
		t.Error("nothing was held, and it was lifted")
	}
}

// Each lock by itself: wrong passwords and messages of the portal, the
// directory's own.
func TestPhoneLiftsEachLock(t *testing.T) {
	r := newPhoneRig(t, "codes: {per_hour: 1}\n")
	r.serve()
	sara, ctx := r.id("sara"), t.Context()
	if at, _ := r.visitor().logIn(`AMIDO\sara`, "Sommar-2026"); at != "/" {
		t.Fatal(at)
	}
	r.wrongCodes(sara, 10)
	for range 5 {
		_, _, err := r.db.Take(ctx, "login:"+sara, 5, time.Hour)
		r.must(err)
	}
	r.must(r.people.Update("sara", func(u *directorytest.User) { u.Locked = true }))
	r.says([]string{"show", `AMIDO\sara`}, "The account is locked in the directory", `phone unlock 'AMIDO\sara'`,
		"Too many wrong passwords here", "5 of ", "No more codes can be sent before", "messages                   held until ", "10 in a row")
	r.says([]string{"unlock", `AMIDO\sara`, "--why", "semester"}, "is not locked in the directory any more", "Too many wrong passwords here")
	r.says([]string{"clear", `AMIDO\sara`, "passwords", "--why", "semester"}, "wrong passwords are forgotten", "No more codes can be sent")
	if at, _ := r.visitor().logIn(`AMIDO\sara`, "Sommar-2026"); at != "/code" || len(r.takeTexts()) != 0 {
		t.Errorf("with the hour's messages used up: %s", at)
	}
	// Of another account too, which shares the number.
	_, err := r.db.ClaimSend(ctx, store.Send{ID: "other", AccountID: "other", Phone: "+46701740610", Country: "SE", At: time.Now()}, store.SendLimits{PerPrefix: -1, Total: -1})
	r.must(err)
	out := r.says([]string{"clear", `AMIDO\sara`, "sends", "--why", "semester"}, "messages of the last hour")
	if strings.Contains(out, "wrong codes are forgotten") {
		t.Errorf("more was lifted than asked for:\n%s", out)
	}
	if lock, err := r.db.CodeLock(ctx, sara); err != nil || lock.Wrong != 10 {
		t.Errorf("wrong codes: %+v, %v", lock, err)
	}
	if at, _ := r.visitor().logIn(`AMIDO\sara`, "Sommar-2026"); at != "/" {
		t.Errorf("after all that: %s", at)
	}
}

// Who may enrol a number themselves is not in need of one; a rule that waits is told.
func TestPhoneShowsWhatLoginWouldSay(t *testing.T) {
	r := newPhoneRig(t, "phones: {enrol: self}\nfactors:\n  - {groups: ['AMIDO\\Portal-Admins'], allowed: [app], from: '2999-01-01'}\n")
	r.serve()
	if out := r.says([]string{"show", `AMIDO\erik`}, "Must set up a second factor at login"); strings.Contains(out, "Has no mobile number") {
		t.Errorf("%s", out)
	}
	r.says([]string{"factors", `AMIDO\sara`},
		"a second factor is required (from 2999-01-01 one of these is required: authenticator app); allowed: authenticator app, code by text message")
}

// An administrator whose only factor is a lost app, where codes by SMS are not
// allowed: remove it, let them in once, and they set up a new one.
func TestPhoneReplacesLostApp(t *testing.T) {
	r := newPhoneRig(t, "factors:\n  - {allowed: [app, key, backup]}\n")
	r.serve()
	sara, ctx := r.id("sara"), t.Context()
	for _, f := range []store.Factor{{ID: "APP1", Kind: "app", Name: "Mobilen på Åre"}, {ID: "KEY1", Kind: "key", Name: "blå"}, {ID: "KEY2", Kind: "key", Name: "röd"}} {
		f.AccountID, f.Secret, f.AddedAt = sara, "00", time.Now()
		_, err := r.db.AddFactor(ctx, f, 5, store.Trace{})
		r.must(err)
	}
	r.must(r.db.PutFactorCodes(ctx, sara, "backup", []store.FactorCode{{Hash: "h1"}, {Hash: "h2"}}, time.Now(), store.Trace{}))
	r.must(r.db.AddDevice(ctx, store.Device{ID: "D1", AccountID: sara, UserAgent: "Firefox \x1b[2J", CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}, 5, store.Trace{}))
	out := r.says([]string{"factors", `AMIDO\sara`}, "required", "authenticator app   APP1      Mobilen på Åre", "KEY2", "2 left", `"Firefox \x1b[2J"`)
	if strings.Contains(out, "\x1b") {
		t.Errorf("escapes reach the terminal: %q", out)
	}
	r.says([]string{"remove", `AMIDO\sara`, "browsers", "--why", "tappat telefonen"}, "not remembered any more")
	r.says([]string{"remove", `AMIDO\sara`, "key2", "app", "backup", "--why", "tappat telefonen"}, "security key röd is removed",
		"authenticator app Mobilen på Åre is removed", "printed codes of AMIDO\\sara are void", "the person is told: ••• 0610\n", "sends that within half a minute")
	r.says([]string{"show", `AMIDO\sara`}, "Nothing stands in the way", "KEY1")
	r.says([]string{"remove", `AMIDO\sara`, "key", "--why", "tappat telefonen"}, "Has no second factor, and one is required", `stagedoor phone bypass 'AMIDO\sara'`)
	if at, _ := r.visitor().logIn(`AMIDO\sara`, "Sommar-2026"); at != "/code" {
		t.Fatalf("without any factor she comes to %s", at)
	}
	out = r.says([]string{"bypass", `AMIDO\sara`, "--why", "legitimerade sig"}, "once, until")
	code := regexp.MustCompile(`^[0-9A-Z]{5}-[0-9A-Z]{5}\n`).FindString(out)
	v := r.visitor()
	v.logIn(`AMIDO\sara`, "Sommar-2026")
	if at, body := v.post("/code/backup", url.Values{"code": {strings.TrimSpace(code)}}); at != "/enrol" {
		t.Errorf("the code %q leads to %s:\n%s", code, at, body)
	}
	again := r.visitor()
	again.logIn(`AMIDO\sara`, "Sommar-2026")
	if at, _ := again.post("/code/backup", url.Values{"code": {strings.TrimSpace(code)}}); at != "/code/backup" {
		t.Errorf("a second time it leads to %s", at)
	}
	var removed []string
	events, err := r.db.Events(ctx, store.EventFilter{Name: `AMIDO\sara`, Kind: "factor-remove", Result: "ok"})
	r.must(err)
	for _, e := range events {
		removed = append(removed, e.Detail["factor"]+" "+e.Detail["name"]+" "+e.Name)
	}
	if want := "key blå|backup |app Mobilen på Åre|key röd|"; strings.ReplaceAll(strings.Join(removed, "|")+"|", " "+operator(), "") != want {
		t.Errorf("audited: %q", removed)
	}
	events, err = r.db.Events(ctx, store.EventFilter{Kind: "helpdesk-bypass", Result: "ok"})
	if err != nil || len(events) != 1 || events[0].Detail["verified"] != "server" || strings.Contains(events[0].Detail["why"], code) {
		t.Errorf("bypass: %+v, %v", events, err)
	}
}

// A change of helpdesk's that waits is withdrawn; what a person has stopped is
// allowed again, and meanwhile show says so.
func TestPhoneAfterHelpdesksChange(t *testing.T) {
	r := newPhoneRig(t, "")
	r.says([]string{"set", `AMIDO\erik`, "070-174 06 34", "--why", "första numret"}, "+46701740634 from now on")
	config, err := loadConfig(r.config, nil)
	r.must(err)
	desk, err := openDesk(t.Context(), config, &bytes.Buffer{})
	r.must(err)
	t.Cleanup(desk.close)
	agent := helpdesk.Agent{AccountID: "11111111-2222-3333-4444-555555555555", Name: `AMIDO\hanna`}
	change := func(number string) otp.Change {
		t.Helper()
		change, err := desk.CorrectNumber(t.Context(), agent, r.id("erik"), number, "bytt telefon")
		r.must(err)
		return change
	}
	change("070-174 06 35")
	r.says([]string{"show", `AMIDO\erik`}, "waiting: ••• 0635, asked for by AMIDO\\hanna", `stagedoor phone withdraw 'AMIDO\erik'`)
	if _, err := r.phone("set", `AMIDO\erik`, "070-174 06 36", "--why", "bråttom"); err == nil || !strings.Contains(err.Error(), "withdraw comes first") {
		t.Errorf("set while a change waits: %v", err)
	}
	r.says([]string{"withdraw", `AMIDO\erik`, "--why", "fel nummer"}, "is withdrawn")
	stopped := change("070-174 06 36")
	_, token, _ := strings.Cut(desk.portal.Notices.FreezeLink(stopped.ID), "?t=")
	_, err = desk.Numbers.Freeze(t.Context(), stopped.ID, token, "192.0.2.1", nil)
	r.must(err)
	r.says([]string{"show", `AMIDO\erik`}, "The person has stopped a change of number", `stagedoor phone unfreeze 'AMIDO\erik'`, "••• 0634")
	r.says([]string{"unfreeze", `AMIDO\erik`, "--why", "pratat med honom"}, "can be changed again")
	if out := r.says([]string{"show", `AMIDO\erik`}); strings.Contains(out, "stopped") || strings.Contains(out, "waiting") {
		t.Errorf("it goes on:\n%s", out)
	}
	r.says([]string{"history", `AMIDO\erik`}, "unfrozen", "cancelled", "pratat med honom", `AMIDO\hanna`)
}

// queued are the notices that wait, and to whom they go.
func (r *phoneRig) queued() map[string]string {
	r.t.Helper()
	found := map[string]string{}
	for {
		n, err := r.db.LeaseNotice(r.t.Context(), "test", time.Now(), time.Now().Add(time.Hour))
		if errors.Is(err, store.ErrNotFound) {
			return found
		}
		r.must(err)
		found[n.Channel+" "+n.Recipient] = n.Name + " " + n.Key
	}
}

// The old number, the new one and the mail address are told. Where a portal runs
// it sends that; where none does, the command.
func TestPhoneTells(t *testing.T) {
	testbed.Need(t, "smtp")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := testbed.StartSMTP(ctx, testbed.SMTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	r := newPhoneRig(t, "mail: {server: '"+server.Address+"', tls: none, from: Backstage <backstage@amido.example>}\n")

	r.must(r.db.NoteNode(ctx, store.Node{ID: "n", Host: "åre-1", StartedAt: time.Now()}))
	r.says([]string{"set", `AMIDO\sara`, "070-174 06 33", "--why", "ny telefon"}, "the person is told: s•••@amido.example, ••• 0610, ••• 0633\n",
		"the portal on åre-1 sends that within half a minute")
	queued := r.queued()
	for _, to := range []string{"sms +46701740610", "sms +46701740633", "mail sara@amido.example"} {
		if queued[to] != `AMIDO\sara phone.notice.changed` {
			t.Errorf("%s is told %q: %v", to, queued[to], queued)
		}
	}
	if texts := r.takeTexts(); len(queued) != 3 || len(texts) != 0 {
		t.Errorf("queued %v, sent %v", queued, texts)
	}

	r.must(r.db.NoteNode(ctx, store.Node{ID: "n", Host: "åre-1", StartedAt: time.Now(), StoppedAt: time.Now()}))
	r.says([]string{"set", `AMIDO\sara`, "070-174 06 34", "--why", "ännu en telefon"}, "no portal runs on this database: sent from here: 3\n")
	told := map[string]bool{}
	for _, text := range r.takeTexts() {
		told[text.Get("to")] = strings.Contains(text.Get("text"), "/freeze/")
	}
	state, err := server.State(ctx, "mails=1")
	if err != nil || len(state.Mails) != 1 {
		t.Fatalf("%+v, %v", state, err)
	}
	mail, err := state.Mails[0].Read()
	if err != nil || state.Mails[0].To[0] != "sara@amido.example" || !strings.Contains(mail.Text, "/freeze/") || !strings.Contains(mail.Text, "34") {
		t.Errorf("mail: %+v, %v", mail, err)
	}
	if len(told) != 2 || !told["+46701740633"] || !told["+46701740634"] {
		t.Errorf("told: %v", told)
	}

	r.must(server.SetMode(ctx, testbed.SMTPMode{Connect: 421}))
	r.says([]string{"set", `AMIDO\sara`, "070-174 06 35", "--why", "ännu en telefon"}, "sent from here: 2\n", "not sent, and tried again when the portal runs, for 24 hours: ")
}

// Over SMPP too the command sends by itself: it binds, hands over and unbinds.
func TestPhoneTellsOverSMPP(t *testing.T) {
	testbed.Need(t, "smsc")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	smsc, err := testbed.StartSMSC(ctx, testbed.Certificate{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = smsc.Stop() })
	r := newPhoneRig(t, "")
	text, _, _ := strings.Cut(readFile(t, r.config), "sms:\n")
	text += "sms:\n  senders:\n    - {name: operator, kind: smpp, smpp: {server: '" + smsc.Address + "', system_id: " + smsc.SystemID + ", source: Backstage}}\n"
	writeFile(t, r.config, text, 0o600)
	r.environ = []string{"STAGEDOOR_SMS__SENDERS__OPERATOR__PASSWORD=" + smsc.Password}
	r.says([]string{"set", `AMIDO\sara`, "070-174 06 33", "--why", "ny telefon"}, "sent from here: 2\n")
	state, err := smsc.State(ctx, "messages=2&unbinds=1")
	if err != nil || len(state.Messages) != 2 {
		t.Errorf("%+v, %v", state, err)
	}
}
