package main

import (
	"fmt"
	"strings"
	"time"

	"stagedoor/otp"
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
	Kind      string        `yaml:"kind"`      // http, smpp, mail; required
	Countries []string      `yaml:"countries"` // ISO codes of the numbers that it serves; default: all
	HTTP      SMSHTTPConfig `yaml:"http"`
	SMPP      SMSSMPPConfig `yaml:"smpp"`
	Mail      SMSMailConfig `yaml:"mail"`
	Receipts  ReceiptConfig `yaml:"receipts"` // of kind http
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
	Refused    []string `yaml:"refused"`     // what stands there when the provider has surely not taken it; default none
}

// ReceiptConfig is how the provider says what became of a message, by a request
// to public_url/receipt/NAME; otp.ReceiptConfig says more.
type ReceiptConfig struct {
	Auth       string   `yaml:"auth"`        // query-secret, basic, twilio, hmac; default: no receipts
	SecretFile string   `yaml:"secret_file"` // or STAGEDOOR_SMS__SENDERS__<NAME>__RECEIPT_SECRET; default with twilio: the sender's password
	Username   string   `yaml:"username"`    // of basic
	Header     string   `yaml:"header"`      // of hmac; default X-Signature
	ID         string   `yaml:"id"`          // field, or JSON path, of the message's id
	Status     string   `yaml:"status"`      // of its state
	Reason     string   `yaml:"reason"`      // of why it failed; default none
	Delivered  []string `yaml:"delivered"`   // states that mean so
	Failed     []string `yaml:"failed"`
}

// The kinds of senders.
const (
	kindHTTP = "http"
	kindSMPP = "smpp"
	kindMail = "mail"
)

func (s *SMSConfig) withDefaults() {
	for i := range s.Senders {
		h := &s.Senders[i].HTTP
		setIfZero(&h.Method, "POST")
		setIfZero(&h.Success.StatusFrom, 200)
		setIfZero(&h.Success.StatusTo, 299)
		if s.Senders[i].Kind == kindSMPP {
			s.Senders[i].SMPP.withDefaults()
		}
	}
}

func (s *SenderConfig) paths() []*string {
	return []*string{&s.HTTP.PasswordFile, &s.HTTP.CAFile, &s.SMPP.PasswordFile, &s.SMPP.CAFile, &s.Receipts.SecretFile}
}

// senderVariable is where the environment may hold a secret of a sender: for
// 46elks STAGEDOOR_SMS__SENDERS__46ELKS__PASSWORD.
func senderVariable(name, secret string) string {
	return senderPrefix + strings.ReplaceAll(strings.ToUpper(name), "-", "_") + "__" + secret
}

const senderPrefix = "STAGEDOOR_SMS__SENDERS__"

// senderSecrets are one sender's.
type senderSecrets struct{ password, receipts string }

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
		case kindSMPP:
			name := senderVariable(s.Name, "PASSWORD")
			wanted[name] = true
			read[i].password = v.password(at+"smpp.password_file", s.SMPP.PasswordFile, name, true)
		}
		if s.Receipts.Auth == "" {
			continue
		}
		name := senderVariable(s.Name, "RECEIPT_SECRET")
		wanted[name] = true
		isTwilio := s.Receipts.Auth == "twilio"
		read[i].receipts = v.password(at+"receipts.secret_file", s.Receipts.SecretFile, name, !isTwilio)
		if isTwilio && read[i].receipts == "" {
			read[i].receipts = read[i].password
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
	case kindSMPP:
		way.Sender, err = otp.NewSMPPSender(c.smppSender(i))
	case kindMail:
		way.Sender, err = c.mailSender(i)
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
		CallbackSecret: c.secrets().senders[i].receipts,
		Timeout:        c.Codes.Timeout, CAFile: h.CAFile, InsecurePlaintext: h.DangerouslyPlaintext, Reference: h.Reference,
		Success: otp.HTTPSuccess{
			StatusFrom: h.Success.StatusFrom, StatusTo: h.Success.StatusTo,
			Contains: h.Success.Contains, JSONPath: h.Success.JSONPath, Equals: h.Success.Equals, Refused: h.Success.Refused,
		},
	}
	for _, header := range h.Headers {
		config.Headers = append(config.Headers, otp.HTTPHeader(header))
	}
	if reader, err := c.receipts(i); err == nil && reader != nil {
		config.Callback = reader.Callback()
	}
	return config
}

// receipts reads those of a sender; nil where it has none.
func (c Config) receipts(i int) (*otp.ReceiptReader, error) {
	s := c.SMS.Senders[i]
	r := s.Receipts
	if r.Auth == "" || c.publicURL() == nil {
		return nil, nil
	}
	return otp.NewReceiptReader(otp.ReceiptConfig{
		Sender: s.Name, Auth: r.Auth, Secret: c.secrets().senders[i].receipts, Username: r.Username, Header: r.Header,
		Address: c.publicURL().String() + "/receipt/" + s.Name,
		ID:      r.ID, Status: r.Status, Reason: r.Reason, Delivered: r.Delivered, Failed: r.Failed,
	})
}

// senderNotes are what a try without a message cannot tell of a sender.
func (c Config) senderNotes(i int) (notes []string) {
	s := c.SMS.Senders[i]
	if len(s.Countries) > 0 {
		notes = append(notes, "serves numbers of "+strings.Join(s.Countries, ", ")+" alone")
	}
	switch {
	case s.Kind == kindHTTP && s.Receipts.Auth != "":
		notes = append(notes, "only a message tells whether the password is right",
			"receipts are taken at "+c.publicURL().String()+"/receipt/"+s.Name+" ("+s.Receipts.Auth+"), which the provider must reach")
	case s.Kind == kindHTTP:
		notes = append(notes, "only a message tells whether the password is right", "no receipts: nobody sees whether a message arrives")
	case s.Kind == kindMail && !s.isOwnMail():
		notes = append(notes, "no receipts: nobody sees whether a message arrives")
	case s.Kind == kindSMPP && s.SMPP.WithoutReceipts:
		notes = append(notes, "no receipts (without_receipts): nobody sees whether a message arrives")
	}
	return notes
}

// allReceipts are the readers by the sender's name.
func (c Config) allReceipts() (map[string]*otp.ReceiptReader, error) {
	readers := map[string]*otp.ReceiptReader{}
	for i, s := range c.SMS.Senders {
		reader, err := c.receipts(i)
		if err != nil {
			return nil, fmt.Errorf("sms sender %s: receipts: %w", s.Name, err)
		}
		if reader != nil {
			readers[s.Name] = reader
		}
	}
	return readers, nil
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
