package gateway_test

import (
	"context"
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"stagedoor/directory/directorytest"
	"stagedoor/gateway/factor"
)

// letters are the mails of notices, as the portal hands them over.
type letters struct {
	mu   sync.Mutex
	sent []string // "to: subject: text", the newest last
}

// mailNotices has the bench tell people by mail as well, of whom cecilia has an
// address.
func (b *bench) mailNotices() *letters {
	b.t.Helper()
	l := &letters{}
	b.portal.Notices.Mail = func(_ context.Context, to, subject, text string) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent = append(l.sent, to+": "+subject+": "+text)
		return nil
	}
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Mail = "cecilia@amido.example" }))
	return l
}

func (l *letters) have(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.sent, func(letter string) bool {
		return strings.HasPrefix(letter, "cecilia@amido.example: ") && strings.Contains(letter, text)
	})
}

func (b *bench) texted(text string) bool {
	for _, m := range b.outbox.Messages("+46701740607") {
		if strings.Contains(m.Text, text) {
			return true
		}
	}
	return false
}

// told waits until cecilia has been told by text message and by mail.
func (b *bench) told(l *letters, sms, mail string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	for !b.texted(sms) || !l.have(mail) {
		select {
		case <-ctx.Done():
			b.t.Fatalf("cecilia was told %q by text message: %v; %q by mail: %v", sms, b.texted(sms), mail, l.have(mail))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

var (
	shownBypass = regexp.MustCompile(`<strong class="id">([0-9A-Z]{5}-[0-9A-Z]{5})</strong>`)
	allFactors  = []factor.Kind{factor.SMS, factor.App, factor.Key, factor.Backup}
)

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"

// Whatever is done to somebody's factors, by themselves or by helpdesk, they are
// told by text message and by mail, in words that hold no secret.
func TestFactorNotices(t *testing.T) {
	b := named(t, factor.Rule{Need: factor.Required, Allowed: allFactors, Remember: 30 * 24 * time.Hour})
	mail := b.mailNotices()
	cecilia := b.ready()
	phone := b.scan(cecilia.get("/account/app"))
	cecilia.post("/account/app", "code", phone.code()).shows(t, 200, "/account?saved")
	b.told(mail, "ditt konto har fått ett nytt sätt att logga in: Autentiseringsapp. Var det inte du? Kontakta Amido genast.", `Ett nytt sätt att logga in i Amido Alliera Backstage: Kontot AMIDO\cecilia`)
	key := newPasskey(b)
	cecilia.post("/account/key", "answer", key.make(b.options(cecilia.get("/account/key")))).shows(t, 200, "/account?saved")
	b.told(mail, "ditt konto har fått ett nytt sätt att logga in: Passkey eller säkerhetsnyckel", "har fått ett nytt sätt att logga in: Passkey eller säkerhetsnyckel")
	printed := shownCodes.FindAllStringSubmatch(cecilia.post("/account/backup").body, -1)
	b.told(mail, "ditt konto har fått ett nytt sätt att logga in: Utskriven reservkod", "har fått ett nytt sätt att logga in: Utskriven reservkod")

	hanna, ada := b.as("hanna", "+46701740609"), b.as("ada", "+46701740610") // who removes a factor gives no code on their word
	person := hanna.personPath("cecilia")
	own, err := b.store.Factors(t.Context(), b.accountOf("cecilia"))
	b.must(err)
	id := map[string]string{}
	for _, one := range own {
		id[one.Kind] = one.ID
	}
	hanna.post(person+"/factor-remove", "reason", "tappat mobilen", "factor", id["app"]).shows(t, 200, person+"?done=factor-remove")
	b.told(mail, "ett sätt att logga in är borttaget från ditt konto: Autentiseringsapp. Var det inte du?", `Ett sätt att logga in är borttaget från kontot AMIDO\cecilia i Amido Alliera Backstage: Autentiseringsapp`)
	bypass := shownBypass.FindStringSubmatch(ada.post(person+"/bypass", "reason", "tappat mobilen", "known", "yes").body)[1]
	b.told(mail, "Amido har lämnat ut en tillfällig kod till ditt konto", "Amido har lämnat ut en kod som gäller en gång")

	other := b.browser()
	other.login(`AMIDO\cecilia`, goodPassword)
	other.post("/code/backup", "code", bypass).shows(t, 200, "/")
	b.told(mail, "loggade in på ditt konto med en tillfällig kod från Amido, från adressen 127.0.0.1", "med en tillfällig kod från Amido, från adressen 127.0.0.1")
	third := b.browser()
	third.do("POST", "/login", map[string][]string{"username": {`AMIDO\cecilia`}, "password": {goodPassword}}, "User-Agent", firefox)
	third.post("/code/backup", "code", printed[0][1], "remember", "1").shows(t, 200, "/")
	b.told(mail, "någon använde en av dina utskrivna reservkoder, från adressen 127.0.0.1", `En reservkod till Amido Alliera Backstage är använd: Någon använde en av de utskrivna reservkoderna till kontot AMIDO\cecilia`)
	b.told(mail, "i Firefox på Windows (adress 127.0.0.1) räcker nu ditt lösenord", "räcker lösenordet från och med nu i den här webbläsaren: Firefox på Windows, från adressen 127.0.0.1")
	hanna.post(person+"/end-devices", "reason", "tappat mobilen").shows(t, 200, person+"?done=end-devices")
	b.told(mail, "Amido har glömt alla webbläsare där ditt lösenord räckte", "Amido har glömt alla webbläsare där lösenordet räckte")
	cecilia.post("/account/remove", "id", id["key"]).shows(t, 200, "/account?saved")
	b.told(mail, "ett sätt att logga in är borttaget från ditt konto: Passkey eller säkerhetsnyckel", "Amido Alliera Backstage: Passkey eller säkerhetsnyckel")

	for _, secret := range []string{phone.secret, bypass, printed[0][1], printed[9][1]} {
		if b.texted(secret) || mail.have(secret) || strings.Contains(b.log.String(), secret) {
			t.Errorf("somebody was told %s", secret)
		}
	}
	if _, err := b.store.VerifyEvents(t.Context()); err != nil {
		t.Error(err)
	}
}

// Whom ten notices have reached today is told no more: nothing is added that
// they would not hear of, in words; what takes away goes on.
func TestUntoldIsNotAdded(t *testing.T) {
	b := named(t, factor.Rule{Need: factor.Required, Allowed: allFactors, Remember: time.Hour})
	b.portal.Notices.PerDay = 2
	const words = "så många besked om ditt konto i dag"
	cecilia := b.ready()
	printed := shownCodes.FindAllStringSubmatch(cecilia.post("/account/backup").body, -1)
	phone := b.scan(cecilia.get("/account/app"))
	cecilia.post("/account/app", "code", phone.code()).shows(t, 200, "/account?saved")

	again := b.scan(cecilia.get("/account/app"))
	cecilia.post("/account/app", "code", again.code(), "name", "Den andra").shows(t, 429, "/account/app", words, `value="Den andra"`)
	cecilia.post("/account/key", "answer", newPasskey(b).make(b.options(cecilia.get("/account/key")))).shows(t, 429, "/account/key", words)
	page := cecilia.post("/account/backup")
	page.shows(t, 429, "/account/backup", words, "10 koder är kvar")
	if shownCodes.MatchString(page.body) {
		t.Error("codes are shown that are not good")
	}
	hanna := b.as("hanna", "+46701740609")
	person := hanna.personPath("cecilia")
	page = hanna.post(person+"/bypass", "reason", "tappat mobilen", "known", "yes")
	page.shows(t, 409, person+"/bypass", "Personen har fått för många besked i dag")
	if shownBypass.MatchString(page.body) {
		t.Error("a bypass code is shown")
	}
	own, err := b.store.Factors(t.Context(), b.accountOf("cecilia"))
	if err != nil || len(own) != 1 {
		t.Fatalf("%d factors, %v", len(own), err)
	}

	other := b.browser()
	other.login(`AMIDO\cecilia`, goodPassword)
	other.post("/code/backup", "code", printed[0][1], "remember", "1").shows(t, 200, "/") // the old codes are good, and they are in
	other.post("/logout")
	other.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code/app") // but not remembered
	cecilia.post("/account/remove", "id", own[0].ID).shows(t, 200, "/account?saved")
	if log := b.log.String(); !strings.Contains(log, "the person is not told of all") {
		t.Error("the log does not say that cecilia was not told")
	}
	events := b.events()
	for _, want := range []string{"factor refused too-many", "helpdesk-bypass refused too-many", "device-remember refused too-many", "factor-remove ok"} {
		if !slices.Contains(events, want) {
			t.Errorf("the audit lacks %q: %q", want, events)
		}
	}
}

// What cannot be recorded, or told of, is not done: the factors are as before,
// and the old backup codes are good.
func TestFactorsWithBrokenDatabase(t *testing.T) {
	for _, table := range []string{"audit_events", "notices"} {
		t.Run(table, func(t *testing.T) {
			b := named(t, factor.Rule{Need: factor.Required, Allowed: allFactors})
			cecilia := b.ready()
			printed := shownCodes.FindAllStringSubmatch(cecilia.post("/account/backup").body, -1)
			phone := b.scan(cecilia.get("/account/app"))
			cecilia.post("/account/app", "code", phone.code()).shows(t, 200, "/account?saved")
			second := b.scan(cecilia.get("/account/app"))
			options := b.options(cecilia.get("/account/key"))
			own, err := b.store.Factors(t.Context(), b.accountOf("cecilia"))
			b.must(err)

			mend := b.breakTable(table)
			for _, answer := range []answer{
				cecilia.post("/account/app", "code", second.code()),
				cecilia.post("/account/key", "answer", newPasskey(b).make(options)),
				cecilia.post("/account/backup"),
				cecilia.post("/account/remove", "id", own[0].ID),
			} {
				if answer.status < 500 || shownCodes.MatchString(answer.body) {
					t.Errorf("%d at %s: %s", answer.status, answer.path, excerpt(answer.body))
				}
			}
			mend()
			now, err := b.store.Factors(t.Context(), b.accountOf("cecilia"))
			if err != nil || len(now) != 1 || now[0].ID != own[0].ID {
				t.Errorf("factors: %v, %v", now, err)
			}
			if events := b.events(); strings.Count(strings.Join(events, "\n"), "factor-") != 2 { // the codes and the app of before
				t.Errorf("audit: %q", events)
			}
			other := b.browser()
			other.login(`AMIDO\cecilia`, goodPassword)
			other.post("/code/backup", "code", printed[0][1]).shows(t, 200, "/")
		})
	}
}

// breakTable has every write of a new row into a table fail, until mend.
func (b *bench) breakTable(table string) (mend func()) {
	b.t.Helper()
	return b.breakWrites("INSERT ON "+table, "1")
}

// breakWrites has writes fail ("INSERT ON table", "UPDATE ON table") whose row NEW
// is like that, until mend.
func (b *bench) breakWrites(writes, like string) (mend func()) {
	b.t.Helper()
	run := func(statement string) {
		b.t.Helper()
		db, err := sql.Open("sqlite", "file:"+b.database+"?_busy_timeout=5000")
		b.must(err)
		defer db.Close()
		_, err = db.ExecContext(b.t.Context(), statement)
		b.must(err)
	}
	run(`CREATE TRIGGER broken BEFORE ` + writes + ` WHEN ` + like + ` BEGIN SELECT RAISE(ABORT, 'no room'); END`)
	return func() { b.t.Helper(); run(`DROP TRIGGER broken`) }
}
