package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/gateway"
	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/testbed"
)

const receiptSecret = "a-secret-of-receipts"

// posted is a bench whose codes go through a provider over HTTP: by 46elks, and
// where that refuses, by Twilio.
type posted struct {
	*bench
	elks, twilio *testbed.SMSProvider
	ways         []otp.Way
}

func openPosted(t *testing.T, change ...func(*gateway.Settings)) *posted {
	t.Helper()
	p := &posted{bench: open(t, func(s *gateway.Settings) {
		for _, c := range change {
			c(s)
		}
	})}
	var err error
	p.elks, err = testbed.StartSMSProvider()
	p.must(err)
	p.twilio, err = testbed.StartSMSProvider()
	p.must(err)
	t.Cleanup(func() { p.must(p.elks.Stop()); p.must(p.twilio.Stop()) })
	states := func(sender, auth, secret, id, status, reason string) *otp.ReceiptReader {
		reader, err := otp.NewReceiptReader(otp.ReceiptConfig{Sender: sender, Auth: auth, Secret: secret, Address: p.server.URL + "/receipt/" + sender,
			ID: id, Status: status, Reason: reason, Delivered: []string{"delivered"}, Failed: []string{"failed", "undelivered"}})
		p.must(err)
		return reader
	}
	p.portal.Receipts = map[string]*otp.ReceiptReader{
		"elks":   states("elks", "query-secret", receiptSecret, "id", "status", ""),
		"twilio": states("twilio", "twilio", p.twilio.Password, "MessageSid", "MessageStatus", "ErrorCode"),
	}
	elks, err := otp.NewHTTPSender(otp.HTTPConfig{Name: "elks", URL: p.elks.ElksURL, Username: p.elks.Username, Password: p.elks.Password,
		Body:     "from=Backstage&to={{urlquery .To}}&message={{urlquery .Text}}&whendelivered={{urlquery .Callback}}",
		Callback: p.portal.Receipts["elks"].Callback(), CallbackSecret: receiptSecret,
		Success: otp.HTTPSuccess{JSONPath: "status", Equals: []string{"created"}}, Reference: "id"})
	p.must(err)
	twilio, err := otp.NewHTTPSender(otp.HTTPConfig{Name: "twilio", URL: p.twilio.TwilioURL, Username: p.twilio.Username, Password: p.twilio.Password,
		Body:     "From=Backstage&To={{urlquery .To}}&Body={{urlquery .Text}}&StatusCallback={{urlquery .Callback}}",
		Callback: p.portal.Receipts["twilio"].Callback(), Reference: "sid"})
	p.must(err)
	p.ways = []otp.Way{{Sender: elks}, {Sender: twilio}}
	p.waitFor(10 * time.Second)
	return p
}

// waitFor is how long the portal waits for a provider.
func (p *posted) waitFor(timeout time.Duration) {
	p.t.Helper()
	route, err := otp.NewRoute(otp.RouteSettings{Timeout: timeout, Now: p.clock.Now}, p.ways...)
	p.must(err)
	p.codes.Sender = route
}

func (p *posted) message(from *testbed.SMSProvider) testbed.SMS {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	sms, err := from.WaitMessage(ctx)
	p.must(err)
	return sms
}

// way is what the code page's script is told.
func (b *browser) way() (lines []string, final bool, resendIn int) {
	b.t.Helper()
	return b.wayAt("/code/way")
}

