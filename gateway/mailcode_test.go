package gateway_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"stagedoor/directory/directorytest"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/testbed"
)

// mailbox carries codes by mail, and keeps them.
type mailbox struct {
	mu   sync.Mutex
	sent []otp.Message
	fail error
}

func (m *mailbox) Name() string                     { return "own-mail" }
func (m *mailbox) Check(context.Context) error      { return nil }
func (m *mailbox) Carries(message otp.Message) bool { return message.To == "" && message.Mail != "" }
func (m *mailbox) newest() otp.Message              { all := m.all(); return all[len(all)-1] }
func (m *mailbox) code(t *testing.T) string         { t.Helper(); return sixDigits.FindString(m.newest().Text) }
func (m *mailbox) all() []otp.Message               { m.mu.Lock(); defer m.mu.Unlock(); return m.sent }

func (m *mailbox) Send(_ context.Context, message otp.Message) (otp.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return otp.Receipt{}, m.fail
	}
	m.sent = append(m.sent, message)
	return otp.Receipt{}, nil
}

// withMail opens a bench whose policy allows some kinds, and where cecilia (who
// has a number) and erik (who has none) have an address.
func withMail(t *testing.T, rule factor.Rule) (*bench, *mailbox) {
	t.Helper()
	b, box := under(t, rule), &mailbox{}
	b.carry(box)
	for _, name := range []string{"cecilia", "erik"} {
		b.must(b.directory.Update(name, func(u *directorytest.User) { u.Mail = name + ".lind@amido.example" }))
	}
	return b, box
}

// carry has a sender of mail beside the outbox of phones.
func (b *bench) carry(mail otp.Sender) {
	b.t.Helper()
	route, err := otp.NewRoute(otp.RouteSettings{Now: b.clock.Now}, otp.Way{Sender: b.outbox}, otp.Way{Sender: mail})
	b.must(err)
	b.codes.Sender = route
}

// detail is of the newest event of a kind.
func (b *bench) detail(kind string) map[string]string {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), store.EventFilter{Kind: kind, Limit: 1})
	b.must(err)
	if len(events) == 0 {
		b.t.Fatalf("no event %s", kind)
	}
	return events[0].Detail
}

var smsAndMail = factor.Rule{Need: factor.Required, Allowed: []factor.Kind{factor.SMS, factor.Mail}}

// Somebody without a number logs in with a code by mail alone.
func TestMailCode(t *testing.T) {
	b, box := withMail(t, smsAndMail)
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code", "med e-post till e•••@amido.example", "Engångskod (från e-post)", "skräpposten", "E-posten lämnades till e-postservern")
	if got := box.newest(); len(box.all()) != 1 || got.Mail != "erik.lind@amido.example" || got.To != "" || !strings.HasPrefix(got.Subject, "Kod från ") {
		t.Fatalf("%+v", box.all())
	}
	if detail := b.detail("code-sent"); detail["mail"] != "e•••@amido.example" || detail["phone"] != "" {
		t.Errorf("audit: %v", detail)
	}
	if erik.get("/code/way").body == "" || strings.Contains(erik.get("/code/way").body, "erik.lind") {
		t.Error("the way shows the address")
	}
	erik.get("/code/other").shows(t, 200, "/code/other", "Kod med e-post till e•••@amido.example")
	if page := erik.get("/code/other"); strings.Contains(page.body, `value="sms"`) {
		t.Error("SMS is offered to somebody without a number")
	}
	erik.post("/code/other", "way", "sms").shows(t, 200, "/code/other")
	erik.post("/code/resend").shows(t, 429, "/code/resend", "e-post")
	b.clock.advance(time.Minute)
	first := box.code(t)
	erik.post("/code/resend").shows(t, 200, "/code?resent", "Vi har skickat e-posten en gång till")
	if len(box.all()) != 2 || box.code(t) != first {
		t.Errorf("%d mails, the same code: %v", len(box.all()), box.code(t) == first)
	}
	wrong := "000000"
	if wrong == first {
		wrong = "000001"
	}
	erik.post("/code", "code", wrong).shows(t, 403, "/code", "Fel kod")
	erik.post("/code", "code", first).shows(t, 200, "/", "INSTRUKTIONER")
	if detail := b.detail("code"); detail["factor"] != "mail" {
		t.Errorf("audit: %v", detail)
	}
	if log := b.log.String(); strings.Contains(log, first) || strings.Contains(log, "erik.lind@") {
		t.Error("the log holds the code or the address")
	}
	erik.post("/logout")
	b.clock.advance(2 * time.Minute)
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code", "e•••@amido.example")
}

