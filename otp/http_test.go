package otp

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var sample = Message{ID: "MSGID", To: annasPhone,
	Text: "123456 är din kod till Amido & Co. Lämna aldrig ut den.\n\n@portal.example.se #123456"}

// elks is 46elks as configured.
func elks(base string) HTTPConfig {
	return HTTPConfig{
		Name: "46elks", URL: base + "/a1/sms", Username: "u1234", Password: "s3cret-p4ss",
		Body:      "from=Backstage&to={{urlquery .To}}&message={{urlquery .Text}}",
		Success:   HTTPSuccess{JSONPath: "status", Equals: []string{"created", "sent"}, Refused: []string{"rejected"}},
		Reference: "id",
	}
}

func newSender(t *testing.T, config HTTPConfig) *HTTPSender {
	t.Helper()
	sender, err := NewHTTPSender(config)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

// rawServer answers one request with fixed bytes and hands over those that came.
func rawServer(t *testing.T, answer string) (base string, request <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	requests := make(chan string, 1)
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		var seen strings.Builder
		read, err := http.ReadRequest(bufio.NewReader(io.TeeReader(connection, &seen)))
		if err == nil {
			_, _ = io.Copy(io.Discard, read.Body)
		}
		requests <- seen.String()
		_, _ = io.WriteString(connection, answer)
	}()
	return "http://" + listener.Addr().String(), requests
}

func jsonAnswer(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

func TestProvidersGetExactlyThis(t *testing.T) {
	const form = "123456+%C3%A4r+din+kod+till+Amido+%26+Co.+L%C3%A4mna+aldrig+ut+den.%0A%0A%40portal.example.se+%23123456"
	for _, test := range []struct {
		name      string
		config    HTTPConfig
		answer    string
		request   string // with CRLF as \n and the host as HOST
		reference string
	}{
		{
			name:      "46elks",
			config:    elks(""),
			answer:    jsonAnswer("200 OK", `{"status": "created", "direction": "outgoing", "id": "s70df59406a1b4643b96f3f91e0bfb7b0", "cost": 3500}`),
			reference: "s70df59406a1b4643b96f3f91e0bfb7b0",
			request: "POST /a1/sms HTTP/1.1\nHost: HOST\nUser-Agent: Stagedoor\nContent-Length: 144\n" +
				"Authorization: Basic dTEyMzQ6czNjcmV0LXA0c3M=\nContent-Type: application/x-www-form-urlencoded\nConnection: close\n\n" +
				"from=Backstage&to=%2B46701234567&message=" + form,
		},
		{
			name: "Twilio",
			config: HTTPConfig{
				URL:      "/2010-04-01/Accounts/{{path .Username}}/Messages.json",
				Username: "AC0123", Password: "t0ken",
				Body:      "To={{urlquery .To}}&MessagingServiceSid=MG99&Body={{urlquery .Text}}\n",
				Reference: "sid",
			},
			answer:    jsonAnswer("201 Created", `{"sid": "SM123", "status": "queued", "error_code": null}`),
			reference: "SM123",
			request: "POST /2010-04-01/Accounts/AC0123/Messages.json HTTP/1.1\nHost: HOST\nUser-Agent: Stagedoor\nContent-Length: 151\n" +
				"Authorization: Basic QUMwMTIzOnQwa2Vu\nContent-Type: application/x-www-form-urlencoded\nConnection: close\n\n" +
				"To=%2B46701234567&MessagingServiceSid=MG99&Body=" + form,
		},
		{
			name: "JSON with a bearer token",
			config: HTTPConfig{
				URL: "/v1/messages", Password: "t0ken", Method: "PUT",
				Headers: []HTTPHeader{{"Content-Type", "application/json"}, {"Authorization", "Bearer {{.Password}}"}, {"X-Message", "{{.ID}}"}},
				Body:    `{"messages": [{"to": {{json .To}}, "text": {{json .Text}}}], "note": null}`,
				Success: HTTPSuccess{StatusFrom: 202, StatusTo: 202, JSONPath: "messages.0.accepted", Equals: []string{"true"}}, Reference: "messages.0.id",
			},
			answer:    jsonAnswer("202 Accepted", `{"messages": [{"id": 12345678901234567890, "accepted": true}]}`),
			reference: "12345678901234567890",
			request: "PUT /v1/messages HTTP/1.1\nHost: HOST\nUser-Agent: Stagedoor\nContent-Length: 156\n" +
				"Authorization: Bearer t0ken\nContent-Type: application/json\nX-Message: MSGID\nConnection: close\n\n" +
				`{"messages": [{"to": "+46701234567", "text": "123456 är din kod till Amido \u0026 Co. Lämna aldrig ut den.\n\n@portal.example.se #123456"}], "note": null}`,
		},
		{
			name: "Kannel",
			config: HTTPConfig{
				Method: "GET", Password: "p&w",
				URL:     "/cgi-bin/sendsms?username=stagedoor&password={{urlquery .Password}}&to={{urlquery .To}}&charset=UTF-8&coding=0&text={{urlquery .Text}}",
				Success: HTTPSuccess{Contains: "0: Accepted"},
			},
			answer: "HTTP/1.1 202 Accepted\r\nContent-Length: 24\r\n\r\n0: Accepted for delivery",
			request: "GET /cgi-bin/sendsms?username=stagedoor&password=p%26w&to=%2B46701234567&charset=UTF-8&coding=0&text=" + form +
				" HTTP/1.1\nHost: HOST\nUser-Agent: Stagedoor\nConnection: close\n\n",
		},
		{
			name: "XML",
			config: HTTPConfig{
				URL: "/soap", Headers: []HTTPHeader{{"Content-Type", "text/xml; charset=utf-8"}},
				Body: `<sms to="{{slice .To 1}}"><text>{{xml .Text}}</text></sms>`,
			},
			answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			request: "POST /soap HTTP/1.1\nHost: HOST\nUser-Agent: Stagedoor\nContent-Length: 138\nContent-Type: text/xml; charset=utf-8\nConnection: close\n\n" +
				`<sms to="46701234567"><text>123456 är din kod till Amido &amp; Co. Lämna aldrig ut den.&#xA;&#xA;@portal.example.se #123456</text></sms>`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			base, requests := rawServer(t, test.answer)
			config := test.config
			config.URL = base + config.URL
			receipt, err := newSender(t, config).Send(t.Context(), sample)
			if err != nil {
				t.Fatal(err)
			}
			if receipt.Reference != test.reference {
				t.Errorf("reference is %q, want %q", receipt.Reference, test.reference)
			}
			got := strings.ReplaceAll(strings.ReplaceAll(<-requests, "\r\n", "\n"), strings.TrimPrefix(base, "http://"), "HOST")
			if got != test.request {
				t.Errorf("got\n%s\nwant\n%s", got, test.request)
			}
		})
	}
}