func (b *browser) wayAt(path string) (lines []string, final bool, resendIn int) {
	b.t.Helper()
	got := b.get(path)
	var way struct {
		Lines    []string `json:"lines"`
		Final    bool     `json:"final"`
		ResendIn int      `json:"resend_in"`
	}
	if err := json.Unmarshal([]byte(got.body), &way); err != nil || got.status != http.StatusOK {
		b.t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	return way.Lines, way.Final, way.ResendIn
}

func wantStatus(t *testing.T, want int) func(int, error) {
	return func(status int, err error) {
		t.Helper()
		if status != want || err != nil {
			t.Errorf("the receipt was answered with %d, %v; want %d", status, err, want)
		}
	}
}

// The person sees where the code is: handed over, delivered.
func TestWayOfACode(t *testing.T) {
	p := openPosted(t)
	cecilia := p.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "Sms:et lämnades till operatören kl.", `role="status"`, "data-open")
	sms := p.message(p.elks)
	if lines, final, resendIn := cecilia.way(); len(lines) != 1 || final || resendIn != 30 {
		t.Errorf("%q, %v, %d", lines, final, resendIn)
	}
	// Still on its way, somebody else's word, and then that it has arrived; twice,
	// and in the end something that comes too late.
	wantStatus(t, 204)(p.elks.Receipt(t.Context(), sms, "sent", ""))
	wantStatus(t, 403)(p.elks.ForgedReceipt(t.Context(), sms, "failed"))
	if lines, _, _ := cecilia.way(); len(lines) != 1 {
		t.Errorf("%q", lines)
	}
	for _, status := range []string{"delivered", "delivered", "failed"} {
		wantStatus(t, 204)(p.elks.Receipt(t.Context(), sms, status, ""))
		lines, final, _ := cecilia.way()
		if len(lines) != 2 || !strings.HasPrefix(lines[1], "Sms:et kom fram till telefonen kl.") || !final {
			t.Errorf("%s: %q, %v", status, lines, final)
		}
	}
	cecilia.get("/code").shows(t, 200, "/code", "Sms:et kom fram till telefonen kl.")
	if got := cecilia.get("/code"); strings.Contains(got.body, "data-open") || strings.Contains(got.body, ">elks") {
		t.Error("the page asks on, or names the provider")
	}
	cecilia.post("/code", "code", sixDigits.FindString(sms.Text)).shows(t, 200, "/")
	if got := cecilia.get("/code/way"); got.status != http.StatusUnauthorized {
		t.Errorf("after the login: %d", got.status)
	}
	if !slices.Contains(p.events(), "receipt refused forged") {
		t.Errorf("events %q", p.events())
	}
	if strings.Contains(p.log.String(), receiptSecret) {
		t.Error("the log holds the secret of the receipts")
	}
}

// A code that does not arrive: why, what to do, and at once another one.
func TestUndeliveredCode(t *testing.T) {
	p := openPosted(t)
	p.elks.SetMode(testbed.SMSRefuse)
	cecilia := p.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "Sms:et lämnades till operatören kl.")
	sms := p.message(p.twilio)
	wantStatus(t, 403)(p.twilio.ForgedReceipt(t.Context(), sms, "delivered"))
	cecilia.post("/code/resend").shows(t, http.StatusTooManyRequests, "/code/resend")
	wantStatus(t, 204)(p.twilio.Receipt(t.Context(), sms, "undelivered", "30003"))
	cecilia.get("/code").shows(t, 200, "/code", "Sms:et kom inte fram.", "Telefonen verkar vara avstängd eller sakna täckning.",
		"Du kan skicka sms:et igen. Kontakta Amido", `data-resend-in="0"`)
	if lines, final, resendIn := cecilia.way(); len(lines) != 4 || !final || resendIn != 0 {
		t.Errorf("%q, %v, %d", lines, final, resendIn)
	}
	p.clock.advance(time.Second)
	cecilia.post("/code/resend").shows(t, 200, "/code?resent")
	again := p.message(p.twilio)
	cecilia.post("/code", "code", sixDigits.FindString(again.Text)).shows(t, 200, "/")
	events, err := p.store.Events(t.Context(), store.EventFilter{Kind: "code-sent"})
	p.must(err)
	records, err := p.store.SendsOf(t.Context(), events[0].AccountID, 10)
	p.must(err)
	if len(records) != 2 || records[0].Sender != "twilio" || records[1].State != store.SendUndelivered || records[1].Reason != "undelivered 30003" ||
		records[1].Reference != sms.ID || records[1].Country != "SE" || records[1].Purpose != "login" {
		t.Errorf("the helpdesk sees %+v", records)
	}
}

