package otp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/template"
)

// MailSenderConfig tells where messages go by mail. To is a text/template over
//
//	.To (+46701234567)  .Number (46701234567)  .Mail (the account's own address)
//
// Over a mail-to-SMS gateway it is made of the number: {{.Number}}@sms.example.
// For codes by mail it is {{.Mail}} and nothing else.
type MailSenderConfig struct {
	Name string // in logs and errors; empty means "mail"
	To   string
	// Subject is of every mail. Empty: of mail to people's own address the
	// message's, in their language; to a gateway none, since some put it into the
	// SMS.
	Subject string
}

// MailSender carries messages by mail, through a gateway to phones or to
// people's own mail; never one in the place of the other, since whether a code
// may go by mail is not for a sender to decide.
type MailSender struct {
	config MailSenderConfig
	to     *template.Template
	mailer *Mailer
	own    bool // the account's own mail
}

type mailValues struct{ To, Number, Mail string }

// NewMailSender checks the configuration, dials nothing, and reports every
// problem at once. Each begins with the name of its part: to, subject.
func NewMailSender(config MailSenderConfig, mailer *Mailer) (*MailSender, error) {
	config.Name = orDefault(config.Name, "mail")
	s := &MailSender{config: config, mailer: mailer}
	var faults []error
	var err error
	if s.to, err = template.New("to").Option("missingkey=error").Parse(config.To); err != nil {
		faults = append(faults, fmt.Errorf("to: %w", err))
	} else if err := s.tryOut(); err != nil {
		faults = append(faults, fmt.Errorf("to: %w", err))
	}
	if hasControl(config.Subject) || len(config.Subject) > 200 {
		faults = append(faults, errors.New("subject: must be one line of at most 200 bytes"))
	}
	if mailer == nil {
		faults = append(faults, errors.New("mail: there is no mail server to hand it to"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return s, nil
}

// tryOut finds out what the address is made of, with values that differ.
func (s *MailSender) tryOut() error {
	const number, mail = "46701234567", "anna@example.com"
	address, err := s.address(mailValues{To: "+" + number, Number: number, Mail: mail})
	if err != nil {
		return err
	}
	s.own = address == mail
	if !s.own && (plainAddress(address) != nil || !strings.Contains(address, number) || strings.Contains(address, "anna")) {
		return errors.New("is neither {{.Mail}} nor an address made of {{.Number}} or {{.To}}, such as {{.Number}}@sms.example")
	}
	return nil
}

func (s *MailSender) address(values mailValues) (string, error) {
	var address bytes.Buffer
	if err := s.to.Execute(&address, values); err != nil {
		return "", err
	}
	return address.String(), nil
}

// Name is the configured one.
func (s *MailSender) Name() string { return s.config.Name }

// Carries tells whether the message is one for a phone, or one for a person's
// own mail, as the sender is.
func (s *MailSender) Carries(message Message) bool {
	if s.own {
		return message.To == "" && message.Mail != ""
	}
	return message.To.valid()
}

// Send mails the message.
func (s *MailSender) Send(ctx context.Context, message Message) (Receipt, error) {
	if !s.Carries(message) {
		return Receipt{}, fmt.Errorf("%w: %s: the message has no address of this kind", ErrNotAccepted, s.config.Name)
	}
	address, err := s.address(mailValues{To: string(message.To), Number: strings.TrimPrefix(string(message.To), "+"), Mail: message.Mail})
	if err != nil {
		return Receipt{}, fmt.Errorf("%w: %s: %w", ErrNotAccepted, s.config.Name, err)
	}
	subject := s.config.Subject
	if s.own {
		subject = orDefault(subject, message.Subject)
	}
	return Receipt{}, s.mailer.Send(ctx, Mail{To: address, Subject: subject, Text: message.Text})
}

// Check tries the mail server, without sending anything.
func (s *MailSender) Check(ctx context.Context) error { return s.mailer.Check(ctx) }