// wantSafe demands that an error tells nothing of what was sent.
func wantSafe(t *testing.T, err error) {
	t.Helper()
	text := strings.ToLower(err.Error())
	for _, secret := range []string{"123456", "123 456", "234567", "kod till", "467012", "u1234", "s3cret", "token=", "portal.example"} {
		if strings.Contains(text, secret) {
			t.Errorf("the error holds %q: %v", secret, err)
		}
	}
}

func TestProviderThatMisbehaves(t *testing.T) {
	body := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}
	for _, test := range []struct {
		name        string
		handler     http.HandlerFunc
		want        string
		notAccepted bool
	}{
		{"no credit", body(402, "Not enough credits"), "status 402: Not enough credits", true},
		{"missing key", body(400, `{"code": 21211, "message": "Invalid 'To' number"}`), `status 400: {"code": 21211, "message": "Invalid 'To' number"}`, true},
		{"too fast", body(429, ""), "status 429: (nothing)", true},
		{"closed for repair", body(503, "later"), "status 503", true},
		{"broken inside", body(500, "oops"), "status 500: oops", false},
		{"error body with 200", body(200, `{"status": "failed", "id": "s1"}`), `status is not that of a success: {"status": "failed"`, false},
		{"refused with 200", body(200, `{"status": "rejected", "why": "no credit"}`), `refused: {"status": "rejected"`, true},
		{"200 and no JSON", body(200, "<html>Welcome</html>"), "status is not that of a success", false},
		{"200 and nothing", body(200, ""), "(nothing)", false},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?token=1", http.StatusTemporaryRedirect)
		}, "status 307", false},
		{"redirect to nonsense", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://[::1/123456")
			w.WriteHeader(302)
		}, "status 302", false},
		{"huge answer", body(200, `{"status": "created", "x": "`+strings.Repeat("x", 10<<20)), "longer than 64 KiB", false},
		{"huge error", body(400, strings.Repeat("x", 10<<20)), "status 400: xxx", true},
		{"echoes the text", func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			w.WriteHeader(400)
			_, _ = io.WriteString(w, "bad text: "+r.Form.Get("message"))
		}, "not shown", true},
		{"echoes the form", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(400)
			_, _ = io.Copy(w, r.Body)
		}, "not shown", true},
		{"echoes the code with a space", body(400, `{"text": "123 456 \u00e4r din kod"}`), "not shown", true},
		{"echoes the number", body(400, "no route to +46 70-123 45 67"), "not shown", true},
		{"echoes the credentials", func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			w.WriteHeader(401)
			_, _ = fmt.Fprint(w, user, " ", password)
		}, "not shown", true},
		{"escape sequences", body(400, "\x1b[2Jbad\r\nlog: forged\x00"), "status 400: [2Jbad  log: forged", true},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", false},
		{"hangs up in the body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"status": "created"`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "unexpected EOF", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			requests := 0
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				test.handler(w, r)
			}))
			server.Config.ErrorLog = discardLog(t)
			server.Start()
			defer server.Close()
			_, err := newSender(t, elks(server.URL)).Send(t.Context(), sample)
			if err == nil {
				t.Fatal("it was taken as a success")
			}
			if !strings.Contains(err.Error(), test.want) || len(err.Error()) > 400 {
				t.Errorf("error is %q, want %q in it", err, test.want)
			}
			if errors.Is(err, ErrNotAccepted) != test.notAccepted {
				t.Errorf("not accepted is %v: %v", !test.notAccepted, err)
			}
			wantSafe(t, err)
			if server.Close(); requests != 1 {
				t.Errorf("%d requests, want 1", requests)
			}
		})
	}
}

