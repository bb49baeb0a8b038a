package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"stagedoor/directory/directorytest"
	"stagedoor/testbed"
)

// documented is the first configuration under a heading of docs/senders.md.
func documented(t *testing.T, section string) string {
	t.Helper()
	page := string(must[[]byte](t)(os.ReadFile("../../docs/senders.md")))
	_, page, found := strings.Cut(page, "\n## "+section+"\n")
	page, _, _ = strings.Cut(page, "\n## ")
	_, block, begun := strings.Cut(page, "```yaml\n")
	block, _, whole := strings.Cut(block, "```")
	if !found || !begun || !whole {
		t.Fatalf("docs/senders.md has no configuration under %q", section)
	}
	return block
}

// put is text with some of its parts replaced, each of which must be there.
func put(t *testing.T, text string, parts ...string) string {
	t.Helper()
	for i := 0; i+1 < len(parts); i += 2 {
		if !strings.Contains(text, parts[i]) {
			t.Fatalf("no %q in\n%s", parts[i], text)
		}
		text = strings.ReplaceAll(text, parts[i], parts[i+1])
	}
	return text
}

// TestCodesThroughOperators logs somebody in at the shipped gateway, with the
// senders that docs/senders.md describes: through Kannel and straight over SMPP,
// both to a real SMSC, whose receipts come back onto the code page.
func TestCodesThroughOperators(t *testing.T) {
	for _, c := range []struct {
		name  string
		needs []string
		sms   func(t *testing.T, r *rig, smsc *testbed.SMSC) string
	}{
		{"kannel", []string{"kannel", "smsc"}, func(t *testing.T, r *rig, smsc *testbed.SMSC) string {
			kannel := must[*testbed.Kannel](t)(testbed.StartKannel(t.Context(), r.folder("kannel"), smsc))
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(kannel.Output())
				}
				ok(t, kannel.Stop())
			})
			r.file("secrets/kannel-password", kannel.Password)
			r.file("secrets/kannel-receipts", "0123456789abcdef0123456789abcdef")
			return put(t, documented(t, "Kannel"), "http://127.0.0.1:13013/cgi-bin/sendsms", kannel.URL)
		}},
		{"operator", []string{"smsc"}, func(t *testing.T, r *rig, smsc *testbed.SMSC) string {
			r.file("secrets/operator-password", smsc.Password)
			return put(t, documented(t, "An SMPP provider"), "smpp.operator.example:3550", smsc.Address,
				"tls: true", "tls: false", "system_id: stagedoor", "system_id: "+smsc.SystemID)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			testbed.Need(t, c.needs...)
			r := bareRig(t)
			r.folder("secrets")
			people := must[*directorytest.Server](t)(directorytest.Start(directorytest.Config{Domain: "AMIDO", Suffix: "amido.example",
				Users: []directorytest.User{{Name: "cecilia", Password: "Sommar-2026-ok", Mobile: "070-174 06 07"}}}))
			t.Cleanup(func() { ok(t, people.Stop()) })
			domain := people.Domain()
			r.directory(people.URL(), domain.CAFile, domain.BindDN, domain.BindPassword)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			smsc := must[*testbed.SMSC](t)(testbed.StartSMSC(ctx, testbed.Certificate{}))
			t.Cleanup(func() { ok(t, smsc.Stop()) })
			r.blocks["sms"] = c.sms(t, r, smsc)
			r.serve()
			if _, err := smsc.State(ctx, "sessions=1"); err != nil { // over SMPP: the portal's own
				t.Fatal(err)
			}
			person{r, &http.Client{Jar: must[*cookiejar.Jar](t)(cookiejar.New(nil))}}.getsCodes(ctx, smsc)
		})
	}
}

// person is somebody at the portal, with a browser that runs no scripts.
type person struct {
	*rig
	client *http.Client
}

