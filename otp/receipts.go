package otp

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" // Twilio signs with nothing else
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"stagedoor/store"
)

// What a receipt may be refused for.
var (
	// ErrForged: a receipt does not prove that it is the provider's.
	ErrForged = errors.New("otp: a receipt that is not the provider's")
	// ErrUnreadable: a receipt names no message, or no state.
	ErrUnreadable = errors.New("otp: a receipt that cannot be read")
)

// ReceiptConfig tells how a provider says, by a request to the portal, what
// became of a message, and how that request proves itself:
//
//	query-secret  the address that the provider was given has ?secret=... (46elks)
//	basic         Basic authentication with Username and Secret
//	twilio        X-Twilio-Signature under the account's auth token
//	hmac          a header with the HMAC-SHA256 of the body, in hex or base64
type ReceiptConfig struct {
	Sender   string // whose messages these are
	Auth     string
	Secret   string
	Username string // of basic
	Header   string // of hmac; empty means X-Signature
	Address  string // that the provider calls: public URL + /receipt/ + name

	// ID, Status and Reason are names of form or query fields, or paths in a JSON
	// body (results.0.status). The id is the provider's, or ours ({{.ID}}).
	// Reason may be empty.
	ID, Status, Reason string
	// Delivered and Failed are the values of Status that mean so, whatever their
	// case; every other one means that the message is still on its way.
	Delivered, Failed []string
}

// ReceiptReader reads one provider's receipts.
type ReceiptReader struct {
	config  ReceiptConfig
	address *url.URL
}

// minReceiptSecret is in bytes: who guesses it can call a code delivered.
const minReceiptSecret = 16

// NewReceiptReader reports every problem of the configuration at once; each
// begins with the name of the field.
func NewReceiptReader(config ReceiptConfig) (*ReceiptReader, error) {
	var problems []error
	fault := func(format string, arguments ...any) { problems = append(problems, fmt.Errorf(format, arguments...)) }
	config.Header = orDefault(config.Header, "X-Signature")
	if !slices.Contains([]string{"query-secret", "basic", "twilio", "hmac"}, config.Auth) {
		fault("auth: %q is none of query-secret, basic, twilio and hmac", config.Auth)
	}
	if len(config.Secret) < minReceiptSecret {
		fault("secret: has fewer than %d characters", minReceiptSecret)
	}
	if config.Auth == "basic" && config.Username == "" {
		fault("username: is missing")
	}
	if config.ID == "" {
		fault("id: is missing: where the message's id stands")
	}
	if config.Status == "" {
		fault("status: is missing: where the message's state stands")
	}
	if len(config.Delivered) == 0 {
		fault("delivered: is missing: which states mean that the message has arrived")
	}
	for _, status := range config.Failed {
		if contains(config.Delivered, status) {
			fault("failed: %q means delivered already", status)
		}
	}
	address, err := url.Parse(config.Address)
	if err != nil || address.Host == "" {
		fault("address: cannot be read")
	}
	return &ReceiptReader{config, address}, errors.Join(problems...)
}

// Callback is the address that the provider is to call, with the secret where
// it has no other way to prove itself: never to be logged.
func (r *ReceiptReader) Callback() string {
	address := *r.address
	switch r.config.Auth {
	case "query-secret":
		address.RawQuery = url.Values{"secret": {r.config.Secret}}.Encode()
	case "basic":
		address.User = url.UserPassword(r.config.Username, r.config.Secret)
	}
	return address.String()
}

// Read checks that a request is the provider's and reads it; body is the whole
// of the request's. A state that is neither delivered nor failed gives an empty
// State: there is nothing to record. The reason holds nothing of the message: a
// receipt may repeat it. ErrForged, ErrUnreadable.
func (r *ReceiptReader) Read(request *http.Request, body []byte) (store.SendReceipt, error) {
	fields, err := r.authentic(request, body)
	if err != nil {
		return store.SendReceipt{}, err
	}
	receipt := store.SendReceipt{Sender: r.config.Sender, Reference: fields(r.config.ID)}
	status := fields(r.config.Status)
	if receipt.Reference == "" || len(receipt.Reference) > 128 || status == "" {
		return store.SendReceipt{}, ErrUnreadable
	}
	switch {
	case contains(r.config.Delivered, status):
		receipt.State = store.SendDelivered
	case contains(r.config.Failed, status):
		receipt.State = store.SendUndelivered
		receipt.Reason = strings.TrimSpace(status + " " + receiptReason(fields(r.config.Reason)))
	}
	return receipt, nil
}

