package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/otp"
	"stagedoor/store"
	"stagedoor/targets"
	"stagedoor/testbed"
)

// TestSMPPFromConfig opens the gateway's parts as serve does, sends a code to a
// real SMSC, and finds the SMSC's receipt in the database.
func TestSMPPFromConfig(t *testing.T) {
	testbed.Need(t, "smsc")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	smsc, err := testbed.StartSMSC(ctx, testbed.Certificate{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = smsc.Stop() })
	path := exampleFolder(t)
	folder := filepath.Dir(path)
	text, _, _ := strings.Cut(minimal(folder), "sms:\n")
	writeFile(t, path, text+"sms:\n  senders:\n    - name: operator\n      kind: smpp\n      smpp: {server: '"+smsc.Address+"', system_id: "+smsc.SystemID+", source: Backstage}\n", 0o644)
	writeFile(t, filepath.Join(folder, "targets.yaml"), "targets:\n  - {id: a, name: A, visible_to: everyone, kind: link, url: 'https://a.example/'}\n", 0o644)
	config, err := loadConfig(path, []string{"STAGEDOOR_SMS__SENDERS__OPERATOR__PASSWORD=" + smsc.Password, "STAGEDOOR_CODES__WAITS=90s"})
	if err != nil {
		t.Fatal(err)
	}

	list, err := targets.Load(config.Targets)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	tryOut(ctx, config, list, &said)
	if !strings.Contains(said.String(), "sms operator: ok\n") {
		t.Errorf("check --connect said:\n%s", said.String())
	}
	if state, err := smsc.State(ctx, "binds=1&unbinds=1"); err != nil || len(state.Messages) != 0 {
		t.Errorf("check --connect: %+v, %v", state, err)
	}

	parts, err := open(ctx, config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer parts.close()
	if _, err := smsc.State(ctx, "binds=2"); err != nil { // by itself
		t.Fatal(err)
	}
	code := func(account string, phone otp.Phone) otp.Challenge {
		t.Helper()
		challenge, err := parts.Codes.Start(ctx, otp.Request{SessionID: account, AccountID: account, Phone: phone, Words: "{code} är din kod till {portal}."})
		if err != nil {
			t.Fatal(err)
		}
		return challenge
	}
	if wait := time.Until(code("bertil", "+46701234568").ResendAt); wait < 60*time.Second || wait > 90*time.Second {
		t.Errorf("again in %v, want the 90 s of codes.waits", wait)
	}
	if err := smsc.SetMode(ctx, testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{{State: "EXPIRED", When: "before"}}}); err != nil {
		t.Fatal(err)
	}
	challenge := code("anna", "+46701234567")
	state, err := smsc.State(ctx, "messages=2&receiptAnswers=1")
	if err != nil || !strings.Contains(state.Messages[1].Text, "är din kod till Stagedoor") {
		t.Fatalf("%+v, %v", state, err)
	}
	for {
		last, err := parts.Store.LastSend(ctx, challenge.ID)
		if err != nil {
			t.Fatal(err)
		}
		if last.State == store.SendUndelivered && last.Reason == "expired" && last.Sender == "operator" && last.Reference == state.Messages[1].ID {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("no receipt in the database: %+v", last)
		}
	}
}

