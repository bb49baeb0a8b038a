package otp

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// asks is one request for a code; each is from a session of its own.
type asks struct {
	purpose string
	account string
	to      string // a number or an address
	resend  bool   // of a code that was asked for just before, in place of a new one
}

// Whatever codes are for, and whether they are asked for or sent again, an
// account and a recipient get five in an hour and ten in a day in all.
func TestOneLimitForAllPurposes(t *testing.T) {
	purposes := []string{"", "login", PurposeEnrol, PurposeChange, "caller", "again"}
	var mix []asks
	for i := range 12 {
		mix = append(mix, asks{purpose: purposes[i%len(purposes)], account: anna, to: string(annasPhone)})
	}
	each := func(change func(i int, a *asks)) []asks {
		changed := make([]asks, len(mix))
		for i, a := range mix {
			change(i, &a)
			changed[i] = a
		}
		return changed
	}
	spellings := []string{"anna.berg@amido.example", "Anna.Berg@Amido.Example", "ANNA.BERG@amido.example"}
	for name, sends := range map[string][]asks{
		"every purpose":                mix,
		"every purpose, then again":    each(func(i int, a *asks) { a.purpose, a.resend = purposes[i/2%len(purposes)], i%2 == 1 }),
		"one account, many numbers":    each(func(i int, a *asks) { a.to = fmt.Sprintf("+467012%05d", i*1000) }),
		"one number, many accounts":    each(func(i int, a *asks) { a.account = fmt.Sprint("account-", i) }),
		"one account, many addresses":  each(func(i int, a *asks) { a.to = fmt.Sprintf("anna%d@amido.example", i) }),
		"one address, many accounts":   each(func(i int, a *asks) { a.account, a.to = fmt.Sprint("account-", i), annasMail }),
		"one address, many spellings":  each(func(i int, a *asks) { a.account, a.to = fmt.Sprint("account-", i), spellings[i%3] }),
		"one account by SMS and mail":  each(func(i int, a *asks) { a.to = []string{string(annasPhone), annasMail}[i%2] }),
		"one address, every purpose":   each(func(_ int, a *asks) { a.to = annasMail }),
		"by mail, and then sent again": each(func(i int, a *asks) { a.purpose, a.to, a.resend = "again", annasMail, i%2 == 1 }),
	} {
		t.Run(name, func(t *testing.T) {
			w, mail := newMailWorld(t)
			w.Cooldowns = []time.Duration{}
			sent := 0
			var last Challenge
			ask := func(i int) error {
				a := sends[i%len(sends)]
				if a.resend && last.ID != "" {
					_, err := w.Resend(t.Context(), last.ID, "session"+last.Purpose, swedish, "")
					if !errors.Is(err, ErrExpired) {
						return err
					}
				}
				request := Request{AccountID: a.account, Purpose: a.purpose, Words: swedish, SessionID: fmt.Sprint("session", purposeName(a.purpose))}
				if strings.Contains(a.to, "@") {
					request.Mail = a.to
				} else {
					request.Phone = Phone(a.to)
				}
				var err error
				last, err = w.Start(t.Context(), request)
				return err
			}
			for hour, want := range []int{5, 10} {
				var wait *WaitError
				for i := range 8 {
					err := ask(sent + i)
					if err != nil && !errors.As(err, &wait) {
						t.Fatal(err)
					}
				}
				rule := []string{"hour", "day"}[hour]
				if wait == nil || wait.Rule != rule {
					t.Errorf("hour %d: %v, want rule %q", hour, wait, rule)
				}
				sent = len(mail.sent)
				for _, phone := range w.outbox.Phones() {
					sent += len(w.outbox.Messages(phone))
				}
				if sent != want {
					t.Errorf("hour %d: %d messages, want %d", hour, sent, want)
				}
				w.at = w.at.Add(time.Hour + time.Minute)
			}
			w.at = w.at.Add(24 * time.Hour)
			if err := ask(0); err != nil {
				t.Errorf("a day later: %v", err)
			}
		})
	}
}

func purposeName(purpose string) string {
	if purpose == "" {
		return "login"
	}
	return purpose
}