// getsCodes logs in: the first code does not arrive, the second one is refused by
// the operator, the third one is delivered and typed.
func (p person) getsCodes(ctx context.Context, smsc *testbed.SMSC) {
	t := p.t
	t.Helper()
	for i, c := range []struct {
		path    string
		form    url.Values
		receipt testbed.SMSCReceipt
		state   string
		says    []string
		reason  string // a part of the operator's, for who helps
	}{
		{"/login", url.Values{"username": {`AMIDO\cecilia`}, "password": {"Sommar-2026-ok"}}, testbed.SMSCReceipt{State: "EXPIRED", Code: "027", When: "after"},
			"undelivered", []string{"Sms:et kom inte fram", "avstängd eller sakna täckning", "Kontakta Amido Support"}, "expired, error 027"},
		{"/code/resend", nil, testbed.SMSCReceipt{State: "REJECTD", Code: "008", When: "after"},
			"undelivered", []string{"Sms:et kom inte fram", "Operatören stoppade sms:et"}, "rejectd, error 008"},
		{"/code/resend", nil, testbed.SMSCReceipt{State: "DELIVRD", When: "after"},
			"delivered", []string{"Sms:et kom fram till telefonen kl."}, ""},
	} {
		ok(t, smsc.SetMode(ctx, testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{c.receipt}}))
		if at, page := p.ask(ctx, http.MethodPost, c.path, c.form); !strings.HasPrefix(at, "/code") {
			t.Fatalf("%s leads to %s:\n%s", c.path, at, page)
		}
		messages := must[testbed.SMSCState](t)(smsc.State(ctx, "messages="+string(rune('1'+i)))).Messages
		sms := messages[len(messages)-1]
		if len(messages) != i+1 || strings.TrimPrefix(sms.To, "+") != "46701740607" || sms.From != "Backstage" || sixDigits.FindString(sms.Text) == "" {
			t.Fatalf("message %d of %d: from %s to %s", i+1, len(messages), sms.From, sms.To)
		}
		if lines := p.awaitWay(ctx, c.state); !hasAll(lines, c.says) {
			t.Errorf("%s: /code/way says %q, not %q", c.receipt.State, lines, c.says)
		}
		if _, page := p.ask(ctx, http.MethodGet, "/code", nil); !hasAll(page, c.says) {
			t.Errorf("%s: /code does not say %q:\n%s", c.receipt.State, c.says, page)
		}
		p.keepsCode(sixDigits.FindString(sms.Text), c.reason)
		if c.state != "delivered" {
			continue
		}
		if at, page := p.ask(ctx, http.MethodPost, "/code", url.Values{"code": {sixDigits.FindString(sms.Text)}}); at != "/" {
			t.Errorf("the code leads to %s:\n%s", at, page)
		}
	}
}

// keepsCode asks as who helps: they see why a message did not arrive, and no code,
// though the operator's receipt repeats it.
func (p person) keepsCode(code, reason string) {
	p.t.Helper()
	shown, exit := stagedoor(p.t, "phone", "show", "--config", p.config(), `AMIDO\cecilia`)
	if exit != 0 || !strings.Contains(shown, reason) || strings.Contains(shown, code) {
		p.t.Errorf("exit %d; without the code, and with %q: %s", exit, reason, shown)
	}
	if log := p.process.Output(); strings.Contains(log, code) {
		p.t.Errorf("the log has the code:\n%s", log)
	}
}

func hasAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// ask follows redirects, and tells where it ended up.
func (p person) ask(ctx context.Context, method, path string, form url.Values) (at, page string) {
	p.t.Helper()
	request := must[*http.Request](p.t)(http.NewRequestWithContext(ctx, method, p.address+path, strings.NewReader(form.Encode())))
	request.Header.Set("Accept-Language", "sv")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", p.address)
	response := must[*http.Response](p.t)(p.client.Do(request))
	defer response.Body.Close()
	return response.Request.URL.Path, string(must[[]byte](p.t)(io.ReadAll(response.Body)))
}

// awaitWay asks as the code page's script does until the message has come so far.
func (p person) awaitWay(ctx context.Context, state string) (lines string) {
	p.t.Helper()
	for {
		_, answer := p.ask(ctx, http.MethodGet, "/code/way", nil)
		var way struct {
			State string
			Lines []string
		}
		ok(p.t, json.Unmarshal([]byte(answer), &way))
		if way.State == state {
			return strings.Join(way.Lines, "\n")
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			p.t.Fatalf("the message stays %q: %q\n%s", way.State, way.Lines, p.process.Output())
		}
	}
}
