package main

import (
	"context"
	"errors"
	"time"

	"stagedoor/gateway/helpdesk"
	"stagedoor/otp"
)

// set gives the person another number, at once.
func (c *phoneCall) set(ctx context.Context) error {
	change, err := c.CorrectNumber(ctx, c.agent, c.person.ID, c.words[0], c.why)
	if err != nil {
		return err
	}
	c.tells(c.person, otp.Phone(change.Old), otp.Phone(change.New))
	return c.say("%s has the number %s from now on", c.name(), change.New)
}

// verify vouches for the directory's number.
func (c *phoneCall) verify(ctx context.Context) error {
	if err := c.ConfirmNumber(ctx, c.agent, c.person.ID, c.why); err != nil {
		return err
	}
	return c.say("the directory's number of %s is confirmed", c.name())
}

// withdraw ends a change of number that waits for its time or a second agent.
func (c *phoneCall) withdraw(ctx context.Context) error {
	waits, err := c.Numbers.Pending(ctx, c.person.ID)
	if err != nil && !errors.Is(err, otp.ErrNoChange) { // which CancelChange records
		return err
	}
	if err := c.CancelChange(ctx, c.agent, c.person.ID, waits.ID, c.why); err != nil {
		return err
	}
	return c.say("the change of number of %s that waited is withdrawn", c.name())
}

func (c *phoneCall) unfreeze(ctx context.Context) error {
	if err := c.Unfreeze(ctx, c.agent, c.person.ID, c.why); err != nil {
		return err
	}
	return c.say("the number of %s can be changed again", c.name())
}

// history is all that was ever done to the number, the newest first.
func (c *phoneCall) history(ctx context.Context) error {
	events, err := c.Numbers.History(ctx, c.person.ID)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return c.say("nothing has been done to the number of %s", c.name())
	}
	table := newTable(c.out, "TIME", "ACT", "OLD", "NEW", "BY", "FROM", "VERIFIED", "WHY")
	for _, e := range events {
		table.row(stamp(e.At), e.Act, helpdesk.LastFour(e.Old), helpdesk.LastFour(e.New), e.ByName, e.Address, e.How, e.Reason)
	}
	return table.Flush()
}

// stamp is a time as commands write it, in this machine's zone.
func stamp(at time.Time) string { return at.Local().Format(time.DateTime) }
