package otp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const annasMail = "anna.berg@amido.example"

// byMail carries mail to people, and keeps it.
type byMail struct{ sent []Message }

func (b *byMail) Name() string                { return "own-mail" }
func (b *byMail) Check(context.Context) error { return nil }
func (b *byMail) Carries(m Message) bool      { return m.To == "" && m.Mail != "" }
func (b *byMail) Send(_ context.Context, m Message) (Receipt, error) {
	b.sent = append(b.sent, m)
	return Receipt{}, nil
}

// newMailWorld sends to phones and by mail.
func newMailWorld(t *testing.T) (*world, *byMail) {
	t.Helper()
	w, mail := newWorld(t), &byMail{}
	route, err := NewRoute(RouteSettings{Now: w.Now}, Way{Sender: w.outbox}, Way{Sender: mail})
	if err != nil {
		t.Fatal(err)
	}
	w.Sender = route
	return w, mail
}

func (w *world) startMail(session, account, address string) (Challenge, error) {
	return w.Start(w.t.Context(), Request{SessionID: session, AccountID: account, Mail: address, Words: swedish, Subject: "Kod från {portal}"})
}

func TestCodeByMail(t *testing.T) {
	w, mail := newMailWorld(t)
	challenge, err := w.startMail("s", anna, annasMail)
	if err != nil {
		t.Fatal(err)
	}
	if challenge.Mail != annasMail || challenge.Phone != "" || challenge.SentAt.IsZero() {
		t.Errorf("%+v", challenge)
	}
	if len(mail.sent) != 1 || len(w.outbox.Phones()) != 0 {
		t.Fatalf("%d mails, and messages to %v", len(mail.sent), w.outbox.Phones())
	}
	got := mail.sent[0]
	code, err := w.code(challenge.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "Kod från "+w.Portal || strings.Contains(got.Subject, code) {
		t.Errorf("subject %q", got.Subject)
	}
	if got.To != "" || got.Mail != annasMail || !strings.Contains(got.Text, code) || strings.Contains(got.Text, "#") || strings.Contains(got.Text, "@") {
		t.Errorf("%+v", got)
	}
	_, err = w.Resend(t.Context(), challenge.ID, "s", swedish, "")
	w.wantWait(err, "cooldown", 30*time.Second)
	w.at = w.at.Add(30 * time.Second)
	again, err := w.Resend(t.Context(), challenge.ID, "s", swedish, "Ännu en kod från {portal}, {code}")
	if err != nil || again.Mail != annasMail || len(mail.sent) != 2 || mail.sent[1].Subject != "Ännu en kod från Backstage, {code}" {
		t.Errorf("resend: %+v, %v", again, err)
	}
	if err := w.check(challenge, "s", code); err != nil {
		t.Errorf("the right code: %v", err)
	}
}

// A code by mail says nothing about a phone that has proven itself.
func TestMailKeepsTheProvenPhone(t *testing.T) {
	w, _ := newMailWorld(t)
	w.PerPrefix = 1
	first := w.start("s")
	if err := w.check(first, "s", w.sentCode()); err != nil {
		t.Fatal(err)
	}
	w.at = w.at.Add(5 * time.Minute)
	mail, err := w.startMail("s2", anna, annasMail)
	if err != nil {
		t.Fatal(err)
	}
	code, _ := w.code(mail.ID)
	if err := w.check(mail, "s2", code); err != nil {
		t.Fatal(err)
	}
	for i := range 2 { // as long as it is proven the prefix has no limit
		w.at = w.at.Add(3 * time.Minute)
		w.start(fmt.Sprint("s", 3+i))
	}
}

// One challenge at a time, for one recipient: whoever goes over to another gets
// a new one, and to go back and forth sends nothing sooner.
func TestAnotherRecipient(t *testing.T) {
	w, mail := newMailWorld(t)
	toPhone := w.start("s")
	phoneCode := w.sentCode()
	toMail, err := w.startMail("s", anna, annasMail)
	w.wantWait(err, "cooldown", 30*time.Second)
	if toMail.ID == toPhone.ID || toMail.Mail != annasMail || len(mail.sent) != 0 {
		t.Fatalf("%+v, %d mails", toMail, len(mail.sent))
	}
	if err := w.check(toPhone, "s", phoneCode); !errors.Is(err, ErrExpired) {
		t.Errorf("the phone's code after going over to mail: %v", err)
	}
	if err := w.check(toMail, "s", phoneCode); !errors.Is(err, ErrWrong) {
		t.Errorf("the phone's code as the mail's: %v", err)
	}
	for range 4 {
		_, err := w.Start(t.Context(), Request{SessionID: "s", AccountID: anna, Phone: annasPhone, Words: swedish})
		w.wantWait(err, "cooldown", 30*time.Second)
		_, err = w.startMail("s", anna, annasMail)
		w.wantWait(err, "cooldown", 30*time.Second)
	}
	if n := len(w.outbox.Messages(annasPhone)); n != 1 || len(mail.sent) != 0 {
		t.Errorf("%d messages and %d mails", n, len(mail.sent))
	}
}

// The limits of the account and the recipient hold for mail, a country's do not.
func TestMailLimits(t *testing.T) {
	w, mail := newMailWorld(t)
	w.PerCountry, w.Cooldowns = 1, []time.Duration{}
	var seen []Alarm
	w.OnAlarm = func(_ context.Context, alarm Alarm) error { seen = append(seen, alarm); return nil }
	for i := range 5 {
		if _, err := w.startMail(fmt.Sprint("s", i), fmt.Sprint("account", i), annasMail); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.startMail("s9", "account9", annasMail)
	w.wantWait(err, "hour", time.Hour)
	if alarms, err := w.Alarms(t.Context()); err != nil || len(alarms) != 0 || len(mail.sent) != 5 {
		t.Errorf("alarms %v, %v, %d mails", alarms, err, len(mail.sent))
	}
	w.PerPrefix = 5
	w.PerHour = 100
	if _, err = w.startMail("s9", "account9", annasMail); err == nil {
		t.Error("more than so many to one address")
	}
	w.Total, w.PerPrefix = 5, -1
	_, err = w.startMail("s10", "account10", "bo@amido.example")
	w.wantWait(err, "total", 10*time.Minute)
	for _, alarm := range seen {
		if strings.Contains(alarm.Subject, "anna") {
			t.Errorf("%+v", alarm)
		}
	}
}

func TestUnusableRecipients(t *testing.T) {
	w, _ := newMailWorld(t)
	for _, address := range []string{
		"anna", "@amido.example", "anna@", "a b@amido.example", "Anna <anna@amido.example>", "anna@amido.example\r\nBcc: x@evil.example",
		`"a@b"@amido.example`, "anna@amido.example,bo@amido.example", "mailto:anna@amido.example ", "å@amido.example", strings.Repeat("a", 250) + "@b.se",
	} {
		if _, err := w.startMail("s", anna, address); !errors.Is(err, ErrNoMail) || strings.Contains(err.Error(), address) {
			t.Errorf("%q: %v", address, err)
		}
	}
	_, err := w.Start(t.Context(), Request{SessionID: "s", AccountID: anna, Phone: annasPhone, Mail: annasMail, Words: swedish})
	if !errors.Is(err, ErrNoMail) {
		t.Errorf("both: %v", err)
	}
	_, err = w.Start(t.Context(), Request{SessionID: "s", AccountID: anna, Phone: Phone("mailto:" + annasMail), Words: swedish})
	if !errors.Is(err, ErrNoPhone) {
		t.Errorf("an address as a phone: %v", err)
	}
}

func TestMaskRecipient(t *testing.T) {
	for recipient, want := range map[string]string{
		"+46701234567": "•• 67", "mailto:" + annasMail: "a•••@amido.example", "mailto:": "•••", "": "•••", "mailto:broken": "•••",
	} {
		if got := MaskRecipient(recipient); got != want {
			t.Errorf("%s: %s, want %s", recipient, got, want)
		}
	}
	if got := Phone("mailto:" + annasMail).Masked(); got != "••" {
		t.Errorf("an address masked as a phone: %s", got)
	}
}

func TestSendsMail(t *testing.T) {
	w, mail := newMailWorld(t)
	if !w.SendsMail() {
		t.Error("a route with mail")
	}
	w.Sender = w.outbox
	if w.SendsMail() {
		t.Error("an outbox of phones")
	}
	w.Sender = mail
	if !w.SendsMail() {
		t.Error("mail alone")
	}
}
