package testbed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func startSMSProvider(t *testing.T) *SMSProvider {
	t.Helper()
	p, err := StartSMSProvider()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

// send posts a form and returns the status and up to 1 MiB of body.
func send(t *testing.T, p *SMSProvider, address, password string, form url.Values) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(p.Username, password)
	r.Close = true // net/http complains of a second answer on a connection it keeps
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body
}

func TestSMSProvider(t *testing.T) {
	elksForm := url.Values{"from": {"Stagedoor"}, "to": {"+46701234567"}, "message": {"Kod 123456 åäö"}}
	twilioForm := url.Values{"From": {"+46766860000"}, "To": {"+46701234567"}, "Body": {"Kod 123456 åäö"}}
	with := func(form url.Values, key, value string) url.Values {
		changed := url.Values{}
		for k := range form {
			changed.Set(k, form.Get(k))
		}
		changed.Set(key, value)
		return changed
	}
	for name, c := range map[string]struct {
		twilio   bool
		mode     SMSMode
		form     url.Values
		password string // "" is the right one
		status   int
		json     bool   // the whole body is
		body     string // part of it
		taken    bool
	}{
		"46elks takes it":             {form: elksForm, status: 200, json: true, body: `"status":"created"`, taken: true},
		"46elks, wrong password":      {form: elksForm, password: "x", status: 401, body: "Basic HTTP"},
		"46elks, no number":           {form: with(elksForm, "to", ""), status: 400, body: "Missing key to"},
		"46elks, number not E.164":    {form: with(elksForm, "to", "070-1234567"), status: 400, body: "Invalid to number"},
		"46elks, no credits":          {form: elksForm, mode: SMSRefuse, status: 403, body: "Not enough credits"},
		"46elks, 401":                 {form: elksForm, mode: SMSUnauthorized, status: 401, body: "Basic HTTP"},
		"46elks, error in a 200":      {form: elksForm, mode: SMSErrorBody, status: 200, body: "could not be sent"},
		"46elks, redirect":            {form: elksForm, mode: SMSRedirect, status: 307},
		"46elks, two answers":         {form: elksForm, mode: SMSTwice, status: 200, json: true, body: `"id":"s`, taken: true},
		"46elks, endless answer":      {form: elksForm, mode: SMSHuge, status: 200, body: strings.Repeat(" ", 1<<20), taken: true},
		"Twilio takes it":             {twilio: true, form: twilioForm, status: 201, json: true, body: `"sid":"SM`, taken: true},
		"Twilio, messaging service":   {twilio: true, form: with(with(twilioForm, "From", ""), "MessagingServiceSid", "MG1"), status: 201, json: true, body: `"status":"queued"`, taken: true},
		"Twilio, wrong password":      {twilio: true, form: twilioForm, password: "x", status: 401, json: true, body: `"code":20003`},
		"Twilio, number not E.164":    {twilio: true, form: with(twilioForm, "To", "070"), status: 400, json: true, body: `"code":21211`},
		"Twilio, no text":             {twilio: true, form: with(twilioForm, "Body", ""), status: 400, json: true, body: "Message body is required."},
		"Twilio, too many":            {twilio: true, form: twilioForm, mode: SMSTooMany, status: 429, json: true, body: `"code":20429`},
		"Twilio, error in a 200":      {twilio: true, form: twilioForm, mode: SMSErrorBody, status: 200, json: true, body: `"code":21211`},
		"Twilio, account has no form": {twilio: true, form: url.Values{}, status: 400, json: true, body: "'To' phone number is required"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startSMSProvider(t)
			p.SetMode(c.mode)
			address, provider := p.ElksURL, "46elks"
			if c.twilio {
				address, provider = p.TwilioURL, "twilio"
			}
			password := p.Password
			if c.password != "" {
				password = c.password
			}
			status, body := send(t, p, address, password, c.form)
			if status != c.status || !bytes.Contains(body, []byte(c.body)) || json.Valid(body) != c.json {
				t.Errorf("answer %d %.200q, want %d with %.80q, JSON %v", status, body, c.status, c.body, c.json)
			}
			if got := len(p.Messages()); got != map[bool]int{true: 1}[c.taken] {
				t.Fatalf("%d messages taken, want %v", got, c.taken)
			}
			if p.Requests() != 1 || p.Followed() != 0 {
				t.Errorf("requests %d, followed %d", p.Requests(), p.Followed())
			}
			if c.taken {
				sms, err := p.WaitMessage(t.Context())
				if err != nil || sms.Provider != provider || sms.To != "+46701234567" || sms.Text != "Kod 123456 åäö" || sms.From == "" {
					t.Errorf("message %+v, %v", sms, err)
				}
			}
		})
	}
}

func TestSMSProviderHangsUntilStopped(t *testing.T) {
	p := startSMSProvider(t)
	p.SetMode(SMSHang)
	ended := make(chan error, 1)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.ElksURL, strings.NewReader("from=a&to=%2B46701234567&message=c"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(p.Username, p.Password)
	go func() {
		answer, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = answer.Body.Close()
		}
		ended <- err
	}()
	if err := p.WaitRequests(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.WaitMessage(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("WaitMessage = %v, want the deadline", err)
	}
	select {
	case err := <-ended:
		t.Fatalf("the request ended with %v", err)
	default:
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the request was answered")
	}
}

func TestSMSProviderFollowed(t *testing.T) {
	p := startSMSProvider(t)
	p.SetMode(SMSRedirect)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.ElksURL, strings.NewReader("from=a&to=%2B46701234567&message=c"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(p.Username, p.Password)
	answer, err := http.DefaultClient.Do(r) // follows
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if p.Followed() != 1 || len(p.Messages()) != 0 {
		t.Errorf("followed %d, messages %d", p.Followed(), len(p.Messages()))
	}
}
