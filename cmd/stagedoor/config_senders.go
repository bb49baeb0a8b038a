package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"stagedoor/targets"
)

func (v *validation) sms(c Config) {
	v.count("sms.breaker.failures", c.SMS.Breaker.Failures, 1, 100)
	v.between("sms.breaker.pause", c.SMS.Breaker.Pause, time.Second, time.Hour)
	if len(c.SMS.Senders) == 0 {
		v.fault("sms.senders", "is missing: at least one that carries codes to phones")
	}
	names := map[string]bool{}
	for i, s := range c.SMS.Senders {
		at := fmt.Sprintf("sms.senders[%d].", i)
		if !senderName.MatchString(s.Name) {
			v.fault(at+"name", "%q must be 1 to 32 lower case letters, digits and hyphens", s.Name)
		} else if names[s.Name] {
			v.fault(at+"name", "%q stands twice", s.Name)
		}
		names[s.Name] = true
		for j, country := range s.Countries {
			v.country(fmt.Sprintf("%scountries[%d]", at, j), country)
		}
		v.sender(c, i)
		v.receipts(c, i)
	}
	for i, country := range c.Codes.Countries {
		served := func(s SenderConfig) bool {
			return !s.isOwnMail() && (len(s.Countries) == 0 || slices.Contains(s.Countries, country))
		}
		if len(c.SMS.Senders) > 0 && !slices.ContainsFunc(c.SMS.Senders, served) {
			v.fault(fmt.Sprintf("codes.countries[%d]", i), "no sender of sms.senders serves %s", country)
		}
	}
}

// senderName keeps names fit for addresses, logs and variables.
var senderName = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9]){0,31}$`)

// sender checks what belongs to the kind.
func (v *validation) sender(c Config, i int) {
	s, at := c.SMS.Senders[i], fmt.Sprintf("sms.senders[%d].", i)
	switch s.Kind {
	case kindHTTP:
		v.httpSender(c, i)
	case kindSMPP:
		v.smppSender(c, i)
	case kindMail:
		v.mailSender(c, i)
	case "":
		v.fault(at+"kind", "is missing: http, smpp or mail")
		return
	default:
		v.oneOf(at+"kind", s.Kind, kindHTTP, kindSMPP, kindMail)
		return
	}
	v.otherSections(s, at)
}

func (v *validation) httpSender(c Config, i int) {
	h, at := c.SMS.Senders[i].HTTP, fmt.Sprintf("sms.senders[%d].http", i)
	v.words(at+".username", h.Username, 256)
	if h.URL == "" {
		v.fault(at+".url", "is missing: the provider's address")
		return
	}
	if c.secrets().senders[i].password != "" && !usesPassword(h) {
		v.fault(at+".password_file", "is used by nothing: set username, or write {{.Password}} in a header")
	}
	for j, header := range h.Headers {
		v.header(fmt.Sprintf("%s.headers[%d]", at, j), header)
	}
	if _, err := c.way(i); err != nil {
		for _, fault := range joinedErrors(err) {
			v.senderFault(at, h, fault.Error())
		}
	}
}

// receipts checks how a sender's are read; the faults begin with the key.
func (v *validation) receipts(c Config, i int) {
	s, at := c.SMS.Senders[i], fmt.Sprintf("sms.senders[%d].receipts", i)
	r := s.Receipts
	if r.Auth == "" {
		if strings.Contains(s.HTTP.URL+s.HTTP.Body, ".Callback") {
			v.fault(at+".auth", "is missing, and {{.Callback}} is in the request: query-secret, basic, twilio or hmac")
		}
		return
	}
	if s.Kind != kindHTTP {
		v.fault(at+".auth", "only senders of kind http get receipts by a request")
		return
	}
	v.words(at+".username", r.Username, 256)
	if r.Header != "" && !isHeaderName(r.Header) {
		v.fault(at+".header", "%q is not the name of a header", r.Header)
	}
	_, err := c.receipts(i)
	if err == nil {
		return
	}
	for _, fault := range joinedErrors(err) {
		key, text, _ := strings.Cut(fault.Error(), ": ")
		switch {
		case key == "secret" && c.secrets().senders[i].receipts == "" && r.Auth != "twilio":
			continue // said so already
		case key == "secret":
			key = "secret_file"
		}
		v.fault(at+"."+key, "%s", text)
	}
}

// senderFault finds the line for a fault of the sender, which begins with the
// name of the part.
func (v *validation) senderFault(at string, h SMSHTTPConfig, fault string) {
	fault = strings.TrimPrefix(fault, "template: ") // and then "body:1: ..."
	part, text, _ := strings.Cut(fault, ":")
	text = strings.TrimSpace(text)
	switch {
	case part == "url":
		v.fault(at+".url", "%s", text)
	case part == "body":
		v.fault(at+".body", "%s", text)
	case part == "success":
		v.fault(at+".success", "%s", text)
	case strings.HasPrefix(fault, "method "):
		v.fault(at+".method", "%s", fault)
	case strings.HasPrefix(fault, "CA file"):
		v.fault(at+".ca_file", "%s", strings.TrimPrefix(fault, "CA file"))
	case strings.HasPrefix(part, "header "):
		key := at + ".headers"
		for i, header := range h.Headers {
			if strings.EqualFold(part, "header "+header.Name) {
				key = fmt.Sprintf("%s.headers[%d].value", at, i)
			}
		}
		v.fault(key, "%s", text)
	default:
		v.fault(at, "%s", fault)
	}
}

// joinedErrors are the errors that were joined to one.
func joinedErrors(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	for _, part := range joined.Unwrap() {
		all = append(all, joinedErrors(part)...)
	}
	return all
}

// usesPassword tells whether a request holds the password at all.
func usesPassword(h SMSHTTPConfig) bool {
	texts := h.URL + h.Body
	for _, header := range h.Headers {
		texts += header.Value
	}
	return h.Username != "" || strings.Contains(texts, ".Password")
}

func (v *validation) header(at string, h HeaderConfig) {
	if !isHeaderName(h.Name) {
		v.fault(at+".name", "%q is not the name of a header", h.Name)
	}
	v.words(at+".value", h.Value, 4096)
	switch {
	case h.Value == "":
		v.fault(at+".value", "is missing")
	case strings.EqualFold(h.Name, "Authorization") && !strings.Contains(h.Value, "{{"):
		v.fault(at+".value", "is a secret: write Bearer {{.Password}}, and the secret into password_file")
	}
}

func isHeaderName(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// withMovedKeys says of the keys that the first version had for its one sender
// where they have gone, instead of that they are unknown.
func withMovedKeys(problems []targets.Problem) []targets.Problem {
	for i, p := range problems {
		switch {
		case strings.HasPrefix(p.Text, `sms: unknown key "sender"`):
			problems[i].Text = "sms.sender: there may be several senders now: write sms.senders, a list, with name: and kind: http (UPGRADING.md)"
		case strings.HasPrefix(p.Text, `sms: unknown key "http"`):
			problems[i].Text = "sms.http: belongs to a sender of the list sms.senders now, one step further in (UPGRADING.md)"
		}
	}
	return problems
}