// A provider may repeat the message in its receipt: nobody who helps is to read
// the code there, nor is it in the database or the log.
func TestReceiptThatRepeatsTheCode(t *testing.T) {
	p := openPosted(t, withDesk)
	p.elks.SetMode(testbed.SMSRefuse)
	hanna := p.browser()
	hanna.login(`AMIDO\hanna`, goodPassword).shows(t, 200, "/code")
	hanna.post("/code", "code", sixDigits.FindString(p.message(p.twilio).Text)).shows(t, 200, "/")
	path := hanna.personPath("cecilia")
	id := strings.TrimPrefix(path, "/helpdesk/person/")
	cecilia := p.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	for i, c := range []struct{ before, after, want string }{
		{"id:7 sub:001 dlvrd:000 submit date:2611220700 done date:2611220701 stat:EXPIRED err:027 text:", "", "undelivered expired, error 027"},
		{"Message '", "' looks like spam", "undelivered Message '###### är din "},
	} {
		if i > 0 {
			p.clock.advance(time.Second)
			cecilia.post("/code/resend").shows(t, 200, "/code?resent")
		}
		sms := p.message(p.twilio)
		code := sixDigits.FindString(sms.Text)
		wantStatus(t, 204)(p.twilio.Receipt(t.Context(), sms, "undelivered", c.before+string([]rune(sms.Text)[:20])+c.after))
		records, err := p.store.SendsOf(t.Context(), id, 1)
		p.must(err)
		if len(records) != 1 || code == "" || !strings.HasPrefix(records[0].Reason, c.want) || strings.Contains(records[0].Reason, code) {
			t.Errorf("the database has %+v; want %q", records, c.want)
		}
		for _, page := range []answer{hanna.get(path), cecilia.get("/code")} {
			if strings.Contains(page.body, code) || strings.Contains(p.log.String(), code) {
				t.Errorf("%s or the log has the code: %s", page.path, excerpt(page.body))
			}
		}
	}
	hanna.get(path).shows(t, 200, path, "undelivered expired, error 027", "Message &#39;###### är din ")
}

// The same where a change of number waits for a code, from the old number and
// from the new one; each page tells of its own code alone.
func TestWayOfAPhoneCode(t *testing.T) {
	p := openPosted(t)
	cecilia := p.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	cecilia.post("/code", "code", sixDigits.FindString(p.message(p.elks).Text)).shows(t, 200, "/")
	if lines, final, _ := cecilia.wayAt("/phone/way"); len(lines) != 0 || !final {
		t.Errorf("before a code was asked for: %q, %v", lines, final)
	}
	cecilia.get("/phone").shows(t, 200, "/phone", `value="old"`)
	p.clock.advance(time.Minute)
	cecilia.post("/phone", "act", "old").shows(t, 200, "/phone", "nuvarande nummer", "Sms:et lämnades till operatören kl.", `data-open="/phone/way"`, `role="status"`)
	sms := p.message(p.elks)
	if lines, final, resendIn := cecilia.wayAt("/phone/way"); len(lines) != 1 || final || resendIn != 60 {
		t.Errorf("%q, %v, %d", lines, final, resendIn)
	}
	wantStatus(t, 204)(p.elks.Receipt(t.Context(), sms, "delivered", ""))
	if lines, final, _ := cecilia.wayAt("/phone/way"); len(lines) != 2 || !strings.HasPrefix(lines[1], "Sms:et kom fram till telefonen kl.") || !final {
		t.Errorf("%q, %v", lines, final)
	}
	if page := cecilia.get("/phone"); !strings.Contains(page.body, "Sms:et kom fram till telefonen kl.") || strings.Contains(page.body, "data-open") {
		t.Error("without the script the page does not tell, or asks on")
	}
	cecilia.post("/phone", "act", "code", "code", sixDigits.FindString(sms.Text)).shows(t, 200, "/phone", `name="number"`)
	if lines, _, _ := cecilia.wayAt("/phone/way"); len(lines) != 0 {
		t.Errorf("the old number's code is used, and its way is %q", lines)
	}
	p.clock.advance(3 * time.Minute)
	cecilia.post("/phone", "act", "number", "country", "SE", "number", "0701740699").shows(t, 200, "/phone", "•• 99", "Sms:et lämnades till operatören kl.")
	sms = p.message(p.elks)
	wantStatus(t, 204)(p.elks.Receipt(t.Context(), sms, "failed", ""))
	cecilia.get("/phone").shows(t, 200, "/phone", "Sms:et kom inte fram.", "Du kan skicka sms:et igen.", `data-resend-in="0"`)
	if other := p.browser().get("/phone/way"); other.status != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", other.status)
	}
}