// Mail is not offered unless the policy names it, and somebody carries it.
func TestMailIsOffUnlessNamed(t *testing.T) {
	b, box := withMail(t, factor.Rule{Need: factor.Required})
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code", "inget mobilnummer")
	erik.post("/code/other", "way", "mail").shows(t, 200, "/code/other")
	erik.post("/code/resend").shows(t, 200, "/code", "inget mobilnummer")
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	cecilia.post("/code/other", "way", "mail").shows(t, 200, "/code/other")
	if len(box.all()) != 0 {
		t.Errorf("%d mails", len(box.all()))
	}

	without := under(t, smsAndMail) // nobody carries mail
	without.must(without.directory.Update("erik", func(u *directorytest.User) { u.Mail = "erik@amido.example" }))
	without.browser().login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code", "inget mobilnummer")
}

// What the policy does not allow is not sent because there is nothing else.
func TestNoCodeOutsideThePolicy(t *testing.T) {
	for name, rule := range map[string]factor.Rule{
		"an app alone": {Need: factor.Required, Allowed: []factor.Kind{factor.App}},
		"mail alone":   {Need: factor.Required, Allowed: []factor.Kind{factor.Mail}},
	} {
		t.Run(name, func(t *testing.T) {
			b, box := withMail(t, rule)
			b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Mail = "no address" }))
			cecilia := b.browser()
			cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "Det går inte att skicka någon kod till dig")
			cecilia.post("/code/resend").shows(t, 200, "/code", "Det går inte")
			for _, way := range []string{"sms", "mail"} {
				cecilia.post("/code/other", "way", way).shows(t, 200, "/code/other")
			}
			cecilia.post("/code", "code", "123456").shows(t, 200, "/code")
			if len(b.outbox.Phones()) != 0 || len(box.all()) != 0 {
				t.Errorf("a code was sent to %v, %d mails", b.outbox.Phones(), len(box.all()))
			}
		})
	}
}

// A code for the phone is not the mail's and the other way round; to go back and
// forth sends nothing sooner.
func TestFromSMSToMail(t *testing.T) {
	const phone = "+46701740607"
	b, box := withMail(t, smsAndMail)
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "till numret som slutar på")
	cecilia.get("/code/other").shows(t, 200, "/code/other", "•• 07", "c•••@amido.example")
	bySMS := b.code(phone)
	cecilia.post("/code/other", "way", "mail").shows(t, 200, "/code", "En kod skickades nyss", "på ett annat sätt", "Engångskod (från e-post)")
	cecilia.post("/code", "code", bySMS).shows(t, 403, "/code", "Fel kod")
	for range 3 {
		cecilia.post("/code/other", "way", "sms").shows(t, 200, "/code", "En kod skickades nyss")
		cecilia.post("/code/other", "way", "mail").shows(t, 200, "/code", "En kod skickades nyss")
		cecilia.post("/code/resend").shows(t, 429, "/code/resend")
	}
	if b.codesTo(phone) != 1 || len(box.all()) != 0 {
		t.Fatalf("%d messages and %d mails within the cooldown", b.codesTo(phone), len(box.all()))
	}
	b.clock.advance(31 * time.Second)
	cecilia.post("/code/resend").shows(t, 200, "/code?resent")
	cecilia.post("/code/other", "way", "mail").shows(t, 200, "/code", "c•••@amido.example") // it is on its way
	if len(box.all()) != 1 || box.newest().Mail != "cecilia.lind@amido.example" {
		t.Fatalf("%+v", box.all())
	}
	cecilia.post("/code", "code", bySMS).shows(t, 403, "/code", "Fel kod")
	byMail := box.code(t)
	b.clock.advance(61 * time.Second)
	cecilia.post("/code/other", "way", "sms").shows(t, 200, "/code", "till numret som slutar på")
	if b.codesTo(phone) != 2 {
		t.Fatalf("%d messages", b.codesTo(phone))
	}
	cecilia.post("/code", "code", byMail).shows(t, 403, "/code", "Fel kod")
	cecilia.post("/code", "code", b.code(phone)).shows(t, 200, "/", "XXX.MultiAccess01")
	if detail := b.detail("code"); detail["factor"] == "mail" {
		t.Errorf("audit: %v", detail)
	}
}

