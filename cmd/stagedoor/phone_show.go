package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"stagedoor/gateway/helpdesk"
)

// show is helpdesk's page of a person, for a terminal.
func (c *phoneCall) show(ctx context.Context) error {
	facts, err := c.Look(ctx, c.agent, c.person.ID)
	if err != nil {
		return err
	}
	c.say("%s  %s", c.name(), onTerminal(c.person.DisplayName))
	if err := c.sayWhy(facts); err != nil {
		return err
	}
	c.say("\nNumber\n  %s", numberWords(facts.Phone))
	if p := facts.Phone.Pending; p != nil {
		c.say("  waiting: %s, asked for by %s %s", p.Masked, onTerminal(p.By), stamp(p.Since))
	}
	c.sayLimits(facts)
	c.sayCodes(facts)
	if facts.Factors == nil {
		return nil
	}
	c.say("\nSecond factors")
	return c.sayFactors(*facts.Factors)
}

// sayWhy says what is in the way in the words of helpdesk's page, and which
// command helps.
func (c *phoneCall) sayWhy(facts helpdesk.Facts) error {
	stops := 0
	for _, cause := range facts.Why {
		if cause.Stops {
			stops++
		}
	}
	if stops == 0 {
		c.say("\n%s", c.portal.Site.T(lang, "desk.why."+helpdesk.WhyNothing))
	} else {
		c.say("\nIn the way")
	}
	for i, cause := range facts.Why {
		if i == stops && cause.Key != helpdesk.WhyNothing {
			c.say("Worth knowing")
		}
		if cause.Key == helpdesk.WhyNothing {
			continue
		}
		args := []any{"count", cause.Count, "since", moment(cause.Since), "until", moment(cause.Until), "address", cause.Where}
		text := c.portal.Site.T(lang, "desk.why."+cause.Key, args...)
		if cause.For != "" {
			text = c.portal.Site.T(lang, "desk.why.for-"+cause.For, "cause", text)
		}
		c.say("  %s", text)
		if cure := c.cure(cause, args); cure != "" {
			c.say("    -> %s", cure)
		}
	}
	return nil
}

// cure is the command that helps, or the page's advice where none does.
func (c *phoneCall) cure(cause helpdesk.Cause, args []any) string {
	if cause.For != "" {
		return c.portal.Site.T(lang, "desk.advice.for-"+cause.For)
	}
	verb := map[string]string{
		"unlock": "unlock", "clear-password": "clear", "clear-codes": "clear", "clear-sends": "clear", "clear-address": "clear",
	}[cause.Act]
	more := ""
	switch cause.Key {
	case helpdesk.WhyAddressLimit:
		more = " " + clearAddresses
	case helpdesk.WhyNoNumber, helpdesk.WhyBadNumber, helpdesk.WhyNotMobile, helpdesk.WhyCountry, helpdesk.WhyDeadNumber:
		verb, more = "set", " NUMBER"
	case helpdesk.WhyNoFactor:
		verb = "bypass"
	case helpdesk.WhyFrozen:
		verb = "unfreeze"
	case helpdesk.WhyPending:
		verb = "withdraw"
	case helpdesk.WhyIn:
		return ""
	}
	if verb != "" {
		return fmt.Sprintf("stagedoor phone %s '%s'%s --why TEXT --config FILE", verb, c.name(), more)
	}
	key := "desk.advice." + cause.Key
	if advice := c.portal.Site.T(lang, key, args...); advice != key {
		return advice
	}
	return ""
}

// moment is a time in a sentence.
func moment(at time.Time) string {
	if at.IsZero() {
		return "an unknown time"
	}
	return at.Local().Format("2006-01-02 15:04")
}

func numberWords(p helpdesk.Phone) string {
	words := map[string]string{"empty": "none", "not-mobile": "%s is not a mobile number", "country": "%s is of a country that codes are not sent to"}[p.Problem]
	switch {
	case p.Problem == "":
		words = fmt.Sprintf("%s, from %s", p.Masked, p.Source)
	case words == "":
		words = "%s cannot be read"
	}
	words = strings.TrimSpace(strings.ReplaceAll(words, "%s", p.Masked))
	if p.Verified {
		words += fmt.Sprintf(", verified (%s) %s", p.How, stamp(p.VerifiedAt))
		if p.By != "" {
			words += " by " + onTerminal(p.By)
		}
	}
	if p.Frozen {
		words += ", frozen by the person"
	}
	return words
}

// sayLimits are the limits that hold here, apart from the directory.
func (c *phoneCall) sayLimits(facts helpdesk.Facts) {
	l, now := facts.Limits, c.Now()
	c.say("\nLimits in force here")
	codes := fmt.Sprintf("%d in a row", l.WrongCodes)
	switch {
	case l.CodeBlocked:
		codes += ": held until somebody lifts it"
	case l.CodeUntil.After(now):
		codes += ": held until " + moment(l.CodeUntil)
	}
	passwords := fmt.Sprintf("%d of %d", l.WrongPasswords, l.PasswordsAllowed)
	if l.PasswordUntil.After(now) {
		passwords += ": held until " + moment(l.PasswordUntil)
	}
	familiar := fmt.Sprintf("%d of %d", l.FamiliarWrong, l.FamiliarAllowed)
	if l.FamiliarUntil.After(now) {
		familiar += ": as all others until " + moment(l.FamiliarUntil)
	}
	sends := "codes may be sent"
	if held := slices.IndexFunc(facts.Why, func(w helpdesk.Cause) bool { return w.Act == "clear-sends" || w.Key == helpdesk.WhySendBreaker }); held >= 0 {
		sends = "held until " + moment(facts.Why[held].Until)
	}
	table := newTable(c.out)
	table.row("  wrong codes", codes)
	table.row("  wrong passwords", passwords)
	if l.FamiliarAllowed > 0 {
		table.row("  and in browsers they know", familiar)
	}
	for _, held := range l.Addresses {
		table.row("  address "+held.Address, fmt.Sprintf("%d wrong passwords from there: held until %s", held.Tries, moment(held.Until)))
	}
	table.row("  messages", sends)
	told := fmt.Sprintf("%d of %d in 24 hours", l.Told.Count, l.Told.Most)
	if l.Told.Full() {
		told += ": no more before " + moment(l.Told.Until)
	}
	table.row("  told of changes", told)
	_ = table.Flush()
}

// sayCodes are the last codes and what became of them.
func (c *phoneCall) sayCodes(facts helpdesk.Facts) {
	if len(facts.Messages) == 0 {
		return
	}
	c.say("\nLast codes")
	table := newTable(c.out)
	for _, m := range facts.Messages {
		table.row("  "+stamp(m.At), m.Masked, string(m.State), m.Sender, m.Reason)
	}
	_ = table.Flush()
}
