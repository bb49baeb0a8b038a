package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"stagedoor/otp"
	"stagedoor/testbed"
)

// mailbox is the demo's mail server: it takes mail for everybody, over SMTP on
// loopback, and keeps the newest.
type mailbox struct {
	server   *smtp.Server
	listener net.Listener
	mu       sync.Mutex
	mails    []letter // the newest first
}

// letter is a mail as the demo's page shows it.
type letter struct {
	To, Subject, Text string
	At                time.Time
}

const (
	keptMails = 100
	mailFrom  = "Backstage <backstage@amido.example>"
)

func startMailbox() (*mailbox, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("mailbox: %w", err)
	}
	m := &mailbox{listener: listener}
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{mailbox: m}, nil }))
	m.server.Domain = "localhost"
	m.server.ReadTimeout, m.server.WriteTimeout = 10*time.Second, 10*time.Second
	m.server.MaxMessageBytes, m.server.MaxRecipients = 64<<10, 10
	go func() { _ = m.server.Serve(listener) }()
	return m, nil
}

func (m *mailbox) stop() { _ = m.server.Close() }

// mailer hands mail to it, as a portal does to a company's mail server.
func (m *mailbox) mailer() (*otp.Mailer, error) {
	return otp.NewMailer(otp.MailerConfig{Server: m.listener.Addr().String(), TLS: otp.MailNoTLS, From: mailFrom, Hello: "localhost"})
}

func (m *mailbox) take(l letter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = slices.Insert(m.mails, 0, l)
	m.mails = m.mails[:min(len(m.mails), keptMails)]
}

func (m *mailbox) newest() []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.mails)
}

// delivery is one conversation with the server.
type delivery struct {
	mailbox *mailbox
	to      []string
}

func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = append(d.to, to)
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	mail, err := testbed.ReadMail(raw)
	if err != nil {
		return errors.Join(errors.New("the demo reads plain text alone"), err)
	}
	d.mailbox.take(letter{To: strings.Join(d.to, ", "), Subject: mail.Subject, Text: strings.TrimSpace(mail.Text), At: time.Now()})
	return nil
}

func (d *delivery) Reset()        { d.to = nil }
func (d *delivery) Logout() error { return nil }
