package otp

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// ErrRefusedForGood: a server has said that it will never take this message
// (SMTP 5xx), so that to try again is of no use.
var ErrRefusedForGood = errors.New("refused for good")

// How a Mailer reaches its server.
const (
	MailStartTLS = "starttls" // plain at first, and TLS before anything is said (RFC 3207)
	MailImplicit = "implicit" // TLS from the first byte (RFC 8314)
	MailNoTLS    = "none"     // to loopback only
)

// MailerConfig is the mail server that takes messages over.
type MailerConfig struct {
	Server             string        // host:port
	TLS                string        // MailStartTLS, MailImplicit or MailNoTLS; empty means MailStartTLS
	Username, Password string        // no Username: no authentication
	From               string        // an address, with or without a name: "Backstage <backstage@example.com>"
	Hello              string        // what this machine calls itself in EHLO; empty: its host name
	CAFile             string        // PEM, instead of the system's roots
	Timeout            time.Duration // of the whole exchange; 0 means 10 s
}

// Mail is one message to one person.
type Mail struct {
	To      string // an address alone: anna@example.com
	Subject string // one line; control characters become spaces
	Text    string // plain text, UTF-8
}

// Mailer hands mail to a server (SMTP, RFC 5321). A connection serves one
// message: codes are few, and a kept connection is a dead one when it is needed.
type Mailer struct {
	config MailerConfig
	from   *mail.Address
	host   string
	port   int
	tls    *tls.Config
}

// NewMailer checks the configuration, dials nothing, and reports every problem
// at once. Each begins with the name of its part: server, tls, from, hello,
// password, CA file.
func NewMailer(config MailerConfig) (*Mailer, error) {
	config.TLS = orDefault(config.TLS, MailStartTLS)
	config.Timeout = orDefault(config.Timeout, 10*time.Second)
	m := &Mailer{config: config}
	var faults []error
	fault := func(format string, arguments ...any) { faults = append(faults, fmt.Errorf(format, arguments...)) }
	host, port, err := net.SplitHostPort(config.Server)
	number, portErr := strconv.Atoi(port)
	if err != nil || portErr != nil || host == "" || number < 1 || number > 65535 {
		fault("server: %q is not an address with a port, such as mail.example.com:587", config.Server)
	}
	switch config.TLS {
	case MailStartTLS, MailImplicit:
	case MailNoTLS:
		if host != "" && !isLoopbackHost(host) {
			fault("tls: none is for a server on this machine only: everybody on the way to %s would read each code", host)
		}
	default:
		fault("tls: must be starttls, implicit or none, not %q", config.TLS)
	}
	if m.from, err = mail.ParseAddress(config.From); err != nil || plainAddress(m.from.Address) != nil || hasControl(config.From) {
		fault("from: %q is not a mail address", config.From)
	}
	if hasControl(config.Hello) || strings.ContainsAny(config.Hello, " @") {
		fault("hello: %q is not the name of a machine", config.Hello)
	}
	if config.Username == "" && config.Password != "" {
		fault("password: is used by nothing without a user name")
	}
	roots, err := readRoots(config.CAFile)
	if err != nil {
		faults = append(faults, err)
	}
	m.host, m.port = host, number
	m.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: roots}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return m, nil
}

// Send hands over one mail. Its error wraps ErrNotAccepted where the server has
// surely not taken the mail over, and ErrRefusedForGood where it never will; it
// holds neither the text, the address nor the credentials.
func (m *Mailer) Send(ctx context.Context, message Mail) error {
	composed, err := m.compose(message)
	if err != nil {
		return fmt.Errorf("%w: mail: %w", ErrNotAccepted, err)
	}
	ctx, cancel := context.WithTimeout(ctx, m.config.Timeout)
	defer cancel()
	session, err := m.connect(ctx)
	if err != nil {
		return fmt.Errorf("%w: mail: %s: %s", ErrNotAccepted, m.config.Server, m.reason(ctx, err, message))
	}
	defer session.close()
	err = session.client.SendWithSMTPClient(session.smtp, composed)
	if composed.IsDelivered() { // whatever went wrong afterwards
		_ = session.smtp.Quit()
		return nil
	}
	return m.failure(ctx, err, message)
}

