package otp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

var sampleMail = Mail{
	To:      "anna.berg@stage.example",
	Subject: "Din kod till Sångsalen är 123456 🎭",
	Text:    "123456 är din kod till Sångsalen & Co. Lämna aldrig ut den.\n\nFrån: ingen\n.\n..två punkter\n\n@portal.example.se #123456\n",
}

// mailRig is a mailer and the real server that it talks to.
type mailRig struct {
	*testbed.SMTP
	mailer *Mailer
	ctx    context.Context
}

func newMailRig(t *testing.T, options testbed.SMTPOptions, change func(*MailerConfig)) mailRig {
	t.Helper()
	testbed.Need(t, "smtp")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	config := MailerConfig{TLS: MailNoTLS, From: "Backstage Åre <backstage@amido.example>", Timeout: 10 * time.Second}
	if options.Certificate == (testbed.Certificate{CertFile: "issue"}) {
		ca, certificate := issue(t)
		options.Certificate, config.CAFile, config.TLS = certificate, ca, MailStartTLS
		if options.Implicit {
			config.TLS = MailImplicit
		}
	}
	server, err := testbed.StartSMTP(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	config.Server, config.Username, config.Password = server.Address, server.Username, server.Password
	if change != nil {
		change(&config)
	}
	mailer, err := NewMailer(config)
	if err != nil {
		t.Fatal(err)
	}
	return mailRig{server, mailer, ctx}
}

// withTLS makes newMailRig issue a certificate.
var withTLS = testbed.Certificate{CertFile: "issue"}

func issue(t *testing.T) (caFile string, certificate testbed.Certificate) {
	t.Helper()
	ca, err := testbed.NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if certificate, err = ca.Issue("mail", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	return ca.File, certificate
}

func (r mailRig) mode(t *testing.T, mode testbed.SMTPMode) {
	t.Helper()
	if err := r.SetMode(r.ctx, mode); err != nil {
		t.Fatal(err)
	}
}

func (r mailRig) state(t *testing.T, query string) testbed.SMTPState {
	t.Helper()
	state, err := r.State(r.ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// mailSecrets tells whether an error repeats what must not stand in a log.
func mailSecrets(err error, password string) bool {
	for _, secret := range []string{"123456", "anna.berg", "Sångsalen", "ANNA.BERG", password} {
		if secret != "" && strings.Contains(err.Error(), secret) {
			return true
		}
	}
	return false
}

func TestMailArrives(t *testing.T) {
	for name, options := range map[string]testbed.SMTPOptions{
		"STARTTLS and login":    {Certificate: withTLS, Auth: true},
		"STARTTLS":              {Certificate: withTLS},
		"implicit TLS, login":   {Certificate: withTLS, Implicit: true, Auth: true},
		"loopback":              {},
		"loopback with a login": {Auth: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newMailRig(t, options, nil)
			if err := r.mailer.Check(r.ctx); err != nil {
				t.Fatal(err)
			}
			if err := r.mailer.Send(r.ctx, sampleMail); err != nil {
				t.Fatal(err)
			}
			state := r.state(t, "mails=1")
			mail := state.Mails[0]
			if len(state.Mails) != 1 || mail.From != "backstage@amido.example" || fmt.Sprint(mail.To) != "[anna.berg@stage.example]" ||
				mail.Secure != (options.Certificate == withTLS) || options.Auth != (state.Logins == 2) {
				t.Errorf("%+v", state)
			}
			read, err := mail.Read()
			if err != nil {
				t.Fatalf("%v\n%s", err, mail.Raw)
			}
			if read.Subject != sampleMail.Subject || read.Text != sampleMail.Text {
				t.Errorf("subject %q, text %q", read.Subject, read.Text)
			}
			from, err := read.Header.AddressList("From")
			if err != nil || len(from) != 1 || from[0].Name != "Backstage Åre" {
				t.Errorf("from %v %v", from, err)
			}
			if id := read.Header.Get("Message-Id"); !strings.HasSuffix(id, "@amido.example>") {
				t.Errorf("id %s", id)
			}
			if read.Header.Get("Auto-Submitted") != "auto-generated" || read.Header.Get("User-Agent") != "" || read.Header.Get("Date") == "" {
				t.Errorf("header %v", read.Header)
			}
		})
	}
}

func TestMailRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		mode        testbed.SMTPMode
		notAccepted bool
		forGood     bool
	}{
		"recipient for now":  {mode: testbed.SMTPMode{To: 450}, notAccepted: true},
		"recipient for good": {mode: testbed.SMTPMode{To: 550}, notAccepted: true, forGood: true},
		"sender for good":    {mode: testbed.SMTPMode{From: 553}, notAccepted: true, forGood: true},
		"sender for now":     {mode: testbed.SMTPMode{From: 451}, notAccepted: true},
		"text for good":      {mode: testbed.SMTPMode{Data: 554}, notAccepted: true, forGood: true},
		"text for now":       {mode: testbed.SMTPMode{Data: 452}, notAccepted: true},
		"busy":               {mode: testbed.SMTPMode{Connect: 421}, notAccepted: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newMailRig(t, testbed.SMTPOptions{Certificate: withTLS, Auth: true}, nil)
			r.mode(t, c.mode)
			short := sampleMail
			short.To = "bo@stage.example"
			if err := r.mailer.Send(r.ctx, short); err == nil || strings.Contains(err.Error(), "bo@") {
				t.Errorf("%v", err)
			}
			err := r.mailer.Send(r.ctx, sampleMail)
			if err == nil || c.forGood && failure(err) != "refused" || errors.Is(err, ErrNotAccepted) != c.notAccepted || errors.Is(err, ErrRefusedForGood) != c.forGood || mailSecrets(err, r.Password) {
				t.Errorf("%v", err)
			}
			r.mode(t, testbed.SMTPMode{})
			if err := r.mailer.Send(r.ctx, sampleMail); err != nil {
				t.Error(err)
			}
			if state := r.state(t, "mails=1"); len(state.Mails) != 1 {
				t.Errorf("%d mails", len(state.Mails))
			}
		})
	}
}

