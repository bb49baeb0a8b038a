package testbed

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// smsDialect is how one provider speaks.
type smsDialect interface {
	// message reads a request, or says what is wrong with it.
	message(form url.Values) (sms SMS, fault string)
	id(random string) string
	taken(sms SMS) (status int, body string)
	refused(status int, why string) (contentType, body string)
}

// e164 is a phone number as both providers want it.
func e164(number string) bool { return regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`).MatchString(number) }

// jsonText writes a map of strings, numbers and nils, which always can be.
func jsonText(v map[string]any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

type elks struct{}

func (elks) message(form url.Values) (SMS, string) {
	for _, key := range []string{"from", "to", "message"} {
		if form.Get(key) == "" {
			return SMS{}, "Missing key " + key
		}
	}
	if !e164(form.Get("to")) {
		return SMS{}, "Invalid to number"
	}
	return SMS{Provider: "46elks", From: form.Get("from"), To: form.Get("to"), Text: form.Get("message"), Form: form}, ""
}

func (elks) id(random string) string { return "s" + random }

func (elks) taken(sms SMS) (int, string) {
	return http.StatusOK, jsonText(map[string]any{
		"status": "created", "id": sms.ID, "from": sms.From, "to": sms.To, "message": sms.Text,
		"created": time.Now().UTC().Format("2006-01-02T15:04:05.000000"), "direction": "outgoing", "cost": 5200, "parts": 1,
	})
}

// refused is plain text, as 46elks answers.
func (elks) refused(_ int, why string) (string, string) { return "text/plain; charset=utf-8", why }

type twilio struct{}

func (twilio) message(form url.Values) (SMS, string) {
	from := form.Get("From") + form.Get("MessagingServiceSid")
	switch {
	case form.Get("To") == "":
		return SMS{}, "A 'To' phone number is required."
	case from == "":
		return SMS{}, "A 'From' phone number is required."
	case form.Get("Body") == "":
		return SMS{}, "Message body is required."
	case !e164(form.Get("To")):
		return SMS{}, fmt.Sprintf("The 'To' number %s is not a valid phone number.", form.Get("To"))
	}
	return SMS{Provider: "twilio", From: from, To: form.Get("To"), Text: form.Get("Body"), Form: form}, ""
}

func (twilio) id(random string) string { return "SM" + random }

func (twilio) taken(sms SMS) (int, string) {
	return http.StatusCreated, jsonText(map[string]any{
		"sid": sms.ID, "status": "queued", "from": sms.From, "to": sms.To, "body": sms.Text,
		"num_segments": "1", "direction": "outbound-api", "error_code": nil, "error_message": nil,
	})
}

// refused is JSON with Twilio's codes (twilio.com/docs/api/errors).
func (twilio) refused(status int, why string) (string, string) {
	code, known := map[int]int{
		http.StatusUnauthorized: 20003, http.StatusForbidden: 20005, http.StatusBadRequest: 21211, http.StatusTooManyRequests: 20429,
	}[status]
	if !known {
		code = 20500
	}
	return "application/json", jsonText(map[string]any{
		"code": code, "message": why, "status": status,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code),
	})
}