// Check connects, does TLS, logs in, and says NOOP; it sends nothing.
func (m *Mailer) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.config.Timeout)
	defer cancel()
	session, err := m.connect(ctx)
	if err == nil {
		defer session.close()
		err = session.smtp.Noop()
	}
	if err != nil {
		return fmt.Errorf("otp: check mail: %s: %s", m.config.Server, m.reason(ctx, err, Mail{}))
	}
	_ = session.smtp.Quit()
	return nil
}

// compose writes the message. Nothing of it is taken as a header.
func (m *Mailer) compose(message Mail) (*gomail.Msg, error) {
	if err := plainAddress(message.To); err != nil {
		return nil, err
	}
	composed := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	composed.FromMailAddress(m.from)
	if err := composed.To(message.To); err != nil {
		return nil, errors.New("the address cannot be read")
	}
	subject := strings.ToValidUTF8(message.Subject, "?")
	composed.Subject(strings.Join(strings.FieldsFunc(subject, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " "))
	_, domain, _ := strings.Cut(m.from.Address, "@")
	composed.SetMessageIDWithValue(rand.Text() + "@" + domain)
	composed.SetDate()
	// RFC 3834, and Exchange's own: nobody's absence answers a code.
	composed.SetGenHeader("Auto-Submitted", "auto-generated")
	composed.SetGenHeader("X-Auto-Response-Suppress", "All")
	composed.SetBodyString(gomail.TypeTextPlain, strings.ToValidUTF8(message.Text, "?"))
	return composed, nil
}

// mailSession is a connection that has been through TLS and authentication.
type mailSession struct {
	client *gomail.Client
	smtp   *smtp.Client
	raw    net.Conn
	stop   func() bool
}

// connect dials with its own hands: the library bounds each step but not the
// whole, and leaves the connection open where the greeting, TLS or the login
// fails.
func (m *Mailer) connect(ctx context.Context) (*mailSession, error) {
	s := &mailSession{}
	dial := func(dialing context.Context, network, address string) (net.Conn, error) {
		raw, err := (&net.Dialer{}).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		// To close the connection is the one thing that ends any step at once.
		s.raw, s.stop = raw, context.AfterFunc(ctx, func() { _ = raw.Close() })
		if m.config.TLS == MailImplicit {
			return tls.Client(raw, m.tls), nil
		}
		return raw, nil
	}
	var err error
	if s.client, err = gomail.NewClient(m.host, m.options(dial)...); err != nil {
		return nil, err
	}
	if s.smtp, err = s.client.DialToSMTPClientWithContext(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// close drops the connection without a word. To say QUIT in the middle of a
// message would end it with a dot, and so have it taken as it is.
func (s *mailSession) close() {
	if s.raw != nil {
		s.stop()
		_ = s.raw.Close()
	}
}

func (m *Mailer) options(dial gomail.DialContextFunc) []gomail.Option {
	options := []gomail.Option{
		gomail.WithPort(m.port), gomail.WithTimeout(m.config.Timeout), gomail.WithTLSConfig(m.tls),
		gomail.WithDialContextFunc(dial), gomail.WithTLSPolicy(gomail.TLSMandatory),
		gomail.WithoutNoop(), gomail.WithoutRset(),
	}
	hello := m.config.Hello
	if hello == "" {
		hello, _ = os.Hostname()
	}
	options = append(options, gomail.WithHELO(orDefault(hello, "localhost")))
	plain, login := gomail.SMTPAuthPlain, gomail.SMTPAuthLogin
	switch m.config.TLS {
	case MailImplicit: // the connection is encrypted already
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	case MailNoTLS:
		plain, login = gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if m.config.Username != "" {
		options = append(options, gomail.WithUsername(m.config.Username), gomail.WithPassword(m.config.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, plain, login))
	}
	return options
}
