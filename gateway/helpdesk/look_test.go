package helpdesk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/directory"
	"stagedoor/directory/directorytest"
	"stagedoor/gateway/factor"
	"stagedoor/gateway/helpdesk"
	"stagedoor/otp"
)

// byMail takes codes to people's own mail.
type byMail struct{}

func (byMail) Name() string                                           { return "own-mail" }
func (byMail) Check(context.Context) error                            { return nil }
func (byMail) Carries(m otp.Message) bool                             { return m.To == "" && m.Mail != "" }
func (byMail) Send(context.Context, otp.Message) (otp.Receipt, error) { return otp.Receipt{}, nil }

// The limits in force are told for both ways that a code can go.
func TestSendLimitsOfBothWays(t *testing.T) {
	r := open(t)
	route, err := otp.NewRoute(otp.RouteSettings{}, otp.Way{Sender: r.outbox}, otp.Way{Sender: byMail{}})
	if err != nil {
		t.Fatal(err)
	}
	r.Codes.Sender, r.Codes.Cooldowns, r.Codes.PerHour = route, []time.Duration{}, 2
	cecilia := r.id(t, "cecilia")
	send := func(n int, account, mail string, phone otp.Phone) {
		t.Helper()
		for i := range n {
			_, err := r.Codes.Start(t.Context(), otp.Request{SessionID: fmt.Sprint(account, phone, mail, i), AccountID: account, Phone: phone, Mail: mail})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	mailAllowed := true
	look := func() (sends, why string) {
		t.Helper()
		allowed := []factor.Kind{factor.SMS}
		if mailAllowed {
			allowed = append(allowed, factor.Mail)
		}
		r.Factors, err = factor.New(factor.Options{Store: r.Store, Key: bytes.Repeat([]byte{7}, 32), URL: &url.URL{Scheme: "https", Host: "portal.example"},
			Policy: factor.Policy{{Need: factor.Required, Allowed: allowed}}})
		if err != nil {
			t.Fatal(err)
		}
		r.FactorPerson = func(_ context.Context, a directory.Account) (factor.Person, error) {
			return factor.Person{AccountID: a.ID, Domain: a.Domain, Number: true, Mail: a.Mail != ""}, nil
		}
		facts, err := r.Look(t.Context(), r.agent, cecilia)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, limit := range facts.Limits.Sends {
			found = append(found, string(limit.Way)+":"+limit.Rule)
		}
		for _, cause := range facts.Why {
			if strings.HasPrefix(cause.Key, "send-") || strings.HasPrefix(cause.Key, "no-") {
				why += fmt.Sprint(cause, " ", cause.Stops)
			}
		}
		return strings.Join(found, " "), why
	}
	want := func(sends, why string) {
		t.Helper()
		gotSends, gotWhy := look()
		if diff := cmp.Diff([]string{sends, why}, []string{gotSends, gotWhy}); diff != "" {
			t.Errorf("limits (-want +got):\n%s", diff)
		}
	}
	want("sms: mail:", "")
	send(2, "somebody-else", "cecilia@amido.example", "")
	want("sms: mail:hour", helpdesk.WhyNoMail+" -> clear-sends false")
	mailAllowed = false
	want("sms:", "")
	mailAllowed = true
	send(2, cecilia, "", "+46701740607")
	want("sms:hour mail:hour", helpdesk.WhySendLimit+" -> clear-sends true")
	mailAllowed = false
	want("sms:hour", helpdesk.WhySendLimit+" -> clear-sends true")
	clear := func() {
		t.Helper()
		if err := r.ClearSends(t.Context(), r.agent, cecilia, "ringde in"); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.people.Update("cecilia", func(u *directorytest.User) { u.Mail = "Cecilia@amido.example" }); err != nil {
		t.Fatal(err)
	}
	clear()
	mailAllowed = true
	want("sms: mail:", "")
	// The messages of an account that shares the number and the address.
	send(2, "adm-cecilia", "", "+46701740607")
	send(2, "adm-cecilia-2", "cecilia@amido.example", "")
	want("sms:hour mail:hour", helpdesk.WhySendLimit+" -> clear-sends true")
	clear()
	want("sms: mail:", "")
	var wait *otp.WaitError
	_, err = r.Codes.Start(t.Context(), otp.Request{SessionID: "other", AccountID: "adm-cecilia", Phone: "+46701740608"})
	if !errors.As(err, &wait) || wait.Rule != "hour" {
		t.Errorf("the other account's own limit is lifted too: %v", err)
	}
}