// Within a session a code by mail proves the person again.
func TestAgainByMail(t *testing.T) {
	b, box := withMail(t, factor.Rule{Need: factor.Required, Allowed: []factor.Kind{factor.Mail, factor.App}})
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code")
	erik.post("/code", "code", box.code(t)).shows(t, 200, "/")
	b.clock.advance(11 * time.Minute)
	erik.post("/again", "to", "/account/app", "password", goodPassword).shows(t, 200, "/code", "e•••@amido.example")
	erik.post("/code", "code", box.code(t)).shows(t, 200, "/account/app")
}

func TestMailNotSent(t *testing.T) {
	b, box := withMail(t, smsAndMail)
	box.fail = otp.ErrNotAccepted
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code", "E-posten kunde inte skickas")
	box.mu.Lock()
	box.fail = nil
	box.mu.Unlock()
	b.clock.advance(31 * time.Second)
	erik.post("/code/resend").shows(t, 200, "/code?resent", "e•••@amido.example")
	erik.post("/code", "code", box.code(t)).shows(t, 200, "/")
}

// The agent sees where a code went, and not the address.
func TestHelpdeskSeesMailMasked(t *testing.T) {
	b, _ := withMail(t, smsAndMail)
	b.browser().login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code")
	hanna := b.as("hanna", "+46701740609")
	people, err := b.store.FindPeople(t.Context(), "erik", 10)
	b.must(err)
	page := hanna.get("/helpdesk/person/" + people[0].AccountID)
	page.shows(t, 200, "/helpdesk/person/"+people[0].AccountID, "e•••@amido.example", "kod via e-post")
}

// The whole way over a real mail server: the code arrives and logs in.
func TestMailCodeOverSMTP(t *testing.T) {
	testbed.Need(t, "smtp")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := testbed.StartSMTP(ctx, testbed.SMTPOptions{Auth: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	mailer, err := otp.NewMailer(otp.MailerConfig{Server: server.Address, TLS: otp.MailNoTLS, Username: server.Username, Password: server.Password,
		From: "Backstage <backstage@amido.example>"})
	if err != nil {
		t.Fatal(err)
	}
	sender, err := otp.NewMailSender(otp.MailSenderConfig{Name: "own-mail", To: "{{.Mail}}", Subject: "Din kod"}, mailer)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := withMail(t, smsAndMail)
	b.carry(sender)
	erik := b.browser()
	erik.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code", "e•••@amido.example")
	state, err := server.State(ctx, "mails=1")
	b.must(err)
	mail, err := state.Mails[0].Read()
	b.must(err)
	if got := state.Mails[0].To; len(got) != 1 || got[0] != "erik.lind@amido.example" || mail.Subject != "Din kod" || strings.Contains(mail.Text, "#") {
		t.Errorf("%v, %q: %q", got, mail.Subject, mail.Text)
	}
	erik.post("/code", "code", sixDigits.FindString(mail.Text)).shows(t, 200, "/", "INSTRUKTIONER")
}
