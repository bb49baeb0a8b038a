package otp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"sync/atomic"
	"time"
)

// HTTPConfig tells how a provider takes a message over HTTP. URL, Body and the
// headers' values are text/template templates over
//
//	.To (+46701234567)  .Text  .ID (the message's, random)  .Username  .Password
//	.Callback (the address for receipts)
//
// in which every value must be escaped for where it stands: urlquery in a
// query or form, path in a path, json in JSON (it writes the quotes too), xml
// in XML. Example: from=Backstage&to={{urlquery .To}}&message={{urlquery .Text}}
// NewHTTPSender tries them with awkward values and refuses what is not escaped.
type HTTPConfig struct {
	Name    string // in logs and errors; empty means "http"
	Method  string // POST, PUT or GET; empty means POST
	URL     string // https, or http to a loopback address; only path and query may hold values
	Headers []HTTPHeader
	// Body is sent as the Content-Type among Headers says: a form (the default
	// where there is none), JSON, XML or plain text.
	Body string

	// Username and Password are sent as basic authentication where Username is
	// not empty. A bearer token is a Password in the header
	// Authorization: "Bearer {{.Password}}", with no Username.
	Username, Password string

	// Callback is the address at which the provider is to tell what became of a
	// message (ReceiptReader.Callback); it may hold CallbackSecret. Both may be
	// empty.
	Callback, CallbackSecret string

	Timeout time.Duration // of the whole exchange; 0 means 10 s
	CAFile  string        // PEM, instead of the system's roots
	// InsecurePlaintext allows http to any host: everybody on the way can read
	// each code and the password, and can change the number.
	InsecurePlaintext bool

	Success   HTTPSuccess
	Reference string // JSON path of the provider's id in the answer; empty: none
}

// HTTPHeader is one header line of the request.
type HTTPHeader struct{ Name, Value string }

// HTTPSuccess is when an answer means that the message was taken over. All
// that is given must hold. A redirect never does, and is not followed.
type HTTPSuccess struct {
	StatusFrom, StatusTo int      // within 200 to 299, which 0 and 0 mean
	Contains             string   // a part of the body
	JSONPath             string   // "messages.0.status": its value must be one of Equals
	Equals               []string // numbers and true, false as JSON writes them
	// Refused are values at JSONPath by which the provider says, with the status of a
	// success, that it has surely not taken the message: ErrNotAccepted, so that
	// another sender may be tried.
	Refused []string
}

// HTTPSender hands messages to a provider over HTTP.
type HTTPSender struct {
	config    HTTPConfig
	request   *requestTemplates
	transport *http.Transport
}

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 64 << 10

// NewHTTPSender checks the configuration, dials nothing, and reports every
// problem at once.
func NewHTTPSender(config HTTPConfig) (*HTTPSender, error) {
	config.Name = orDefault(config.Name, "http")
	config.Method = orDefault(config.Method, http.MethodPost)
	config.Timeout = orDefault(config.Timeout, 10*time.Second)
	if config.Success.StatusFrom == 0 && config.Success.StatusTo == 0 {
		config.Success.StatusFrom, config.Success.StatusTo = 200, 299
	}
	request, err := newRequestTemplates(config)
	roots, rootsErr := readRoots(config.CAFile)
	if err := errors.Join(err, rootsErr, config.Success.check()); err != nil {
		return nil, err
	}
	return &HTTPSender{config: config, request: request, transport: &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		// net/http repeats a GET on its own where a kept connection turns out
		// to be dead; a message must not be sent twice.
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxAnswer,
	}}, nil
}

func readRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("CA file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file %s: no PEM certificate in it", file)
	}
	return roots, nil
}

// Name is the configured one.
func (h *HTTPSender) Name() string { return h.config.Name }

// Send makes one request and no second one. Its errors hold neither the text,
// the number, the credentials nor the URL's query, also where the provider's
// answer repeats them.
func (h *HTTPSender) Send(ctx context.Context, message Message) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, h.config.Timeout)
	defer cancel()
	filled := values{To: string(message.To), Text: message.Text, ID: message.ID,
		Username: h.config.Username, Password: h.config.Password,
		Callback: h.config.Callback, secret: h.config.CallbackSecret}
	rendered, err := h.request.render(filled)
	header, headerErr := h.request.renderHeader(filled)
	if err := errors.Join(err, headerErr); err != nil {
		return Receipt{}, fmt.Errorf("%w: %w", ErrNotAccepted, err)
	}
	answer, written, err := h.exchange(ctx, rendered, header)
	if err != nil {
		err = fmt.Errorf("%s: %s", rendered.url.Host, reasonOf(ctx, err, filled))
		if !written {
			return Receipt{}, fmt.Errorf("%w: %w", ErrNotAccepted, err)
		}
		return Receipt{}, err
	}
	if err := h.config.Success.judge(answer, filled); err != nil {
		return Receipt{}, fmt.Errorf("%s: %w", rendered.url.Host, err)
	}
	return Receipt{Reference: reference(answer.body, h.config.Reference)}, nil
}

// exchange tells with its error whether the provider may have had the request.
func (h *HTTPSender) exchange(ctx context.Context, rendered renderedRequest, header http.Header) (a answer, written bool, err error) {
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	request, err := http.NewRequestWithContext(ctx, h.config.Method, rendered.url.String(), bytes.NewReader(rendered.body))
	if err != nil {
		return answer{}, false, err
	}
	request.Header = header
	if h.config.Username != "" {
		request.SetBasicAuth(h.config.Username, h.config.Password)
	}
	// Not http.Client: it follows redirects, and puts the URL into its errors.
	response, err := h.transport.RoundTrip(request)
	if err != nil {
		return answer{}, wrote.Load(), err
	}
	defer response.Body.Close()
	a = answer{status: response.StatusCode}
	a.body, a.readErr = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if len(a.body) > maxAnswer {
		a.body, a.readErr = a.body[:maxAnswer], errors.New("the answer is longer than 64 KiB")
	}
	return a, true, nil
}

// Check asks the provider's host for "/" with HEAD, which sends nothing: the
// name resolves, TLS is verified, and something there speaks HTTP. Whether the
// credentials are right only a message tells.
func (h *HTTPSender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.config.Timeout)
	defer cancel()
	root := url.URL{Scheme: h.request.origin.Scheme, Host: h.request.origin.Host, Path: "/"}
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, root.String(), nil)
	if err != nil {
		return fmt.Errorf("otp: check %s: %w", h.config.Name, err)
	}
	response, err := h.transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("otp: check %s: %s: %s", h.config.Name, root.Host,
			reasonOf(ctx, err, values{Username: h.config.Username, Password: h.config.Password}))
	}
	return response.Body.Close()
}
