package testbed

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// SMTP is a running mail server (npm smtp-server, testbed/smtp.mjs): it takes
// mail for everybody, and misbehaves on request.
type SMTP struct {
	Address            string // host:port
	Username, Password string // empty where it wants none

	peer *nodePeer
}

// SMTPOptions says what mail server to start.
type SMTPOptions struct {
	Certificate Certificate // empty: no TLS
	Implicit    bool        // TLS from the first byte, instead of STARTTLS
	Auth        bool        // only after a login
}

// SMTPMode is how it behaves from now on: for each step 0 means well, -1 that
// it falls silent, and all else the code of its refusal.
type SMTPMode struct {
	Connect int `json:"connect"`
	From    int `json:"from"`
	To      int `json:"to"`
	Data    int `json:"data"` // after the whole text
}

// SMTPState is what has happened so far.
type SMTPState struct {
	Mails                 []SMTPMail
	Logins, RefusedLogins int
	Hanging               int // steps at which it fell silent
}

// SMTPMail is one mail as it was taken.
type SMTPMail struct {
	From, Hello string
	To          []string
	Secure      bool   // came over TLS
	Raw         []byte // header and text, as sent
}

// ReceivedMail is a mail as a person reads it.
type ReceivedMail struct {
	Header  mail.Header
	Subject string
	Text    string
}

// StartSMTP starts it on a free port of loopback.
func StartSMTP(ctx context.Context, o SMTPOptions) (*SMTP, error) {
	s := &SMTP{}
	if o.Auth {
		s.Username, s.Password = "backstage", rand.Text()
	}
	var err error
	s.peer, err = startNode(ctx, "smtp.mjs", map[string]any{
		"cert": o.Certificate.CertFile, "key": o.Certificate.KeyFile, "implicit": o.Implicit,
		"username": s.Username, "password": s.Password,
	})
	if err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	s.Address = s.peer.address()
	return s, nil
}

// Stop ends the server. It may be called again.
func (s *SMTP) Stop() error { return s.peer.process.Stop() }

// SetMode changes how it behaves.
func (s *SMTP) SetMode(ctx context.Context, mode SMTPMode) error {
	return s.peer.tell(ctx, "mode", mode)
}

// State waits until there is so much of what query names, and tells all:
// "mails=2", "hanging=1".
func (s *SMTP) State(ctx context.Context, query string) (SMTPState, error) {
	var state SMTPState
	err := s.peer.ask(ctx, query, &state)
	return state, err
}

// Read decodes the mail. It knows what a plain text needs.
func (m SMTPMail) Read() (ReceivedMail, error) { return ReadMail(m.Raw) }

// ReadMail decodes a mail of one plain text.
func ReadMail(raw []byte) (ReceivedMail, error) {
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ReceivedMail{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		return ReceivedMail{}, err
	}
	kind, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "text/plain" || !strings.EqualFold(parameters["charset"], "utf-8") {
		return ReceivedMail{}, fmt.Errorf("content type %s %v: %w", kind, parameters, err)
	}
	var body io.Reader = message.Body
	switch encoding := strings.ToLower(message.Header.Get("Content-Transfer-Encoding")); encoding {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "7bit", "8bit", "":
	default:
		return ReceivedMail{}, fmt.Errorf("encoding %s", encoding)
	}
	text, err := io.ReadAll(body)
	return ReceivedMail{Header: message.Header, Subject: subject, Text: strings.ReplaceAll(string(text), "\r\n", "\n")}, err
}
