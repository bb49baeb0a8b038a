package testbed

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// SMSProvider is a fake: the real ones, 46elks and Twilio, cannot be reached
// from a test. It answers as their documentation says they do (46elks.com/docs
// /send-sms, twilio.com/docs/messaging/api/message-resource), both at once, and
// misbehaves on request.
type SMSProvider struct {
	ElksURL, TwilioURL string // where each takes a message, http on loopback
	Username, Password string // for Basic authentication; Twilio's account is Username

	server   *http.Server
	stop     chan struct{}
	stopping sync.Once

	mu       sync.Mutex
	mode     SMSMode
	requests int
	followed int
	messages []SMS
	taken    int           // by WaitMessage
	changed  chan struct{} // closed when messages or requests grow
}

// SMS is a message that the provider has taken.
type SMS struct {
	Provider       string // "46elks" or "twilio"
	From, To, Text string
	ID             string     // the provider's
	Form           url.Values // the whole request
}

// SMSMode is how the provider answers.
type SMSMode int

// The ways to answer. Only SMSTake, SMSTwice, SMSHuge, SMSReceiptFirst and
// SMSTakeAndHang take the message.
const (
	SMSTake         SMSMode = iota // takes it: 46elks 200, Twilio 201
	SMSRefuse                      // 403: no credits
	SMSUnauthorized                // 401, whatever the password
	SMSTooMany                     // 429
	SMSErrorBody                   // 200 with an error in the body
	SMSHang                        // reads the request and never answers
	SMSTwice                       // two answers to one request
	SMSHuge                        // 64 MiB of answer
	SMSRedirect                    // 307 to another path; see Followed
	SMSReceiptFirst                // the receipt that it was delivered comes before the answer
	SMSTakeAndHang                 // takes it and never answers
)

// StartSMSProvider starts the provider on a free port of loopback.
func StartSMSProvider() (*SMSProvider, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start SMS provider: %w", err)
	}
	base := "http://" + listener.Addr().String()
	p := &SMSProvider{
		Username: "AC" + rand.Text(), Password: rand.Text(),
		stop: make(chan struct{}), changed: make(chan struct{}),
	}
	p.ElksURL = base + "/a1/sms"
	p.TwilioURL = base + "/2010-04-01/Accounts/" + p.Username + "/Messages.json"
	mux := http.NewServeMux()
	mux.HandleFunc("POST /a1/sms", p.handle(elks{}))
	mux.HandleFunc("POST /2010-04-01/Accounts/"+p.Username+"/Messages.json", p.handle(twilio{}))
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.followed++
	})
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = p.server.Serve(listener) }() // returns when Stop closes it
	return p, nil
}

// Stop ends the provider, hanging answers too. It may be called again.
func (p *SMSProvider) Stop() error {
	p.stopping.Do(func() { close(p.stop) })
	return p.server.Close()
}

// SetMode changes how requests from now on are answered.
func (p *SMSProvider) SetMode(mode SMSMode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = mode
}

// Messages returns what has been taken, oldest first.
func (p *SMSProvider) Messages() []SMS {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]SMS(nil), p.messages...)
}

// Requests counts the requests to send, also those that were refused or hang.
func (p *SMSProvider) Requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// Followed counts the requests that followed SMSRedirect. A sender must not:
// it would carry its password and the code to wherever it is sent.
func (p *SMSProvider) Followed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.followed
}

// WaitMessage waits for the next message that it has not returned yet.
func (p *SMSProvider) WaitMessage(ctx context.Context) (SMS, error) {
	for {
		p.mu.Lock()
		if p.taken < len(p.messages) {
			p.taken++
			message := p.messages[p.taken-1]
			p.mu.Unlock()
			return message, nil
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return SMS{}, fmt.Errorf("wait for an SMS: %w", ctx.Err())
		}
	}
}

// WaitRequests waits until at least n requests have come, for SMSHang.
func (p *SMSProvider) WaitRequests(ctx context.Context, n int) error {
	for {
		p.mu.Lock()
		requests, changed := p.requests, p.changed
		p.mu.Unlock()
		if requests >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %d requests to send an SMS, %d so far: %w", n, requests, ctx.Err())
		}
	}
}

// note counts a request, and a message with it, and tells who waits.
func (p *SMSProvider) note(messages ...SMS) SMSMode {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(messages) == 0 {
		p.requests++
	}
	p.messages = append(p.messages, messages...)
	close(p.changed)
	p.changed = make(chan struct{})
	return p.mode
}

func (p *SMSProvider) handle(d smsDialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		mode := p.note()
		refuse := func(status int, why string) {
			contentType, body := d.refused(status, why)
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body) // the client may be gone
		}
		if err := r.ParseForm(); err != nil {
			refuse(http.StatusBadRequest, "cannot read the form")
			return
		}
		if !p.knows(r) || mode == SMSUnauthorized {
			refuse(http.StatusUnauthorized, "API access requires Basic HTTP authentication")
			return
		}
		sms, fault := d.message(r.PostForm)
		sms.ID = d.id(strings.ToLower(rand.Text()))
		if fault != "" {
			refuse(http.StatusBadRequest, fault)
			return
		}
		switch mode {
		case SMSRefuse:
			refuse(http.StatusForbidden, "Not enough credits")
		case SMSTooMany:
			refuse(http.StatusTooManyRequests, "Too Many Requests")
		case SMSErrorBody:
			_, body := d.refused(http.StatusBadRequest, "the message could not be sent")
			_, _ = io.WriteString(w, body)
		case SMSRedirect:
			http.Redirect(w, r, "/moved", http.StatusTemporaryRedirect)
		case SMSHang, SMSTakeAndHang:
			if mode == SMSTakeAndHang {
				p.note(sms)
			}
			select {
			case <-r.Context().Done():
			case <-p.stop:
			}
			panic(http.ErrAbortHandler) // to return would answer 200
		default:
			p.note(sms)
			if mode == SMSReceiptFirst {
				if status, err := p.Receipt(r.Context(), sms, "delivered", ""); err != nil || status/100 != 2 {
					refuse(http.StatusInternalServerError, fmt.Sprint("the receipt was not taken: ", status, err))
					return
				}
			}
			p.answer(w, d, sms, mode)
		}
	}
}

// knows checks the Basic authentication.
func (p *SMSProvider) knows(r *http.Request) bool {
	username, password, given := r.BasicAuth()
	return given && username == p.Username && subtle.ConstantTimeCompare([]byte(password), []byte(p.Password)) == 1
}

// answer tells that a message was taken, in a way that may be too much.
func (p *SMSProvider) answer(w http.ResponseWriter, d smsDialect, sms SMS, mode SMSMode) {
	status, body := d.taken(sms)
	w.Header().Set("Content-Type", "application/json")
	switch mode {
	case SMSTwice:
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		answer := fmt.Sprintf("HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
		_, _ = io.WriteString(connection, answer+answer)
	case SMSHuge:
		w.WriteHeader(status)
		padding := strings.Repeat(" ", 64<<10)
		for range 1024 {
			if _, err := io.WriteString(w, padding); err != nil {
				return
			}
		}
		_, _ = io.WriteString(w, body)
	default:
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
