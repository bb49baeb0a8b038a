package otp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// failure sorts what went wrong between MAIL FROM and the last dot. Only where
// the server's word about the whole text is missing, the mail may be on its way.
func (m *Mailer) failure(ctx context.Context, err error, message Mail) error {
	var refusal *gomail.SendError
	if !errors.As(err, &refusal) {
		return fmt.Errorf("mail: %s: %s", m.config.Server, m.reason(ctx, err, message))
	}
	text, _, _ := strings.Cut(refusal.Error(), ", affected ")
	failed := fmt.Errorf("mail: %s: %s", m.config.Server, m.reason(ctx, errors.New(text), message))
	code := refusal.ErrorCode()
	switch {
	case code >= 500:
		return fmt.Errorf("%w: %w: %w", ErrRefused, ErrRefusedForGood, failed)
	case refusal.Reason == gomail.ErrSMTPDataClose && code == 0, refusal.Reason == gomail.ErrAmbiguous:
		return failed
	case code > 0:
		return fmt.Errorf("%w: %w", ErrRefused, failed)
	}
	return fmt.Errorf("%w: %w", ErrNotAccepted, failed)
}

var addressInText = regexp.MustCompile(`[^\s<>"'(),:;]+@[^\s<>"'(),:;]+`)

// reason is what a server or the network said, without what was sent and
// without anybody's address.
func (m *Mailer) reason(ctx context.Context, err error, message Mail) string {
	local, _, _ := strings.Cut(strings.ToLower(message.To), "@")
	text := addressInText.ReplaceAllString(err.Error(), "(address)")
	if len(local) > 3 && strings.Contains(strings.ToLower(text), local) {
		text = "(not shown, since it repeats the address)"
	}
	return reasonOf(ctx, errors.New(text), values{
		Text: message.Text + "\n" + message.Subject, Username: m.config.Username, Password: m.config.Password,
	})
}

// plainAddress wants an address alone, such as a mail server takes without any
// extension: ASCII, no name, no quotes, at most 254 characters (RFC 5321).
func plainAddress(address string) error {
	if address == "" {
		return errors.New("there is no address")
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > 254 || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the address cannot be read as one of a person@domain")
	}
	return nil
}

func hasControl(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }

// isLoopbackHost tells whether a host is this machine, by its name alone.
func isLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