// contains compares without regard to case.
func contains(all []string, one string) bool {
	return slices.ContainsFunc(all, func(s string) bool { return strings.EqualFold(s, one) })
}

// authentic gives the fields that the request's proof covers; only those count.
func (r *ReceiptReader) authentic(request *http.Request, body []byte) (fields func(string) string, err error) {
	query, err := url.ParseQuery(request.URL.RawQuery)
	if err != nil {
		return nil, ErrForged
	}
	form, isJSON := bodyForm(request, body)
	signed := func() func(string) string { return fieldsOf(query, form, body, isJSON) }
	switch r.config.Auth {
	case "query-secret":
		if given := query["secret"]; len(given) == 1 && same(given[0], r.config.Secret) {
			return signed(), nil
		}
	case "basic":
		username, password, given := request.BasicAuth()
		if userOK, passOK := same(username, r.config.Username), same(password, r.config.Secret); given && userOK && passOK {
			return signed(), nil
		}
	case "twilio":
		// The signature covers the address and the form; a JSON body it does not.
		if !isJSON && r.isTwilio(request, form) {
			return signed(), nil
		}
	case "hmac":
		// The body alone is signed: what the query says could be anybody's.
		if len(body) > 0 && r.isSigned(request.Header.Get(r.config.Header), body) {
			query = nil
			return signed(), nil
		}
	}
	return nil, ErrForged
}

// same compares in constant time, also texts of different lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func bodyForm(request *http.Request, body []byte) (form url.Values, isJSON bool) {
	media, _, _ := mime.ParseMediaType(request.Header.Get("Content-Type"))
	if media == "application/json" || strings.HasSuffix(media, "+json") {
		return nil, true
	}
	form, err := url.ParseQuery(string(bytes.TrimSpace(body)))
	if err != nil {
		return nil, false
	}
	return form, false
}

// fieldsOf looks a field up in the body, else in the query.
func fieldsOf(query, form url.Values, body []byte, isJSON bool) func(string) string {
	return func(name string) string {
		if name == "" {
			return ""
		}
		if isJSON {
			if value, ok := jsonAt(body, name); ok && json.Valid(body) {
				return value
			}
		}
		if form.Has(name) {
			return form.Get(name)
		}
		return query.Get(name)
	}
}

// isTwilio checks the signature over the public address, as Twilio called it,
// and the sorted fields. Whether the port of the scheme stands in the address
// that is signed has changed over the years, so both are right.
// https://www.twilio.com/docs/usage/security
func (r *ReceiptReader) isTwilio(request *http.Request, form url.Values) bool {
	given, err := base64.StdEncoding.DecodeString(request.Header.Get("X-Twilio-Signature"))
	if err != nil {
		return false
	}
	var fields strings.Builder
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			fields.WriteString(name + value)
		}
	}
	right := 0
	for _, address := range withAndWithoutPort(*r.address) {
		address.RawQuery = request.URL.RawQuery
		mac := hmac.New(sha1.New, []byte(r.config.Secret))
		mac.Write([]byte(address.String() + fields.String()))
		right |= subtle.ConstantTimeCompare(given, mac.Sum(nil))
	}
	return right == 1
}

func withAndWithoutPort(address url.URL) []url.URL {
	with, without := address, address
	port := map[string]string{"https": "443", "http": "80"}[address.Scheme]
	if address.Port() == "" {
		with.Host = net.JoinHostPort(address.Hostname(), port)
	} else {
		without.Host = address.Hostname()
	}
	return []url.URL{with, without}
}

// isSigned checks a signature in hex or base64, as it is or after "sha256=".
func (r *ReceiptReader) isSigned(header string, body []byte) bool {
	text := strings.TrimPrefix(strings.TrimSpace(header), "sha256=")
	given, err := hex.DecodeString(text)
	if err != nil {
		given, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "="))
	}
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(r.config.Secret))
	mac.Write(body)
	return hmac.Equal(given, mac.Sum(nil))
}