// And on the way in of somebody who enrols their first number.
func TestWayOfAnEnrolmentCode(t *testing.T) {
	p := openPosted(t, selfEnrol)
	erik := p.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/phone")
	erik.post("/phone", "act", "number", "country", "SE", "number", "0701740699").shows(t, 200, "/phone", "Sms:et lämnades till operatören kl.", `data-open="/phone/way"`)
	wantStatus(t, 204)(p.elks.Receipt(t.Context(), p.message(p.elks), "delivered", ""))
	if lines, final, _ := erik.wayAt("/phone/way"); len(lines) != 2 || !final {
		t.Errorf("%q, %v", lines, final)
	}
	if lines, _, _ := erik.wayAt("/phone/way?lang=en"); len(lines) != 2 || !strings.HasPrefix(lines[1], "The text message reached the phone at") {
		t.Errorf("%q", lines)
	}
}

// failing is a sender that takes nothing, and says why.
type failing struct{ err error }

func (failing) Name() string                 { return "failing" }
func (failing) Check(context.Context) error  { return nil }
func (f failing) Carries(m otp.Message) bool { return true }
func (f failing) Send(context.Context, otp.Message) (otp.Receipt, error) {
	return otp.Receipt{}, f.err
}

// Why a code was not handed over, in plain words and never in the provider's.
func TestWhyACodeWasNotSent(t *testing.T) {
	const raw = "Konto 4711 saknar pengar"
	for _, test := range []struct {
		name    string
		err     error
		sv, en  string
		mail    string
		contact bool
	}{
		{"refused", fmt.Errorf("%w: answered status 402: %s", otp.ErrRefused, raw),
			"Sms-tjänsten tog inte emot sms:et kl.", "The SMS service did not accept the text message at", "E-postservern tog inte emot e-posten kl.", false},
		{"no answer", fmt.Errorf("%w: dial tcp 192.0.2.1:443: connection refused: %s", otp.ErrNotAccepted, raw),
			"Sms-tjänsten svarade inte kl.", "The SMS service did not answer at", "E-postservern svarade inte kl.", false},
		{"no such number", fmt.Errorf("%w: answered status 400: code 21211 %s", otp.ErrRefused, raw),
			"att numret inte kan ta emot sms.", "that the number cannot receive text messages.", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, _ := withMail(t, smsAndMail)
			b.codes.Sender = failing{test.err}
			says := func(page answer, text string) {
				t.Helper()
				page.shows(t, 200, page.path, text, `id="fault"`)
				if strings.Contains(page.body, raw) || strings.Contains(page.body, "data-open") {
					t.Error("the page has the provider's text, or asks on")
				}
				if contact := strings.Contains(page.body, "rätt nummer blir inskrivet"); contact != test.contact && test.mail == "" {
					t.Errorf("contact: %v", contact)
				}
			}
			cecilia := b.browser()
			says(cecilia.login(`AMIDO\cecilia`, goodPassword), test.sv)
			if lines, final, _ := cecilia.wayAt("/code/way?lang=en"); len(lines) == 0 || !strings.Contains(lines[0], test.en) || !final {
				t.Errorf("%q, %v", lines, final)
			}
			if test.mail != "" {
				erik := b.browser()
				says(erik.login(`AMIDO\erik`, goodPassword), test.mail)
			}
			b.clock.advance(time.Minute)
			b.codes.Sender = b.outbox
			ready := b.browser()
			ready.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
			ready.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/")
			b.clock.advance(3 * time.Minute)
			b.codes.Sender = failing{test.err}
			says(ready.post("/phone", "act", "old"), test.sv)
		})
	}
}

// Real providers that both refuse.
func TestEveryProviderRefuses(t *testing.T) {
	p := openPosted(t)
	p.elks.SetMode(testbed.SMSTooMany)
	p.twilio.SetMode(testbed.SMSRefuse)
	page := p.browser().login(`AMIDO\cecilia`, goodPassword)
	page.shows(t, 200, "/code", "Sms:et kunde inte skickas.", "Sms-tjänsten tog inte emot sms:et kl.")
	if strings.Contains(page.body, "credits") || strings.Contains(page.body, "Too Many") {
		t.Error("the page has a provider's text")
	}
}