// Where the server falls silent, the whole exchange ends in time. Only after
// the last dot it is open what became of the mail.
func TestMailSilence(t *testing.T) {
	for name, c := range map[string]struct {
		mode        testbed.SMTPMode
		notAccepted bool
	}{
		"no greeting":    {testbed.SMTPMode{Connect: -1}, true},
		"sender":         {testbed.SMTPMode{From: -1}, true},
		"recipient":      {testbed.SMTPMode{To: -1}, true},
		"after the text": {testbed.SMTPMode{Data: -1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newMailRig(t, testbed.SMTPOptions{Certificate: withTLS}, nil)
			r.mode(t, c.mode)
			ctx, cancel := context.WithCancel(r.ctx)
			go func() {
				_, _ = r.State(r.ctx, "hanging=1")
				cancel()
			}()
			err := r.mailer.Send(ctx, sampleMail)
			if err == nil || errors.Is(err, ErrNotAccepted) != c.notAccepted || mailSecrets(err, "") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestMailTimeout(t *testing.T) {
	r := newMailRig(t, testbed.SMTPOptions{}, func(c *MailerConfig) { c.Timeout = 300 * time.Millisecond })
	r.mode(t, testbed.SMTPMode{To: -1})
	start := time.Now()
	if err := r.mailer.Send(r.ctx, sampleMail); !errors.Is(err, ErrNotAccepted) || time.Since(start) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

func TestMailTLSAndLogin(t *testing.T) {
	other, _ := issue(t)
	for name, c := range map[string]struct {
		options testbed.SMTPOptions
		change  func(*MailerConfig)
		say     string
	}{
		"wrong password":      {testbed.SMTPOptions{Certificate: withTLS, Auth: true}, func(c *MailerConfig) { c.Password = "fel-lösen" }, "535"},
		"wrong CA, STARTTLS":  {testbed.SMTPOptions{Certificate: withTLS}, func(c *MailerConfig) { c.CAFile = other }, "unknown authority"},
		"wrong CA, implicit":  {testbed.SMTPOptions{Certificate: withTLS, Implicit: true}, func(c *MailerConfig) { c.CAFile = other }, "unknown authority"},
		"wrong name":          {testbed.SMTPOptions{Certificate: withTLS}, func(c *MailerConfig) { c.Server = strings.Replace(c.Server, "127.0.0.1", "localhost", 1) }, "certificate"},
		"no STARTTLS there":   {testbed.SMTPOptions{}, func(c *MailerConfig) { c.TLS = MailStartTLS }, "STARTTLS"},
		"login without AUTH":  {testbed.SMTPOptions{}, func(c *MailerConfig) { c.Username, c.Password = "x", "secret-pass" }, ""},
		"nobody there":        {testbed.SMTPOptions{}, func(c *MailerConfig) { c.Server = "127.0.0.1:1" }, "refused"},
		"implicit, not there": {testbed.SMTPOptions{}, func(c *MailerConfig) { c.TLS = MailImplicit }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newMailRig(t, c.options, c.change)
			err := r.mailer.Send(r.ctx, sampleMail)
			if !errors.Is(err, ErrNotAccepted) || !strings.Contains(err.Error(), c.say) || mailSecrets(err, r.mailer.config.Password) {
				t.Errorf("%v; want %q", err, c.say)
			}
			if err := r.mailer.Check(r.ctx); err == nil || !strings.Contains(err.Error(), c.say) || mailSecrets(err, r.mailer.config.Password) {
				t.Errorf("check: %v", err)
			}
			if state := r.state(t, "mails=0"); len(state.Mails) != 0 {
				t.Errorf("%d mails", len(state.Mails))
			}
		})
	}
}

// What people and directories write becomes no header and no second recipient.
func TestMailInjection(t *testing.T) {
	r := newMailRig(t, testbed.SMTPOptions{}, nil)
	for _, to := range []string{
		"", "anna", "anna@stage.example\r\nBcc: eva@stage.example", "anna@stage.example, eva@stage.example", "Anna <anna@stage.example>",
		"anna@stage.example>\r\nRCPT TO:<eva@stage.example", "anna@stage.example ", "\"a b\"@stage.example", "anna@stäge.example",
		"anna@stage.example\x00", strings.Repeat("a", 250) + "@stage.example",
	} {
		if err := r.mailer.Send(r.ctx, Mail{To: to, Subject: "x", Text: "x"}); !errors.Is(err, ErrNotAccepted) {
			t.Errorf("%q: %v", to, err)
		}
	}
	injected := Mail{To: "anna@stage.example", Subject: "Kod\r\nBcc: eva@stage.example\r\n\r\nhej\x00\u2028då " + strings.Repeat("å", 300), Text: "hej\r\n.\r\nMAIL FROM:<x@y.example>\r\n"}
	if err := r.mailer.Send(r.ctx, injected); err != nil {
		t.Fatal(err)
	}
	mails := r.state(t, "mails=1").Mails
	read, err := mails[0].Read()
	if err != nil {
		t.Fatalf("%v\n%s", err, mails[0].Raw)
	}
	if len(mails) != 1 || fmt.Sprint(mails[0].To) != "[anna@stage.example]" || read.Header.Get("Bcc") != "" ||
		read.Subject != "Kod Bcc: eva@stage.example hej då "+strings.Repeat("å", 300) || read.Text != strings.ReplaceAll(injected.Text, "\r\n", "\n") {
		t.Errorf("to %v, header %v, subject %q, text %q", mails[0].To, read.Header, read.Subject, read.Text)
	}
}

// A real mail server of the kind that people run.
func TestMailThroughExim(t *testing.T) {
	testbed.Need(t, "exim")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ca, certificate := issue(t)
	exim, err := testbed.StartExim(ctx, certificate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exim.Stop() })
	mailer, err := NewMailer(MailerConfig{Server: exim.Address, CAFile: ca, From: "Backstage <backstage@amido.example>"})
	if err != nil {
		t.Fatal(err)
	}
	if err := mailer.Check(ctx); err != nil {
		t.Fatal(err)
	}
	for to, forGood := range map[string]bool{"nobody@stage.example": true, "later@stage.example": false, "anna@elsewhere.example": true} {
		mail := sampleMail
		mail.To = to
		err := mailer.Send(ctx, mail)
		if !errors.Is(err, ErrNotAccepted) || errors.Is(err, ErrRefusedForGood) != forGood || mailSecrets(err, "") || strings.Contains(err.Error(), to) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if err := mailer.Send(ctx, sampleMail); err != nil {
		t.Fatal(err)
	}
	read, err := exim.WaitMail(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if read.Subject != sampleMail.Subject || read.Text != sampleMail.Text || read.Header.Get("To") == "" {
		t.Errorf("%q %q", read.Subject, read.Text)
	}
}

func TestMailerConfig(t *testing.T) {
	good := MailerConfig{Server: "mail.example.com:587", From: "backstage@example.com"}
	if _, err := NewMailer(good); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*MailerConfig)
		say    string
	}{
		"no server":        {func(c *MailerConfig) { c.Server = "" }, "server: "},
		"no port":          {func(c *MailerConfig) { c.Server = "mail.example.com" }, "server: "},
		"unknown TLS":      {func(c *MailerConfig) { c.TLS = "maybe" }, "tls: must be"},
		"no TLS":           {func(c *MailerConfig) { c.TLS = MailNoTLS }, "tls: none is for"},
		"no from":          {func(c *MailerConfig) { c.From = "" }, "from: "},
		"two froms":        {func(c *MailerConfig) { c.From = "a@example.com, b@example.com" }, "from: "},
		"a header in from": {func(c *MailerConfig) { c.From = "a@example.com\r\nBcc: b@example.com" }, "from: "},
		"hello":            {func(c *MailerConfig) { c.Hello = "my machine" }, "hello: "},
		"no CA":            {func(c *MailerConfig) { c.CAFile = "/dev/null" }, "CA file /dev/null"},
		"password alone":   {func(c *MailerConfig) { c.Password = "x" }, "password: "},
	} {
		t.Run(name, func(t *testing.T) {
			config := good
			c.change(&config)
			if mailer, err := NewMailer(config); err == nil || mailer != nil || !strings.Contains(err.Error(), c.say) {
				t.Errorf("%v; want %q", err, c.say)
			}
		})
	}
	if _, err := NewMailer(MailerConfig{Password: "x"}); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not all problems at once: %v", err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		if _, err := NewMailer(MailerConfig{Server: net.JoinHostPort(host, "25"), TLS: MailNoTLS, From: "a@example.com"}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}
