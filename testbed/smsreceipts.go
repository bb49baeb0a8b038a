package testbed

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Receipt tells the address that came with a message what became of it, as its
// provider does: 46elks by a form with id and status, Twilio by a signed one
// (46elks.com/docs/sms-delivery-reports, twilio.com/docs/usage/security). It
// returns the status of the answer.
func (p *SMSProvider) Receipt(ctx context.Context, sms SMS, status, reason string) (int, error) {
	return p.receipt(ctx, sms, status, reason, p.Password)
}

// ForgedReceipt is one of somebody who knows the address and not its secret.
func (p *SMSProvider) ForgedReceipt(ctx context.Context, sms SMS, status string) (int, error) {
	address := sms.callback()
	if cut, _, ok := strings.Cut(address, "?"); ok {
		address = cut + "?secret=guessed-guessed-guessed"
	}
	sms.Form = url.Values{"whendelivered": {address}}
	return p.receipt(ctx, sms, status, "", "guessed")
}

func (s SMS) callback() string { return s.Form.Get("whendelivered") + s.Form.Get("StatusCallback") }

func (p *SMSProvider) receipt(ctx context.Context, sms SMS, status, reason, token string) (int, error) {
	address := sms.callback()
	if address == "" {
		return 0, errors.New("receipt: the message came without an address for it")
	}
	form := url.Values{"id": {sms.ID}, "status": {status}}
	if sms.Provider == "twilio" {
		form = url.Values{"MessageSid": {sms.ID}, "MessageStatus": {status}, "AccountSid": {p.Username}, "To": {sms.To}}
		if reason != "" {
			form.Set("ErrorCode", reason)
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, fmt.Errorf("receipt: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if sms.Provider == "twilio" {
		r.Header.Set("X-Twilio-Signature", twilioSignature(token, address, form))
	}
	client := &http.Client{Timeout: 10 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("receipt: %w", err)
	}
	return answer.StatusCode, answer.Body.Close()
}

func twilioSignature(token, address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(address))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		mac.Write([]byte(name + form.Get(name)))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