// The receipt of a fast provider is there before its answer to the hand-over.
func TestReceiptBeforeTheAnswer(t *testing.T) {
	p := openPosted(t)
	p.elks.SetMode(testbed.SMSReceiptFirst)
	cecilia := p.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "Sms:et kom fram till telefonen kl.")
}

// Whatever the first provider does, nobody gets two messages.
func TestOneProviderAfterTheOther(t *testing.T) {
	for _, test := range []struct {
		name         string
		mode         testbed.SMSMode
		elks, twilio int // messages taken
		shows        string
	}{
		{"takes it", testbed.SMSTake, 1, 0, "Sms:et lämnades till operatören"},
		{"answers twice", testbed.SMSTwice, 1, 0, "Sms:et lämnades till operatören"},
		{"refuses", testbed.SMSRefuse, 0, 1, "Sms:et lämnades till operatören"},
		{"does not know us", testbed.SMSUnauthorized, 0, 1, "Sms:et lämnades till operatören"},
		{"has enough", testbed.SMSTooMany, 0, 1, "Sms:et lämnades till operatören"},
		{"hangs", testbed.SMSHang, 0, 0, "Vi vet inte om operatören tog emot sms:et"},
		{"takes it and hangs", testbed.SMSTakeAndHang, 1, 0, "Vi vet inte om operatören tog emot sms:et"},
		{"200 with an error in the body", testbed.SMSErrorBody, 0, 0, "Vi vet inte om operatören tog emot sms:et"},
		{"sends us elsewhere", testbed.SMSRedirect, 0, 0, "Vi vet inte om operatören tog emot sms:et"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := openPosted(t)
			p.elks.SetMode(test.mode)
			if test.mode == testbed.SMSHang || test.mode == testbed.SMSTakeAndHang {
				p.waitFor(300 * time.Millisecond)
			}
			p.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", test.shows)
			if diff := cmp.Diff([]int{test.elks, test.twilio}, []int{len(p.elks.Messages()), len(p.twilio.Messages())}); diff != "" {
				t.Errorf("messages taken: %s", diff)
			}
		})
	}
}

// Who took it first and then hung is asked no more by the third person after.
func TestAHangingProviderIsPassedOver(t *testing.T) {
	p := openPosted(t)
	p.codes.Cooldowns, p.codes.PerHour = []time.Duration{}, -1
	p.elks.SetMode(testbed.SMSTakeAndHang)
	p.waitFor(300 * time.Millisecond)
	cecilia := p.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword)
	for range 3 {
		cecilia.post("/code/resend")
	}
	if elks, twilio := len(p.elks.Messages()), len(p.twilio.Messages()); elks != 3 || twilio != 1 {
		t.Errorf("%d and %d messages, want 3 and 1", elks, twilio)
	}
	if health := p.codes.Senders(); health[0].Breaker != otp.BreakerOpen || health[1].Breaker != otp.BreakerClosed {
		t.Errorf("health %+v", health)
	}
}

