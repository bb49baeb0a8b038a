package otp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"stagedoor/store"
)

// Alarm is a breaker against message fraud that stops codes: somebody makes
// the portal send to numbers that earn from it, a list of leaked passwords is
// being tried, or the portal has grown.
type Alarm struct {
	Rule string // "prefix", "country" or "total"
	// Subject is whose messages are stopped: of a prefix "+46701234•••" or
	// "a•••@amido.example", of a country its ISO 3166 code; empty: everybody's.
	Subject string
	Sent    int // in the last 10 minutes; 0 where it was not counted
	// Quiet: ten alarms about prefixes and countries have been within the hour.
	// This one is to be recorded, and no mailbox to be filled with it.
	Quiet bool
}

// loudAlarms about prefixes and countries are made known by mail within an hour.
// One of the whole portal always is: it is about all the others.
const loudAlarms = 10

// raise tells of a breaker that has just stopped a message: once in 10 minutes
// for each rule and subject. There are never many: within the limit in all, only
// so many prefixes and countries can reach theirs.
func (c *Codes) raise(ctx context.Context, wait store.SendWait, send store.Send) error {
	alarm := Alarm{Rule: wait.Rule}
	key := "alarm:" + wait.Rule
	switch wait.Rule {
	case "prefix":
		alarm.Subject = maskedPrefix(send.Prefix)
		key += ":" + send.Prefix
	case "country":
		alarm.Subject = send.Country
		key += ":" + send.Country
	case "total":
	default:
		return nil
	}
	if c.OnAlarm == nil {
		return nil
	}
	first, _, err := c.Store.Take(ctx, key, 1, breakerWindow)
	if err == nil && first {
		err = c.tellOf(ctx, alarm)
	}
	if err != nil {
		return fmt.Errorf("otp: alarm: %w", err)
	}
	return nil
}

func (c *Codes) tellOf(ctx context.Context, alarm Alarm) error {
	if alarm.Rule != "total" {
		loud, _, err := c.Store.Take(ctx, "alarms", loudAlarms, time.Hour)
		if err != nil {
			return err
		}
		alarm.Quiet = !loud
	}
	return c.OnAlarm(ctx, alarm)
}

func maskedPrefix(prefix string) string {
	if _, mail := readRecipient(prefix); mail != "" {
		return MaskMail(mail)
	}
	return prefix + strings.Repeat("•", prefixDigits)
}

// Alarms are the breakers that stop codes now, as every node sees them.
func (c *Codes) Alarms(ctx context.Context) ([]Alarm, error) {
	limits := c.sendLimits()
	counts, err := c.Store.SendsWithin(ctx, c.now().Add(-breakerWindow), limits.PerPrefix, limits.PerCountry)
	if err != nil {
		return nil, fmt.Errorf("otp: alarms: %w", err)
	}
	var alarms []Alarm
	if limits.Total >= 0 && counts.Total >= limits.Total {
		alarms = append(alarms, Alarm{Rule: "total", Sent: counts.Total})
	}
	for country, sent := range counts.Countries {
		alarms = append(alarms, Alarm{Rule: "country", Subject: country, Sent: sent})
	}
	for prefix, sent := range counts.Prefixes {
		alarms = append(alarms, Alarm{Rule: "prefix", Subject: maskedPrefix(prefix), Sent: sent})
	}
	order := []string{"total", "country", "prefix"}
	slices.SortFunc(alarms, func(a, b Alarm) int {
		return cmp.Or(slices.Index(order, a.Rule)-slices.Index(order, b.Rule), b.Sent-a.Sent, strings.Compare(a.Subject, b.Subject))
	})
	return alarms, nil
}

// Limit is one that stands against a code for somebody.
type Limit struct {
	Rule  string // as in WaitError
	Phone Phone  // for which number; empty where it is for Mail
	Mail  string // for which address; both empty for "locked" and "blocked", which are the account's
	Until time.Time
}

// ClearSends lets an account be sent codes again at each of its numbers and at
// its mail address (empty: none), also where another account shares these, whose
// own limits stay. What is against fraud stays too. It returns how many messages
// count no more.
func (c *Codes) ClearSends(ctx context.Context, accountID, mail string, phones ...Phone) (int64, error) {
	var recipients []string
	for _, recipient := range recipientsOf(mail, phones) {
		recipients = append(recipients, c.sendOf(store.Challenge{Phone: recipient}).Phone)
	}
	n, err := c.Store.ClearSends(ctx, accountID, recipients...)
	if err != nil {
		return 0, fmt.Errorf("otp: clear sends: %w", err)
	}
	return n, nil
}

// recipientsOf are where codes can go, as challenges have them.
func recipientsOf(mail string, phones []Phone) (recipients []string) {
	for _, phone := range phones {
		recipients = append(recipients, string(phone))
	}
	if mail != "" {
		recipients = append(recipients, store.MailTo+mail)
	}
	return recipients
}

// LimitsInForce are those that stand against a code for an account at each of
// its numbers, and at its mail address (empty: none); none means that one can be
// sent now.
func (c *Codes) LimitsInForce(ctx context.Context, accountID, mail string, phones ...Phone) ([]Limit, error) {
	var limits []Limit
	var wait *WaitError
	switch err := c.mayTry(ctx, accountID); {
	case errors.As(err, &wait):
		limits = append(limits, Limit{Rule: wait.Rule, Until: wait.Until})
	case err != nil:
		return nil, err
	}
	for _, recipient := range recipientsOf(mail, phones) {
		phone, mail := readRecipient(recipient)
		against, err := c.Store.LimitsInForce(ctx, c.sendOf(store.Challenge{AccountID: accountID, Phone: recipient}), c.sendLimits())
		if err != nil {
			return nil, fmt.Errorf("otp: limits in force: %w", err)
		}
		longest := map[string]int{} // rule -> place in limits
		for _, one := range against {
			at, known := longest[one.Rule]
			if !known {
				at = len(limits)
				longest[one.Rule] = at
				limits = append(limits, Limit{Rule: one.Rule, Phone: phone, Mail: mail, Until: one.Until})
			}
			if one.Until.After(limits[at].Until) {
				limits[at].Until = one.Until
			}
		}
	}
	return limits, nil
}
