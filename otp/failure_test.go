package otp

import (
	"errors"
	"fmt"
	"testing"

	"stagedoor/store"
	"stagedoor/testbed"
)

// Why a message was not handed over: of several senders a no tells more than a
// silence.
func TestFailure(t *testing.T) {
	silent := badSender{fmt.Errorf("%w: dial tcp: connection refused", ErrNotAccepted)}
	refuses := badSender{fmt.Errorf("%w: answered status 402", ErrRefused)}
	number := badSender{fmt.Errorf("%w: invalid destination address (0x0000000B)", ErrRefused)}
	for _, test := range []struct {
		name string
		ways []Way
		want string
	}{
		{"silence", []Way{{Sender: silent}}, "no-answer"},
		{"a no", []Way{{Sender: refuses}}, "refused"},
		{"silence, then a no", []Way{{Sender: silent}, {Sender: refuses}}, "refused"},
		{"a no, then silence", []Way{{Sender: refuses}, {Sender: silent}}, "refused"},
		{"no such number", []Way{{Sender: number}}, "number"},
		{"nobody serves the country", []Way{{Sender: refuses, Countries: []string{"NO"}}}, "number"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			route, err := NewRoute(RouteSettings{Now: w.Now}, test.ways...)
			if err != nil {
				t.Fatal(err)
			}
			w.Sender = route
			challenge, err := w.Start(t.Context(), Request{SessionID: "s", AccountID: anna, Phone: annasPhone, Words: swedish})
			if !errors.Is(err, ErrNotSent) || !errors.Is(err, ErrNotAccepted) {
				t.Fatal(err)
			}
			got, err := w.Delivery(t.Context(), challenge.ID, "s")
			if err != nil || got.State != store.SendFailed || got.Cause != test.want || !got.EndedAt.Equal(w.at) || !got.Final() {
				t.Errorf("%+v, %v; want %q", got, err, test.want)
			}
		})
	}
}

// What real peers say no with is a refusal; one that is not there is silent.
func TestRefusalsOfPeers(t *testing.T) {
	provider, err := testbed.StartSMSProvider()
	if err != nil {
		t.Fatal(err)
	}
	sender, err := NewHTTPSender(HTTPConfig{URL: provider.ElksURL, Username: provider.Username, Password: provider.Password,
		Body: "from=Backstage&to={{urlquery .To}}&message={{urlquery .Text}}"})
	if err != nil {
		t.Fatal(err)
	}
	message := Message{ID: "m", To: annasPhone, Text: "Hej"}
	provider.SetMode(testbed.SMSRefuse)
	if _, err := sender.Send(t.Context(), message); failure(err) != "refused" || !errors.Is(err, ErrNotAccepted) {
		t.Errorf("a provider that refuses: %v", err)
	}
	if err := provider.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := sender.Send(t.Context(), message); failure(err) != "no-answer" || !errors.Is(err, ErrNotAccepted) {
		t.Errorf("a provider that is gone: %v", err)
	}
}
