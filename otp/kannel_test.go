package otp

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stagedoor/store"
	"stagedoor/testbed"
)

// TestThroughKannel sends over the whole chain: the HTTP sender as
// config.example.yaml has it, a real Kannel, an SMSC over SMPP, and its report
// back to us as Kannel calls dlr-url.
func TestThroughKannel(t *testing.T) {
	testbed.Need(t, "kannel", "smsc")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	smsc, err := testbed.StartSMSC(ctx, testbed.Certificate{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = smsc.Stop() })
	kannel, err := testbed.StartKannel(ctx, t.TempDir(), smsc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(kannel.Output())
		}
		_ = kannel.Stop()
	})

	var reader *ReceiptReader
	receipts, asked := make(chan store.SendReceipt, 10), make(chan string, 10) // asked: Kannel's %A
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query().Get("reason")
		receipt, err := reader.Read(r, nil)
		if err != nil || r.Method != http.MethodGet || r.URL.Path != "/receipt/kannel" {
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		receipts <- receipt
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(back.Close)
	reader, err = NewReceiptReader(ReceiptConfig{
		Sender: "kannel", Auth: "query-secret", Secret: "0123456789abcdef", Address: back.URL + "/receipt/kannel",
		ID: "id", Status: "status", Reason: "reason", Delivered: []string{"1"}, Failed: []string{"2", "16", "34"},
	})
	if err != nil {
		t.Fatal(err)
	}
	sender := newSender(t, HTTPConfig{
		Name: "kannel", Method: http.MethodGet, Password: kannel.Password, Callback: reader.Callback(), CallbackSecret: "0123456789abcdef",
		URL: kannel.URL + "?username=stagedoor&password={{urlquery .Password}}&to={{urlquery .To}}&charset=UTF-8&coding=0&text={{urlquery .Text}}" +
			"&dlr-mask=19&dlr-url={{urlquery .Callback}}%26id%3D{{urlquery .ID}}%26status%3D%25d%26reason%3D%25A",
		Success: HTTPSuccess{Contains: "0: Accepted"},
	})

	for i, c := range []struct {
		name, text string
		receipt    testbed.SMSCReceipt
		refused    int
		parts      int
		state      store.SendState
		reason     string
	}{
		{name: "delivered", text: sample.Text, receipt: testbed.SMSCReceipt{State: "DELIVRD", When: "after"}, parts: 1, state: store.SendDelivered},
		{name: "long", text: strings.Repeat("åäö €", 40), receipt: testbed.SMSCReceipt{State: "DELIVRD", When: "after"}, parts: 2, state: store.SendDelivered},
		// The operator's receipts repeat the start of the message, which is its code.
		{name: "failed", text: sample.Text, receipt: testbed.SMSCReceipt{State: "UNDELIV", Code: "021", When: "after"}, parts: 1, state: store.SendUndelivered, reason: "2 undeliv, error 021"},
		{name: "expired", text: sample.Text, receipt: testbed.SMSCReceipt{State: "EXPIRED", When: "after"}, parts: 1, state: store.SendUndelivered, reason: "34 expired"},
		{name: "rejected later", text: sample.Text, refused: 0x0B, state: store.SendUndelivered, reason: "16 NACK/0x0000000b/Invalid Destination Address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := smsc.SetMode(ctx, testbed.SMSCMode{Submit: c.refused, Receipts: []testbed.SMSCReceipt{c.receipt}}); err != nil {
				t.Fatal(err)
			}
			id := "MSG" + strings.ToUpper(strings.ReplaceAll(c.name, " ", ""))
			if _, err := sender.Send(ctx, Message{ID: id, To: annasPhone, Text: c.text}); err != nil {
				t.Fatal(err)
			}
			if c.parts > 0 {
				state, err := smsc.State(ctx, "messages="+string(rune('1'+i)))
				if err != nil {
					t.Fatal(err)
				}
				got := state.Messages[i]
				if got.Text != c.text || got.Parts != c.parts || "+"+strings.TrimPrefix(got.To, "+") != string(annasPhone) || got.From != "Backstage" {
					t.Errorf("%d parts from %s to %s: %q, not %q", got.Parts, got.From, got.To, got.Text, c.text)
				}
			}
			select {
			case receipt := <-receipts:
				if receipt.Reference != id || receipt.State != c.state || receipt.Reason != c.reason {
					t.Errorf("%+v", receipt)
				}
				if words := <-asked; c.receipt.Code != "" && !strings.Contains(words, "text:"+sample.Text[:6]) {
					t.Errorf("Kannel does not repeat the code, so that nothing is tested: %q", words)
				}
			case <-ctx.Done():
				t.Fatal("no receipt came")
			}
		})
	}

	wrong := newSender(t, HTTPConfig{
		Name: "kannel", Method: http.MethodGet, Password: "wrong",
		URL:     kannel.URL + "?username=stagedoor&password={{urlquery .Password}}&to={{urlquery .To}}&text={{urlquery .Text}}",
		Success: HTTPSuccess{Contains: "0: Accepted"},
	})
	if _, err := wrong.Send(ctx, sample); !errors.Is(err, ErrNotAccepted) {
		t.Errorf("wrong password: %v", err)
	}
}
