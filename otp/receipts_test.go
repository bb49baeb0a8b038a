package otp

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stagedoor/store"
)

const receiptSecret = "a-secret-of-receipts"

func receiptsOf(auth string) ReceiptConfig {
	return ReceiptConfig{
		Sender: "elks", Auth: auth, Secret: receiptSecret, Username: "elks", Address: "https://portal.example/receipt/elks",
		ID: "id", Status: "status", Reason: "reason", Delivered: []string{"delivered", "1"}, Failed: []string{"failed"},
	}
}

func newReader(t *testing.T, config ReceiptConfig) *ReceiptReader {
	t.Helper()
	reader, err := NewReceiptReader(config)
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

// form is a request of a provider.
func form(address, body string, header ...string) (*http.Request, []byte) {
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	r := httptest.NewRequest(method, address, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r, []byte(body)
}

func hmacOf(body string) []byte {
	mac := hmac.New(sha256.New, []byte(receiptSecret))
	mac.Write([]byte(body))
	return mac.Sum(nil)
}

func TestReceiptsProveThemselves(t *testing.T) {
	const good, body = "/receipt/elks?secret=" + receiptSecret, "id=s1&status=failed&reason=30003"
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("elks:"+receiptSecret))
	object := `{"id": "s1", "status": "failed", "reason": "30003"}`
	failed := store.SendReceipt{Sender: "elks", Reference: "s1", State: store.SendUndelivered, Reason: "failed 30003"}
	for _, test := range []struct {
		name, auth, address, body string
		header                    []string
		forged                    bool
	}{
		{"query", "query-secret", good, body, nil, false},
		{"query, as Kannel asks", "query-secret", good + "&id=s1&status=failed&reason=30003", "", nil, false},
		{"query, JSON", "query-secret", good, object, []string{"Content-Type", "application/json; charset=utf-8"}, false},
		{"no secret", "query-secret", "/receipt/elks", body, nil, true},
		{"a wrong secret", "query-secret", good + "x", body, nil, true},
		{"the start of the secret", "query-secret", good[:len(good)-1], body, nil, true},
		{"the secret twice", "query-secret", good + "&secret=x", body, nil, true},
		{"the secret in the body", "query-secret", "/receipt/elks", body + "&secret=" + receiptSecret, nil, true},
		{"a query that cannot be read", "query-secret", good + "&x=%zz", body, nil, true},
		{"basic", "basic", "/receipt/elks", body, []string{"Authorization", basic}, false},
		{"basic, wrong", "basic", "/receipt/elks", body, []string{"Authorization", basic[:len(basic)-4]}, true},
		{"basic, none", "basic", good, body, nil, true},
		{"hmac in hex", "hmac", "/receipt/elks", body, []string{"X-Signature", hex.EncodeToString(hmacOf(body))}, false},
		{"hmac in capitals", "hmac", "/receipt/elks", body, []string{"X-Signature", "sha256=" + strings.ToUpper(hex.EncodeToString(hmacOf(body)))}, false},
		{"hmac in base64", "hmac", "/receipt/elks", body, []string{"X-Signature", base64.StdEncoding.EncodeToString(hmacOf(body))}, false},
		{"hmac in base64 for addresses", "hmac", "/receipt/elks", object, []string{"X-Signature", base64.RawURLEncoding.EncodeToString(hmacOf(object)), "Content-Type", "application/json"}, false},
		{"hmac of something else", "hmac", "/receipt/elks", body, []string{"X-Signature", hex.EncodeToString(hmacOf(body + "x"))}, true},
		{"hmac, none", "hmac", "/receipt/elks", body, nil, true},
		{"hmac, no hex", "hmac", "/receipt/elks", body, []string{"X-Signature", "¤¤"}, true},
		{"hmac of nothing", "hmac", "/receipt/elks?id=s1&status=failed&reason=30003", "", []string{"X-Signature", hex.EncodeToString(hmacOf(""))}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, raw := form(test.address, test.body, test.header...)
			got, err := newReader(t, receiptsOf(test.auth)).Read(request, raw)
			if errors.Is(err, ErrForged) != test.forged || !test.forged && err != nil {
				t.Fatalf("error is %v", err)
			}
			if diff := cmp.Diff(failed, got); !test.forged && diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is not signed does not count: somebody who has seen a signed body could
// else send it once more with another query.
func TestHMACCoversTheFields(t *testing.T) {
	body := "other=1"
	request, raw := form("/receipt/elks?id=s1&status=delivered", body, "X-Signature", hex.EncodeToString(hmacOf(body)))
	if got, err := newReader(t, receiptsOf("hmac")).Read(request, raw); !errors.Is(err, ErrUnreadable) {
		t.Errorf("%+v, %v", got, err)
	}
}

// The signatures are those of the example in Twilio's documentation, and of the
// same with and without the port.
func TestTwilioSignature(t *testing.T) {
	config := receiptsOf("twilio")
	config.Secret, config.ID, config.Status = "12345-and-then-more", "CallSid", "Digits"
	config.Delivered = []string{"1234"}
	body := "CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&From=%2B12349013030&To=%2B18005551212"
	signed := func(address string) string {
		mac := hmac.New(sha1.New, []byte(config.Secret))
		mac.Write([]byte(address + "CallSidCA1234567890ABCDECaller+12349013030Digits1234From+12349013030To+18005551212"))
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	for _, test := range []struct {
		name, public, signed string
		body                 string
		contentType          string
		forged               bool
	}{
		{"plain", "https://portal.example", "https://portal.example", body, "", false},
		{"signed with the port", "https://portal.example", "https://portal.example:443", body, "", false},
		{"a port of its own", "https://portal.example:8443", "https://portal.example:8443", body, "", false},
		{"a port of its own, signed without", "https://portal.example:8443", "https://portal.example", body, "", false},
		{"another port", "https://portal.example", "https://portal.example:8443", body, "", true},
		{"another host", "https://portal.example", "https://evil.example", body, "", true},
		{"another field", "https://portal.example", "https://portal.example", body + "&x=y", "", true},
		{"JSON, which is not signed", "https://portal.example", "https://portal.example", `{"CallSid": "x", "Digits": "1234"}`, "application/json", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := config
			config.Address = test.public + "/receipt/elks"
			request, raw := form("/receipt/elks?foo=1&bar=2", test.body, "X-Twilio-Signature", signed(test.signed+"/receipt/elks?foo=1&bar=2"))
			if test.contentType != "" {
				request.Header.Set("Content-Type", test.contentType)
			}
			got, err := newReader(t, config).Read(request, raw)
			if errors.Is(err, ErrForged) != test.forged || !test.forged && (err != nil || got.State != store.SendDelivered) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	// https://www.twilio.com/docs/usage/security
	example := config
	example.Secret, example.Address = "12345", "https://mycompany.com/myapp.php"
	reader := &ReceiptReader{config: example, address: &url.URL{Scheme: "https", Host: "mycompany.com", Path: "/myapp.php"}}
	request, raw := form("/myapp.php?foo=1&bar=2", body, "X-Twilio-Signature", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")
	if _, err := reader.Read(request, raw); err != nil {
		t.Errorf("the documentation's own example: %v", err)
	}
}

func TestReceiptStates(t *testing.T) {
	reader := newReader(t, receiptsOf("query-secret"))
	for body, want := range map[string]store.SendState{
		"id=s1&status=delivered": store.SendDelivered, "id=s1&status=DELIVERED": store.SendDelivered, "id=s1&status=1": store.SendDelivered,
		"id=s1&status=failed": store.SendUndelivered, "id=s1&status=sent": "", "id=s1&status=whatever": "",
	} {
		request, raw := form("/receipt/elks?secret="+receiptSecret, body)
		if got, err := reader.Read(request, raw); err != nil || got.State != want || got.Reference != "s1" {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{"id=s1", "status=failed", "id=&status=failed", "id=" + strings.Repeat("x", 129) + "&status=failed", "%zz", "{"} {
		request, raw := form("/receipt/elks?secret="+receiptSecret, body)
		if got, err := reader.Read(request, raw); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

func TestCallback(t *testing.T) {
	for auth, want := range map[string]string{
		"query-secret": "https://portal.example/receipt/elks?secret=" + receiptSecret,
		"basic":        "https://elks:" + receiptSecret + "@portal.example/receipt/elks",
		"twilio":       "https://portal.example/receipt/elks",
		"hmac":         "https://portal.example/receipt/elks",
	} {
		if got := newReader(t, receiptsOf(auth)).Callback(); got != want {
			t.Errorf("%s: %s", auth, got)
		}
	}
}

// The provider gets the callback escaped, and when it repeats it in an error
// the secret is not in ours.
func TestCallbackInTheRequest(t *testing.T) {
	base, requests := rawServer(t, jsonAnswer("400 Bad Request", `{"message": "secret=`+receiptSecret+` is not a good URL"}`))
	reader := newReader(t, receiptsOf("query-secret"))
	config := elks(base)
	config.Body += "&whendelivered={{urlquery .Callback}}"
	config.Callback, config.CallbackSecret = reader.Callback(), receiptSecret
	_, err := newSender(t, config).Send(t.Context(), sample)
	if err == nil || strings.Contains(err.Error(), receiptSecret) {
		t.Errorf("error is %v", err)
	}
	if got := <-requests; !strings.Contains(got, "&whendelivered=https%3A%2F%2Fportal.example%2Freceipt%2Felks%3Fsecret%3D"+receiptSecret) {
		t.Errorf("the request is %s", got)
	}
}

func TestNewReceiptReaderReportsEverything(t *testing.T) {
	_, err := NewReceiptReader(ReceiptConfig{Auth: "basic", Secret: "short", Failed: []string{"x"}, Address: "/"})
	for _, want := range []string{"secret:", "username:", "id:", "status:", "delivered:", "address:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
	config := receiptsOf("none")
	config.Failed = []string{"Delivered"}
	if _, err = NewReceiptReader(config); err == nil || !strings.Contains(err.Error(), "auth:") || !strings.Contains(err.Error(), "failed:") {
		t.Errorf("error is %v", err)
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add("id=s1&status=failed", "secret="+receiptSecret, "application/x-www-form-urlencoded", "x")
	f.Add(`{"id": [1], "status": {"a": "b"}}`, "", "application/json", "sha256=00")
	f.Add("", "%", "a/b;;", "\xff")
	f.Fuzz(func(t *testing.T, body, query, contentType, signature string) {
		for _, auth := range []string{"query-secret", "basic", "twilio", "hmac"} {
			reader := newReader(t, receiptsOf(auth))
			r := &http.Request{Method: "POST", URL: &url.URL{Path: "/receipt/elks", RawQuery: query}, Header: http.Header{
				"Content-Type": {contentType}, "X-Signature": {signature}, "X-Twilio-Signature": {signature}, "Authorization": {signature}}}
			receipt, err := reader.Read(r, []byte(body))
			if err == nil && auth != "query-secret" {
				t.Fatalf("%s took it without its secret: %+v", auth, receipt)
			}
			if err == nil && !bytes.Contains([]byte(query), []byte("secret")) {
				t.Fatal("taken without the secret")
			}
		}
	})
}
