package main

import (
	"strings"
	"time"

	"stagedoor/otp"
)

// mailer hands mail over; nil where no server is configured.
func (c Config) mailer() (*otp.Mailer, error) {
	m := c.Mail
	if m.Server == "" {
		return nil, nil
	}
	return otp.NewMailer(otp.MailerConfig{
		Server: m.Server, TLS: m.TLS, Username: m.Username, Password: c.secrets().mailPassword,
		From: m.From, CAFile: m.CAFile, Timeout: m.Timeout,
	})
}

func (v *validation) mail(c Config) {
	m := c.Mail
	if m.Server == "" {
		for key, value := range map[string]string{"username": m.Username, "password_file": m.PasswordFile, "from": m.From, "ca_file": m.CAFile} {
			if value != "" {
				v.fault("mail."+key, "means nothing without mail.server")
			}
		}
		return
	}
	v.words("mail.username", m.Username, 256)
	v.words("mail.from", m.From, 320)
	v.between("mail.timeout", m.Timeout, time.Second, time.Minute)
	if m.From == "" {
		v.fault("mail.from", "is missing: the address that mail comes from")
	}
	if _, err := c.mailer(); err != nil {
		for _, fault := range joinedErrors(err) {
			v.mailFault(m, fault.Error())
		}
	}
}

// mailFault finds the line for a fault of the mailer, which begins with the
// name of the part.
func (v *validation) mailFault(m MailConfig, fault string) {
	part, text, _ := strings.Cut(fault, ": ")
	switch {
	case part == "from" && m.From == "": // said already
	case part == "server", part == "tls", part == "from":
		v.fault("mail."+part, "%s", text)
	case part == "password":
		v.fault("mail.password_file", "%s", text)
	case strings.HasPrefix(part, "CA file"):
		v.fault("mail.ca_file", "%s", strings.TrimPrefix(strings.TrimPrefix(fault, "CA file"), ": "))
	default:
		v.fault("mail", "%s", fault)
	}
}
