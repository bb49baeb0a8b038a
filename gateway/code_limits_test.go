package gateway_test

import (
	"strings"
	"testing"
	"time"
)

// A number gets five codes in an hour, whoever asks for what: a login, a change
// of number, what needs a fresh proof, a caller who is verified, a code that is
// sent again.
func TestOneLimitForAllPages(t *testing.T) {
	b, hanna := openDesk(t)
	person := hanna.personPath("cecilia")
	const phone, minutes = "+46701740607", 3 * time.Minute
	sent := func() (n int) {
		for _, message := range b.outbox.Messages(phone) {
			if sixDigits.MatchString(message.Text) {
				n++
			}
		}
		return n
	}
	cecilia := b.browser()
	for i, step := range []struct {
		name string
		ask  func()
	}{
		{"login", func() {
			cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
			cecilia.post("/code", "code", b.code(phone)).shows(t, 200, "/")
		}},
		{"change", func() { cecilia.post("/phone", "act", "old").shows(t, 200, "/phone", "nuvarande nummer") }},
		{"resend", func() { cecilia.post("/phone", "act", "resend").shows(t, 200, "/phone?resent") }},
		{"caller", func() { hanna.post(person+"/caller", "reason", "ringde in").shows(t, 200, person+"?done=caller") }},
		{"again", func() {
			cecilia.post("/again", "to", "/account", "password", goodPassword).shows(t, 200, "/code", "•• 07")
		}},
	} {
		step.ask()
		if got := sent(); got != i+1 {
			t.Fatalf("%s: %d codes in all, want %d", step.name, got, i+1)
		}
		b.clock.advance(minutes)
	}
	cecilia.post("/code/resend").shows(t, 429, "/code/resend", "För många försök")
	hanna.post(person+"/caller", "reason", "ringde in igen").shows(t, 429, person+"/caller", "En gräns för sms är nådd")
	hanna.post(person+"/resend", "reason", "ringde in igen")
	again := b.browser()
	again.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "För många försök")
	if got := sent(); got != 5 {
		t.Errorf("%d codes within the hour", got)
	}
	if all := strings.Join(b.events(), "\n"); strings.Count(all, "code-sent refused hour") != 2 {
		t.Errorf("events %s", all)
	}
}