func TestProviderThatSpeaksNoHTTP(t *testing.T) {
	base, _ := rawServer(t, "SSH-2.0-123456\r\n")
	_, err := newSender(t, elks(base)).Send(t.Context(), sample)
	if err == nil || errors.Is(err, ErrNotAccepted) {
		t.Fatalf("error is %v", err)
	}
	wantSafe(t, err)
}

func TestProviderThatHangs(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		close(gone)
	}))
	defer server.Close()
	config := elks(server.URL)
	config.Timeout = 50 * time.Millisecond
	_, err := newSender(t, config).Send(t.Context(), sample)
	if err == nil || !strings.Contains(err.Error(), "no answer in time") || errors.Is(err, ErrNotAccepted) {
		t.Errorf("error is %v", err)
	}
	wantSafe(t, err)
	<-gone
}

func TestProviderThatTrickles(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"status": `)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	config := elks(server.URL)
	config.Timeout = 50 * time.Millisecond
	if _, err := newSender(t, config).Send(t.Context(), sample); err == nil || errors.Is(err, ErrNotAccepted) {
		t.Errorf("error is %v", err)
	}
}

func TestProviderThatIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	sender := newSender(t, elks(base))
	if _, err := sender.Send(t.Context(), sample); !errors.Is(err, ErrNotAccepted) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("Send: %v", err)
	}
	if err := sender.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("Check: %v", err)
	}
}

func TestTLSIsVerified(t *testing.T) {
	requests := make(chan string, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Method + " " + r.URL.Path
		_, _ = io.WriteString(w, `{"status": "created", "id": "s1"}`)
	}))
	server.Config.ErrorLog = discardLog(t)
	server.StartTLS()
	defer server.Close()
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(caFile, block, 0o600); err != nil {
		t.Fatal(err)
	}
	stranger := newSender(t, elks(server.URL))
	if _, err := stranger.Send(t.Context(), sample); !errors.Is(err, ErrNotAccepted) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("Send with an unknown CA: %v", err)
	}
	if err := stranger.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("Check with an unknown CA: %v", err)
	}
	if len(requests) != 0 {
		t.Fatal("something was sent to a stranger")
	}
	config := elks(server.URL)
	config.CAFile = caFile
	trusted := newSender(t, config)
	if err := trusted.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	if got := <-requests; got != "HEAD /" {
		t.Errorf("Check made the request %q", got)
	}
	if receipt, err := trusted.Send(t.Context(), sample); receipt.Reference != "s1" || err != nil {
		t.Errorf("Send: %+v, %v", receipt, err)
	}
	if version := trusted.transport.TLSClientConfig.MinVersion; version != tls.VersionTLS12 {
		t.Errorf("lowest TLS version is %x", version)
	}
}

func TestNewHTTPSenderRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*HTTPConfig)
		want   string
	}{
		{"no URL", func(c *HTTPConfig) { c.URL = "" }, "names no host"},
		{"plain http", func(c *HTTPConfig) { c.URL = "http://sms.example/a1" }, "use https"},
		{"plain http to a name that begins with localhost", func(c *HTTPConfig) { c.URL = "http://localhost.example/" }, "use https"},
		{"another scheme", func(c *HTTPConfig) { c.URL = "ftp://sms.example/" }, "not https"},
		{"credentials in the URL", func(c *HTTPConfig) { c.URL = "https://u:p@sms.example/" }, "own settings"},
		{"a value in the host", func(c *HTTPConfig) { c.URL = "https://sms.example{{.To}}/" }, "host"},
		{"a value as the host", func(c *HTTPConfig) { c.URL = "https://{{.ID}}/" }, "names no host"},
		{"a value before the host", func(c *HTTPConfig) { c.URL = "https://sms.example{{.ID}}@evil.example/" }, "host"},
		{"a bare value in the path", func(c *HTTPConfig) { c.URL = "https://sms.example/{{.Text}}" }, "not escaped"},
		{"a bare value in the query", func(c *HTTPConfig) { c.URL = "https://sms.example/?text={{.Text}}" }, "not escaped"},
		{"a bare number in the query", func(c *HTTPConfig) { c.URL = "https://sms.example/?to={{.To}}" }, "plus"},
		{"a fragment", func(c *HTTPConfig) { c.URL = "https://sms.example/#{{urlquery .Text}}" }, "fragment"},
		{"a bare text in a form", func(c *HTTPConfig) { c.Body = "message={{.Text}}" }, "not escaped"},
		{"a bare number in a form", func(c *HTTPConfig) { c.Body = "to={{.To}}&message={{urlquery .Text}}" }, "plus"},
		{"a bare password in a form", func(c *HTTPConfig) { c.Body = "key={{.Password}}" }, "not escaped"},
		{"a value as a field's name", func(c *HTTPConfig) { c.Body = "{{urlquery .Text}}=1" }, "not escaped"},
		{"escaped for JSON in a form", func(c *HTTPConfig) { c.Body = "message={{json .Text}}" }, "not escaped"},
		{"spaces in a form", func(c *HTTPConfig) { c.Body = "from=a &to=b" }, "no spaces"},
		{"a bare text in JSON", func(c *HTTPConfig) { asJSONBody(c, `{"text": "{{.Text}}"}`) }, "not escaped"},
		{"escaped for a query in JSON", func(c *HTTPConfig) { asJSONBody(c, `{"text": "{{urlquery .Text}}"}`) }, "not escaped"},
		{"escaped for HTML in JSON", func(c *HTTPConfig) { asJSONBody(c, `{"text": "{{html .Text}}"}`) }, "not escaped"},
		{"broken JSON", func(c *HTTPConfig) { asJSONBody(c, `{"text": {{json .Text}}`) }, "not JSON"},
		{"a bare text in XML", func(c *HTTPConfig) {
			c.Headers, c.Body = []HTTPHeader{{"Content-Type", "text/xml"}}, "<a>{{.Text}}</a>"
		}, "not escaped"},
		{"an unknown content type", func(c *HTTPConfig) { c.Headers = []HTTPHeader{{"content-type", "multipart/form-data"}} }, "content type"},
		{"a text in a header", func(c *HTTPConfig) { c.Headers = []HTTPHeader{{"X-Text", "{{.Text}}"}} }, "header X-Text"},
		{"a line break in the password", func(c *HTTPConfig) {
			c.Password, c.Headers = "a\nb", []HTTPHeader{{"Authorization", "Bearer {{.Password}}"}}
		}, "header Authorization"},
		{"an unknown field", func(c *HTTPConfig) { c.Body = "a={{.Code}}" }, "cannot be filled in"},
		{"an unknown function", func(c *HTTPConfig) { c.Body = "a={{escape .Text}}" }, "escape"},
		{"a broken template", func(c *HTTPConfig) { c.Body = "a={{" }, "body"},
		{"an unknown method", func(c *HTTPConfig) { c.Method = "DELETE" }, "DELETE"},
		{"a body with GET", func(c *HTTPConfig) { c.Method = "GET" }, "no body"},
		{"redirects as a success", func(c *HTTPConfig) { c.Success = HTTPSuccess{StatusFrom: 200, StatusTo: 399} }, "not within 200 to 299"},
		{"a path without values", func(c *HTTPConfig) { c.Success.Equals = nil }, "belong together"},
		{"refused that is a success", func(c *HTTPConfig) { c.Success.Refused = []string{"sent"} }, "cannot mean refused"},
		{"refused without a path", func(c *HTTPConfig) { c.Success = HTTPSuccess{Refused: []string{"x"}} }, "cannot mean refused"},
		{"a missing CA file", func(c *HTTPConfig) { c.CAFile = "/does/not/exist.pem" }, "CA file"},
		{"no certificate in the CA file", func(c *HTTPConfig) { c.CAFile = "http_test.go" }, "no PEM certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := elks("https://api.46elks.com")
			test.change(&config)
			sender, err := NewHTTPSender(config)
			if err == nil || sender != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q in it", err, test.want)
			}
		})
	}
}

func asJSONBody(c *HTTPConfig, body string) {
	c.Headers, c.Body = []HTTPHeader{{"Content-Type", "application/json"}}, body
}

func TestNewHTTPSenderAllows(t *testing.T) {
	for name, base := range map[string]string{
		"https": "https://api.46elks.com", "IPv4 loopback": "http://127.0.0.1:8080", "IPv6 loopback": "http://[::1]:8080", "localhost": "http://localhost:8080",
	} {
		if _, err := NewHTTPSender(elks(base)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	config := elks("http://sms.example")
	config.InsecurePlaintext = true
	if _, err := NewHTTPSender(config); err != nil {
		t.Errorf("plain http, named for its danger: %v", err)
	}
}

func TestNewHTTPSenderReportsEverything(t *testing.T) {
	config := elks("http://sms.example")
	config.Method, config.CAFile, config.Success.Equals = "DELETE", "/does/not/exist.pem", nil
	_, err := NewHTTPSender(config)
	for _, want := range []string{"use https", "DELETE", "CA file", "belong together"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}

func TestSendGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newSender(t, elks("http://127.0.0.1:9")).Send(ctx, sample)
	if !errors.Is(err, ErrNotAccepted) {
		t.Errorf("error is %v", err)
	}
}

func FuzzFormAndJSONKeepTheirFields(f *testing.F) {
	f.Add("123456 är din kod")
	f.Add("x&to=%2B4600&a=\"}, {\"to\": \"\r\n\x00\xff")
	form, err := newRequestTemplates(HTTPConfig{Method: "POST", URL: "https://x/?t={{urlquery .Text}}", Body: "to={{urlquery .To}}&message={{urlquery .Text}}"})
	if err != nil {
		f.Fatal(err)
	}
	object := HTTPConfig{Method: "POST", URL: "https://x/{{path .Text}}"}
	asJSONBody(&object, `{"to": {{json .To}}, "text": {{json .Text}}}`)
	jsonForm, err := newRequestTemplates(object)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rendered, err := form.render(values{To: string(annasPhone), Text: text})
		if err != nil {
			t.Fatal(err)
		}
		query, err := url.ParseQuery(string(rendered.body))
		if err != nil || len(query) != 2 || query.Get("to") != string(annasPhone) || query.Get("message") != text {
			t.Fatalf("%q became %q", text, rendered.body)
		}
		rendered, err = jsonForm.render(values{To: string(annasPhone), Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if to, ok := jsonAt(rendered.body, "to"); !ok || to != string(annasPhone) || rendered.url.Host != "x" {
			t.Fatalf("%q became %s", text, rendered.body)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"status": "created", "id": "s1"}`, "status")
	f.Add(200, `[[[[`, "0.0.0")
	f.Add(400, "123456", "a..b")
	f.Fuzz(func(t *testing.T, status int, body, path string) {
		sent := values{To: string(annasPhone), Text: sample.Text, Username: "u1234", Password: "s3cret-p4ss"}
		success := HTTPSuccess{StatusFrom: 200, StatusTo: 299, JSONPath: path, Equals: []string{"created"}}
		if err := success.judge(answer{status: status, body: []byte(body)}, sent); err != nil && (strings.Contains(err.Error(), "123456") || len(err.Error()) > 1500+len(path)) {
			t.Fatal(err)
		}
		if len(reference([]byte(body), path)) > 128 {
			t.Fatal("the reference is too long")
		}
	})
}

func discardLog(t *testing.T) *log.Logger {
	t.Helper()
	return log.New(io.Discard, "", 0)
}
