package otp

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"stagedoor/testbed"
)

func TestMailSender(t *testing.T) {
	r := newMailRig(t, testbed.SMTPOptions{}, nil)
	phone := Message{To: annasPhone, Mail: "anna@stage.example", Text: sample.Text}
	own := Message{Mail: "anna@stage.example", Text: sample.Text}
	number := strings.TrimPrefix(string(annasPhone), "+")
	arrived := 0
	for _, c := range []struct {
		name, to string
		message  Message
		arrives  string // empty: refused
	}{
		{"gateway", "{{.Number}}@sms.example", phone, number + "@sms.example"},
		{"gateway with a plus", "{{.To}}@sms.example", phone, "+" + number + "@sms.example"},
		{"gateway with an account", "{{.Number}}.backstage@sms.example", phone, number + ".backstage@sms.example"},
		{"own mail", "{{.Mail}}", own, "anna@stage.example"},
		{"gateway without a number", "{{.Number}}@sms.example", own, ""},
		{"own mail for a phone", "{{.Mail}}", phone, ""},
		{"own mail, none there", "{{.Mail}}", Message{Text: "x"}, ""},
		{"own mail, no address", "{{.Mail}}", Message{Mail: "anna@stage.example\r\nBcc: eva@stage.example", Text: "x"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			sender, err := NewMailSender(MailSenderConfig{To: c.to, Subject: "Backstage på väg"}, r.mailer)
			if err != nil {
				t.Fatal(err)
			}
			_, err = sender.Send(r.ctx, c.message)
			if c.arrives == "" {
				if !errors.Is(err, ErrNotAccepted) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			arrived++
			mail := r.state(t, fmt.Sprintf("mails=%d", arrived)).Mails[arrived-1]
			read, err := mail.Read()
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(mail.To) != "["+c.arrives+"]" || read.Subject != "Backstage på väg" || strings.TrimSpace(read.Text) != strings.TrimSpace(sample.Text) {
				t.Errorf("to %v, subject %q, text %q", mail.To, read.Subject, read.Text)
			}
			if err := sender.Check(r.ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// Codes by mail have a subject of their person's language unless one is
// configured; what a gateway may put into an SMS has none.
func TestMailSenderSubject(t *testing.T) {
	r := newMailRig(t, testbed.SMTPOptions{}, nil)
	for i, c := range []struct{ to, configured, want string }{
		{"{{.Mail}}", "", "Kod från Backstage"},
		{"{{.Mail}}", "Your code", "Your code"},
		{"{{.Number}}@sms.example", "", ""},
		{"{{.Number}}@sms.example", "key 42", "key 42"},
	} {
		sender, err := NewMailSender(MailSenderConfig{To: c.to, Subject: c.configured}, r.mailer)
		if err != nil {
			t.Fatal(err)
		}
		message := Message{Mail: "anna@stage.example", Subject: "Kod från Backstage", Text: sample.Text}
		if !sender.own {
			message.To = annasPhone
		}
		if _, err := sender.Send(r.ctx, message); err != nil {
			t.Fatal(err)
		}
		read, err := r.state(t, fmt.Sprintf("mails=%d", i+1)).Mails[i].Read()
		if err != nil || read.Subject != c.want {
			t.Errorf("to %s, configured %q: %q, %v", c.to, c.configured, read.Subject, err)
		}
	}
}

func TestMailSenderConfig(t *testing.T) {
	mailer, err := NewMailer(MailerConfig{Server: "127.0.0.1:25", TLS: MailNoTLS, From: "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config MailSenderConfig
		say    string
	}{
		"no address":     {MailSenderConfig{}, "to: "},
		"the same":       {MailSenderConfig{To: "codes@example.com"}, "to: "},
		"both":           {MailSenderConfig{To: "{{.Number}}.{{.Mail}}"}, "to: "},
		"two addresses":  {MailSenderConfig{To: "{{.Number}}@sms.example, eva@example.com"}, "to: "},
		"not an address": {MailSenderConfig{To: "{{.Number}}"}, "to: "},
		"unknown field":  {MailSenderConfig{To: "{{.Phone}}@sms.example"}, "to: "},
		"broken":         {MailSenderConfig{To: "{{.Number}@sms.example"}, "to: "},
		"subject":        {MailSenderConfig{To: "{{.Mail}}", Subject: "a\nb"}, "subject: "},
	} {
		t.Run(name, func(t *testing.T) {
			if sender, err := NewMailSender(c.config, mailer); err == nil || sender != nil || !strings.Contains(err.Error(), c.say) {
				t.Errorf("%v; want %q", err, c.say)
			}
		})
	}
	if _, err := NewMailSender(MailSenderConfig{To: "{{.Mail}}"}, nil); err == nil {
		t.Error("no mailer, no fault")
	}
}
