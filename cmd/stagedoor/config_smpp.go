package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"stagedoor/otp"
)

// SMSSMPPConfig is a provider that takes messages over SMPP 3.4; otp.SMPPConfig
// says more.
type SMSSMPPConfig struct {
	Server               string        `yaml:"server"`                // host:port; required
	TLS                  bool          `yaml:"tls"`                   // from the first byte; default false, which takes a loopback server
	CAFile               string        `yaml:"ca_file"`               // PEM; default: the system's authorities
	DangerouslyPlaintext bool          `yaml:"dangerously_plaintext"` // no TLS to another machine; default false
	SystemID             string        `yaml:"system_id"`             // required
	PasswordFile         string        `yaml:"password_file"`         // required, or STAGEDOOR_SMS__SENDERS__<NAME>__PASSWORD
	SystemType           string        `yaml:"system_type"`           // default none
	Source               string        `yaml:"source"`                // name, number or short code; default none
	SourceType           string        `yaml:"source_type"`           // TON/NPI; default by the form of source
	DestType             string        `yaml:"dest_type"`             // TON/NPI; default 1/1
	ServiceType          string        `yaml:"service_type"`          // default none
	Encoding             string        `yaml:"encoding"`              // gsm7 (UCS-2 where its letters are too few), ucs2; default gsm7
	Window               int           `yaml:"window"`                // messages without an answer at once; default 10
	EnquireLink          time.Duration `yaml:"enquire_link"`          // between two questions whether the provider is there; default 30s
	WithoutReceipts      bool          `yaml:"without_receipts"`      // default false
	ReceiptIDs           string        `yaml:"receipt_ids"`           // decimal, hex; default: as the answer to the message has it
}

// SMSMailConfig is a mail-to-SMS gateway, or people's own mail, over the server
// of the section mail.
type SMSMailConfig struct {
	To      string `yaml:"to"`      // template: {{.Number}}@sms.example, or {{.Mail}}; required
	Subject string `yaml:"subject"` // default none; of codes to people's own mail the text code.mail.subject
}

func (s *SMSSMPPConfig) withDefaults() {
	setIfZero(&s.Encoding, "gsm7")
	setIfZero(&s.Window, 10)
	setIfZero(&s.EnquireLink, 30*time.Second)
}

// isOwnMail tells whether a sender is for codes by mail, and not for phones.
func (s SenderConfig) isOwnMail() bool {
	return s.Kind == kindMail && strings.Contains(s.Mail.To, ".Mail")
}

// running is what senders of a gateway that serves have and those of a check
// have not.
type running struct {
	log       *slog.Logger
	onReceipt func(ctx context.Context, sender, reference, state, reason string) error
}

func (c Config) smppSender(i int) otp.SMPPConfig {
	s := c.SMS.Senders[i].SMPP
	config := otp.SMPPConfig{
		Name: c.SMS.Senders[i].Name, Server: s.Server, TLS: s.TLS, CAFile: s.CAFile, Plaintext: s.DangerouslyPlaintext,
		SystemID: s.SystemID, Password: c.secrets().senders[i].password, SystemType: s.SystemType,
		Source: s.Source, SourceType: s.SourceType, DestType: s.DestType, ServiceType: s.ServiceType,
		UCS2: s.Encoding == "ucs2", Window: s.Window, Timeout: c.Codes.Timeout, EnquireLink: s.EnquireLink,
		ReceiptIDs: s.ReceiptIDs, Log: c.running.log,
	}
	if !s.WithoutReceipts {
		config.OnReceipt = c.running.onReceipt
	}
	return config
}

func (c Config) mailSender(i int) (otp.Sender, error) {
	mailer, err := c.mailer()
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return otp.NewMailSender(otp.MailSenderConfig{
		Name: c.SMS.Senders[i].Name, To: c.SMS.Senders[i].Mail.To, Subject: c.SMS.Senders[i].Mail.Subject,
	}, mailer)
}

func (v *validation) smppSender(c Config, i int) {
	s, at := c.SMS.Senders[i].SMPP, fmt.Sprintf("sms.senders[%d].smpp.", i)
	v.oneOf(at+"encoding", s.Encoding, "gsm7", "ucs2")
	v.between(at+"enquire_link", s.EnquireLink, time.Second, 10*time.Minute)
	_, err := c.way(i)
	if err == nil {
		return
	}
	for _, fault := range joinedErrors(err) {
		key, text, _ := strings.Cut(fault.Error(), ": ")
		switch {
		case strings.HasPrefix(key, "CA file"):
			key, text = "ca_file", strings.TrimPrefix(strings.TrimPrefix(fault.Error(), "CA file"), ": ")
		case key == "password":
			key = "password_file"
		case key == "tls":
			text += ": set tls: true, or dangerously_plaintext: true on a private network"
		}
		v.fault(at+key, "%s", text)
	}
}

func (v *validation) mailSender(c Config, i int) {
	at := fmt.Sprintf("sms.senders[%d].mail.", i)
	if c.Mail.Server == "" {
		v.fault("mail.server", "is missing, and %s hands its messages to it", c.SMS.Senders[i].Name)
		return
	}
	if s := c.SMS.Senders[i]; s.isOwnMail() && len(s.Countries) > 0 {
		v.fault(fmt.Sprintf("sms.senders[%d].countries", i), "a mail goes to no country: leave it out")
	}
	_, err := c.way(i)
	if err == nil {
		return
	}
	for _, fault := range joinedErrors(err) {
		if key, text, _ := strings.Cut(fault.Error(), ": "); key != "mail" { // mail says so itself
			v.fault(at+key, "%s", text)
		}
	}
}

// otherSections says so where a sender has the section of another kind.
func (v *validation) otherSections(s SenderConfig, at string) {
	if s.Kind != kindSMPP && s.SMPP != (SMSSMPPConfig{}) {
		v.fault(at+"smpp", "belongs to kind: smpp")
	}
	if s.Kind != kindMail && s.Mail != (SMSMailConfig{}) {
		v.fault(at+"mail", "belongs to kind: mail")
	}
	if s.Kind != kindHTTP && s.HTTP.URL != "" {
		v.fault(at+"http", "belongs to kind: http")
	}
}