// TestMailFromConfig does the same with a mail server: a notice, and a message to
// a gateway.
func TestMailFromConfig(t *testing.T) {
	testbed.Need(t, "smtp")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := testbed.StartSMTP(ctx, testbed.SMTPOptions{Auth: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	path := exampleFolder(t)
	folder := filepath.Dir(path)
	text, _, _ := strings.Cut(minimal(folder), "sms:\n")
	text += "sms:\n  senders:\n    - name: gateway\n      kind: mail\n      mail: {to: '{{.Number}}@sms.example'}\n" +
		"mail: {server: '" + server.Address + "', tls: none, username: " + server.Username + ", from: Backstage <backstage@amido.example>}\n"
	writeFile(t, path, text, 0o644)
	writeFile(t, filepath.Join(folder, "targets.yaml"), "targets:\n  - {id: a, name: A, visible_to: everyone, kind: link, url: 'https://a.example/'}\n", 0o644)
	config, err := loadConfig(path, []string{"STAGEDOOR_MAIL__PASSWORD=" + server.Password})
	if err != nil {
		t.Fatal(err)
	}
	list, err := targets.Load(config.Targets)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	tryOut(ctx, config, list, &said)
	if !strings.Contains(said.String(), "mail "+server.Address+": ok\n") || !strings.Contains(said.String(), "sms gateway: ok\n") {
		t.Errorf("check --connect said:\n%s", said.String())
	}
	parts, err := open(ctx, config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer parts.close()
	if err := parts.Mailer.Send(ctx, otp.Mail{To: "anna@amido.example", Subject: "Ditt nummer är ändrat", Text: "Hej"}); err != nil {
		t.Fatal(err)
	}
	if _, err := parts.Codes.Start(ctx, otp.Request{SessionID: "s", AccountID: "anna", Phone: "+46701234567", Words: "{code} är din kod."}); err != nil {
		t.Fatal(err)
	}
	state, err := server.State(ctx, "mails=2")
	if err != nil || len(state.Mails) != 2 || state.Mails[0].To[0] != "anna@amido.example" || state.Mails[1].To[0] != "46701234567@sms.example" {
		t.Errorf("%+v, %v", state, err)
	}
}

// check --connect tells of each sender, in their order, how it is and what only a
// message or the provider can tell; no secret is in it.
func TestConnectTellsOfSenders(t *testing.T) {
	provider, err := testbed.StartSMSProvider()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Stop() })
	path := exampleFolder(t)
	folder := filepath.Dir(path)
	text, _, _ := strings.Cut(minimal(folder), "sms:\n")
	http := "url: '" + provider.ElksURL + "', body: 'to={{urlquery .To}}&message={{urlquery .Text}}"
	text += "sms:\n  senders:\n" +
		"    - name: first\n      kind: http\n      countries: [SE, NO]\n      http: {" + http + "&whendelivered={{urlquery .Callback}}', reference: id}\n" +
		"      receipts: {auth: query-secret, secret_file: receipts, id: id, status: status, delivered: [delivered]}\n" +
		"    - name: second\n      kind: http\n      http: {" + http + "'}\n" +
		"    - name: third\n      kind: http\n      http: {url: 'http://127.0.0.1:1/', body: 'to={{urlquery .To}}&message={{urlquery .Text}}'}\n"
	writeFile(t, path, text, 0o644)
	writeFile(t, filepath.Join(folder, "receipts"), "a-secret-of-receipts\n", 0o600)
	writeFile(t, filepath.Join(folder, "targets.yaml"), "targets:\n  - {id: a, name: A, visible_to: everyone, kind: link, url: 'https://a.example/'}\n", 0o644)
	config, err := loadConfig(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := targets.Load(config.Targets)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	tryOut(t.Context(), config, list, &said)
	_, senders, _ := strings.Cut(said.String(), "sms first")
	senders, refused, _ := strings.Cut("sms first"+senders, "sms third: ")
	want := `sms first: ok
sms first: serves numbers of SE, NO alone
sms first: only a message tells whether the password is right
sms first: receipts are taken at https://portal.amido.example/receipt/first (query-secret), which the provider must reach
sms second: ok
sms second: only a message tells whether the password is right
sms second: no receipts: nobody sees whether a message arrives
`
	if diff := cmp.Diff(want, senders); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(refused, "connection refused") || strings.Contains(said.String(), "a-secret-of") {
		t.Errorf("of the third: %s", refused)
	}
	if messages := provider.Messages(); len(messages) > 0 {
		t.Errorf("it sent %+v", messages)
	}
}

// Each configuration of docs/senders.md loads as it stands.
func TestDocumentedSendersLoad(t *testing.T) {
	blocks := strings.Split(readFile(t, "../../docs/senders.md"), "```yaml\n")[1:]
	if len(blocks) < 6 {
		t.Fatalf("docs/senders.md has %d configurations", len(blocks))
	}
	secret := regexp.MustCompile(`_file: (secrets/\S+)`)
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		name, _, _ := strings.Cut(strings.SplitN(block, "name: ", 2)[1], "\n")
		t.Run(name, func(t *testing.T) {
			path := exampleFolder(t)
			text, _, _ := strings.Cut(minimal(filepath.Dir(path)), "sms:\n")
			writeFile(t, path, text+block, 0o644)
			for _, file := range secret.FindAllStringSubmatch(block, -1) {
				writeFile(t, filepath.Join(filepath.Dir(path), file[1]), "0123456789abcdef-xyz\n", 0o600)
			}
			config, err := loadConfig(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if faults := offline(config); len(faults) > 0 {
				t.Error(faults)
			}
		})
	}
}
