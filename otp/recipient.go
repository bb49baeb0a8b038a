package otp

import (
	"errors"
	"fmt"
	"strings"

	"stagedoor/store"
)

// ErrNoMail: there is no mail address, or not one that a code may be sent to.
// The address is not in it.
var ErrNoMail = errors.New("otp: no usable mail address")

// IsMail tells whether a code can be sent to it: one bare address, printable
// ASCII, at most 254 characters (RFC 5321 4.5.3.1.3), one @.
func IsMail(address string) bool {
	return plainAddress(address) == nil && strings.Count(address, "@") == 1
}

// recipient is where a code goes, as the store has it: a number, or
// store.MailTo and an address.
func (r Request) recipient() (string, error) {
	switch {
	case r.Mail != "" && r.Phone != "":
		return "", fmt.Errorf("%w: a code goes to a number or to an address, not to both", ErrNoMail)
	case r.Mail == "" && !r.Phone.valid():
		return "", &NoPhoneError{Reason: "unreadable"}
	case r.Mail == "":
		return string(r.Phone), nil
	case !IsMail(r.Mail):
		return "", fmt.Errorf("%w: it cannot be read as one of a person@domain", ErrNoMail)
	}
	return store.MailTo + r.Mail, nil
}

// readRecipient is recipient's opposite: one of the two is empty.
func readRecipient(recipient string) (phone Phone, mail string) {
	if mail, ok := strings.CutPrefix(recipient, store.MailTo); ok {
		return "", mail
	}
	return Phone(recipient), ""
}

// MaskMail shows the first letter and the domain: "a•••@amido.example".
func MaskMail(address string) string {
	at := strings.LastIndex(address, "@")
	if at < 1 || !IsMail(address) {
		return "•••"
	}
	return address[:1] + "•••" + address[at:]
}

// MaskRecipient masks a number or address as the store has it.
func MaskRecipient(recipient string) string {
	phone, mail := readRecipient(recipient)
	if mail != "" || phone == "" {
		return MaskMail(mail)
	}
	return phone.Masked()
}

// SendsMail tells whether any sender carries codes to people's own mail.
func (c *Codes) SendsMail() bool {
	message := Message{Mail: "anybody@example.com"}
	if route, ok := c.Sender.(*Route); ok {
		return len(route.serving(message)) > 0
	}
	return carries(c.Sender, message)
}
