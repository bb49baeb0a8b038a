package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"stagedoor/otp"
	"stagedoor/targets"
)

// SMSConfig is what carries codes to phones: several senders, tried in order.
type SMSConfig struct {
	Senders []SenderConfig `yaml:"senders"` // at least one
	Breaker BreakerConfig  `yaml:"breaker"`
}

// BreakerConfig is when a sender that fails is tried after the others.
type BreakerConfig struct {
	Failures int           `yaml:"failures"` // in a row; default 3
	Pause    time.Duration `yaml:"pause"`    // before it is tried in its turn again; default 1m
}

// SenderConfig is one sender. Of the sections of the kinds it has its own.
type SenderConfig struct {
	Name      string        `yaml:"name"`      // lower case letters, digits and hyphens; required
	Kind      string        `yaml:"kind"`      // http; required
	Countries []string      `yaml:"countries"` // ISO codes of the numbers that it serves; default: all
	HTTP      SMSHTTPConfig `yaml:"http"`
}

// SMSHTTPConfig is any provider with an HTTP interface; otp.HTTPConfig says what
// the templates may hold.
type SMSHTTPConfig struct {
	Method               string           `yaml:"method"`        // POST, PUT or GET; default POST
	URL                  string           `yaml:"url"`           // template; required
	Headers              []HeaderConfig   `yaml:"headers"`       // default: Content-Type of a form
	Body                 string           `yaml:"body"`          // template; default none
	Username             string           `yaml:"username"`      // Basic auth; default none
	PasswordFile         string           `yaml:"password_file"` // Basic auth and {{.Password}}; or STAGEDOOR_SMS__SENDERS__<NAME>__PASSWORD
	Success              SMSSuccessConfig `yaml:"success"`
	Reference            string           `yaml:"reference"`             // JSON path of the provider's id of the message; default none
	CAFile               string           `yaml:"ca_file"`               // PEM; default: the system's authorities
	DangerouslyPlaintext bool             `yaml:"dangerously_plaintext"` // http to another machine; default false
}

// HeaderConfig is one header of the request to an SMS provider.
type HeaderConfig struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value"` // template
}

// SMSSuccessConfig is when an answer means that the provider took the message;
// all that is given must hold.
type SMSSuccessConfig struct {
	StatusFrom int      `yaml:"status_from"` // HTTP status; default 200
	StatusTo   int      `yaml:"status_to"`   // default 299
	Contains   string   `yaml:"contains"`    // a part of the answer; default none
	JSONPath   string   `yaml:"json_path"`   // messages.0.status; default none
	Equals     []string `yaml:"equals"`      // what may stand at json_path
}

// The kinds of senders.
const kindHTTP = "http"

func (s *SMSConfig) withDefaults() {
	for i := range s.Senders {
		h := &s.Senders[i].HTTP
		setIfZero(&h.Method, "POST")
		setIfZero(&h.Success.StatusFrom, 200)
		setIfZero(&h.Success.StatusTo, 299)
	}
}

func (s *SenderConfig) paths() []*string {
	return []*string{&s.HTTP.PasswordFile, &s.HTTP.CAFile}
}

// senderVariable is where the environment may hold a secret of a sender: for
// 46elks STAGEDOOR_SMS__SENDERS__46ELKS__PASSWORD.
func senderVariable(name, secret string) string {
	return senderPrefix + strings.ReplaceAll(strings.ToUpper(name), "-", "_") + "__" + secret
}

const senderPrefix = "STAGEDOOR_SMS__SENDERS__"

// senderSecrets are one sender's.
type senderSecrets struct{ password string }

// senderSecrets reads them; wanted gets the variables that they may stand in.
func (v *validation) senderSecrets(senders []SenderConfig, wanted map[string]bool) []senderSecrets {
	read := make([]senderSecrets, len(senders))
	for i, s := range senders {
		at := fmt.Sprintf("sms.senders[%d].", i)
		switch s.Kind {
		case kindHTTP:
			name := senderVariable(s.Name, "PASSWORD")
			wanted[name] = true
			read[i].password = v.password(at+"http.password_file", s.HTTP.PasswordFile, name, usesPassword(s.HTTP))
		}
	}
	return read
}

// way is a sender of the list, put together.
func (c Config) way(i int) (otp.Way, error) {
	s := c.SMS.Senders[i]
	way := otp.Way{Countries: s.Countries}
	var err error
	switch s.Kind {
	case kindHTTP:
		way.Sender, err = otp.NewHTTPSender(c.httpSender(i))
	default:
		err = fmt.Errorf("kind: %q is no kind of sender", s.Kind) // validate has refused it
	}
	return way, err
}

func (c Config) httpSender(i int) otp.HTTPConfig {
	h := c.SMS.Senders[i].HTTP
	config := otp.HTTPConfig{
		Name: c.SMS.Senders[i].Name, Method: h.Method, URL: h.URL, Body: h.Body,
		Username: h.Username, Password: c.secrets().senders[i].password,
		Timeout: c.Codes.Timeout, CAFile: h.CAFile, InsecurePlaintext: h.DangerouslyPlaintext, Reference: h.Reference,
		Success: otp.HTTPSuccess{
			StatusFrom: h.Success.StatusFrom, StatusTo: h.Success.StatusTo,
			Contains: h.Success.Contains, JSONPath: h.Success.JSONPath, Equals: h.Success.Equals,
		},
	}
	for _, header := range h.Headers {
		config.Headers = append(config.Headers, otp.HTTPHeader(header))
	}
	return config
}

// route is the senders in their order.
func (c Config) route() (*otp.Route, error) {
	var ways []otp.Way
	for i, s := range c.SMS.Senders {
		way, err := c.way(i)
		if err != nil {
			return nil, fmt.Errorf("sms sender %s: %w", s.Name, err)
		}
		ways = append(ways, way)
	}
	return otp.NewRoute(otp.RouteSettings{
		Failures: c.SMS.Breaker.Failures, Pause: c.SMS.Breaker.Pause, Timeout: c.Codes.Timeout, Now: time.Now,
	}, ways...)
}

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
	}
	for i, country := range c.Codes.Countries {
		served := func(s SenderConfig) bool { return len(s.Countries) == 0 || slices.Contains(s.Countries, country) }
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
	case "":
		v.fault(at+"kind", "is missing: http")
	default:
		v.oneOf(at+"kind", s.Kind, kindHTTP)
	}
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