// What strangers send costs little and leaves nothing.
func TestReceiptsOfStrangers(t *testing.T) {
	p := openPosted(t)
	stranger := p.browser()
	form := func(n int) url.Values { return url.Values{"id": {strings.Repeat("x", n)}, "status": {"delivered"}} }
	for _, test := range []struct {
		name, method, path string
		form               url.Values
		want               int
	}{
		{"no such sender", "POST", "/receipt/nobody?secret=" + receiptSecret, form(3), 404},
		{"without the secret", "POST", "/receipt/elks", form(3), 403},
		{"GET without the secret", "GET", "/receipt/elks?id=x&status=delivered", nil, 403},
		{"GET", "GET", "/receipt/elks?id=x&status=delivered&secret=" + receiptSecret, nil, 204},
		{"no id", "POST", "/receipt/elks?secret=" + receiptSecret, form(0), 400},
		{"too large", "POST", "/receipt/elks?secret=" + receiptSecret, form(9 << 10), 413},
		{"a path below", "POST", "/receipt/elks/x?secret=" + receiptSecret, form(3), 404},
	} {
		if got := stranger.do(test.method, test.path, test.form); got.status != test.want {
			t.Errorf("%s: %d, want %d", test.name, got.status, test.want)
		}
	}
	before := len(p.events())
	limited := 0
	for range 700 {
		if got := stranger.do("POST", "/receipt/elks", form(3)); got.status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < 100 || limited > 110 {
		t.Errorf("%d of 700 in a minute were limited", limited)
	}
	if n := len(p.events()) - before; n > 60 {
		t.Errorf("%d of them are in the audit", n)
	}
	if strings.Contains(p.log.String(), receiptSecret) {
		t.Error("the log holds the secret of the receipts")
	}
}

// mailed gives the portal a mail server, a real one.
func (b *bench) mailed() *testbed.SMTP {
	b.t.Helper()
	testbed.Need(b.t, "smtp")
	server, err := testbed.StartSMTP(b.t.Context(), testbed.SMTPOptions{})
	b.must(err)
	b.t.Cleanup(func() { _ = server.Stop() })
	b.portal.Mailer, err = otp.NewMailer(otp.MailerConfig{Server: server.Address, TLS: otp.MailNoTLS, From: "Backstage <backstage@amido.example>"})
	b.must(err)
	return server
}

// A limit against fraud alarms once: in the log, the audit and the metrics.
func TestAlarm(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.AlarmMail = []string{"drift@amido.example", "jour@amido.example"} })
	ada := b.ada()
	ada.get("/admin").shows(t, 200, "/admin", "Ingen spärr håller tillbaka")
	b.codes.Total = 2 // ada has had one
	server := b.mailed()
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	for range 3 {
		b.browser().login(`AMIDO\hanna`, goodPassword).shows(t, 200, "/code", "För många försök.")
	}
	if n := strings.Count(strings.Join(b.events(), "\n"), "alarm error total"); n != 1 {
		t.Errorf("%d alarms in the audit: %q", n, b.events())
	}
	if n := strings.Count(b.log.String(), `"level":"ERROR","msg":"a limit on codes`); n != 1 {
		t.Errorf("%d alarms in the log", n)
	}
	state, err := server.State(t.Context(), "mails=2")
	b.must(err)
	if len(state.Mails) != 2 {
		t.Fatalf("%d mails", len(state.Mails))
	}
	for i, to := range []string{"drift@amido.example", "jour@amido.example"} {
		mail, err := state.Mails[i].Read()
		b.must(err)
		if !slices.Equal(state.Mails[i].To, []string{to}) || !strings.HasPrefix(mail.Subject, "Amido Alliera Backstage: ") ||
			!strings.Contains(mail.Text, "hela portalen") || !strings.Contains(mail.Text, b.server.URL) {
			t.Errorf("to %q: %q, %q", state.Mails[i].To, mail.Subject, mail.Text)
		}
	}
	// A quiet one fills no mailbox; it is in the log and the audit all the same.
	b.must(b.codes.OnAlarm(t.Context(), otp.Alarm{Rule: "prefix", Subject: "+46701234•••", Quiet: true}))
	b.must(b.codes.OnAlarm(t.Context(), otp.Alarm{Rule: "prefix", Subject: "+46709999•••"}))
	state, err = server.State(t.Context(), "mails=4")
	b.must(err)
	for _, one := range state.Mails[2:] {
		if mail, err := one.Read(); err != nil || !strings.Contains(mail.Text, "+46709999•••") {
			t.Errorf("%q, %v", mail.Text, err)
		}
	}
	if all := strings.Join(b.events(), "\n"); strings.Count(all, "alarm error prefix") != 2 || !strings.Contains(b.log.String(), "+46701234•••") {
		t.Errorf("events %s", all)
	}
	alarms, err := b.codes.Alarms(t.Context())
	if diff := cmp.Diff([]otp.Alarm{{Rule: "total", Sent: 2}}, alarms); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
	ada.get("/admin").shows(t, 200, "/admin", "Gränsen för alla koder tillsammans är nådd")
	events, err := b.store.Events(t.Context(), store.EventFilter{Kind: "alarm"})
	if err != nil || len(events) != 3 || events[2].RequestID == "" || events[1].Detail["subject"] != "+46701234•••" {
		t.Errorf("%+v, %v", events, err)
	}
}
