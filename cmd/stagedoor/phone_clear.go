package main

import (
	"context"
	"fmt"
	"slices"

	"stagedoor/gateway/helpdesk"
)

// What clear lifts, each by its word.
const (
	clearCodes     = "codes"
	clearSends     = "sends"
	clearPasswords = "passwords"
	clearAddresses = "addresses" // only where it is named: it holds for everybody who is behind them
)

// clear lifts the portal's own holds on the person.
func (c *phoneCall) clear(ctx context.Context) error {
	if word := unknownWord(c.words, clearCodes, clearSends, clearPasswords, clearAddresses); word != "" {
		return usageOf("phone", fmt.Sprintf("clear: %q is none of codes, sends, passwords, addresses", word))
	}
	for _, one := range []struct {
		word, done string
		do         func(helpdesk.Desk, context.Context, helpdesk.Agent, string, string) error
	}{
		{clearCodes, "wrong codes are forgotten, and the hold after them is lifted", helpdesk.Desk.ClearCodes},
		{clearSends, "messages of the last hour and day do not count any more", helpdesk.Desk.ClearSends},
		{clearAddresses, "tries from the addresses that were held count from nothing, for everybody behind them", clearAddressesOf},
		{clearPasswords, "wrong passwords are forgotten here (the directory has a lock of its own: unlock)", helpdesk.Desk.ClearPasswords},
	} {
		if len(c.words) == 0 && one.word == clearAddresses || len(c.words) > 0 && !slices.Contains(c.words, one.word) {
			continue
		}
		if err := one.do(c.Desk, ctx, c.agent, c.person.ID, c.why); err != nil {
			return err
		}
		if err := c.say("%s: %s", c.name(), one.done); err != nil {
			return err
		}
	}
	return c.whatIsLeft(ctx)
}

func clearAddressesOf(d helpdesk.Desk, ctx context.Context, agent helpdesk.Agent, id, why string) error {
	return d.ClearAddress(ctx, agent, id, "", why)
}

// unlock takes the directory's lock off.
func (c *phoneCall) unlock(ctx context.Context) error {
	if err := c.Unlock(ctx, c.agent, c.person.ID, c.why); err != nil {
		return err
	}
	if err := c.say("%s is not locked in the directory any more", c.name()); err != nil {
		return err
	}
	return c.whatIsLeft(ctx)
}

// whatIsLeft says what still stands in the way after something was done.
func (c *phoneCall) whatIsLeft(ctx context.Context) error {
	facts, err := c.Look(ctx, c.agent, c.person.ID)
	if err != nil {
		return err
	}
	return c.sayWhy(facts)
}
