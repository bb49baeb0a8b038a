package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/helpdesk"
)

// factors lists the person's second factors.
func (c *phoneCall) factors(ctx context.Context) error {
	status, err := c.status(ctx)
	if err != nil {
		return err
	}
	return c.sayFactors(status)
}

func (c *phoneCall) status(ctx context.Context) (factor.Status, error) {
	person, err := c.FactorPerson(ctx, c.person)
	if err != nil {
		return factor.Status{}, err
	}
	return c.Factors.Status(ctx, person)
}

// sayFactors says what the policy wants and what there is.
func (c *phoneCall) sayFactors(s factor.Status) error {
	need := string(s.Need)
	if !s.From.IsZero() {
		need += fmt.Sprintf(" (from %s one of these is required: %s)", s.From.Local().Format(time.DateOnly), c.kinds(s.Then))
	}
	c.say("a second factor is %s; allowed: %s", need, c.kinds(s.Allowed))
	if len(s.Has) == 0 {
		c.say("there is none that could be asked for")
	} else {
		c.say("asked for, the first one first: %s", c.kinds(s.Has))
	}
	table := newTable(c.out)
	for _, f := range s.Factors {
		table.row("  "+c.kind(f.Kind), f.ID, f.Name, "added "+stamp(f.AddedAt), "used "+stampOrNever(f.UsedAt))
	}
	if !s.BackupMade.IsZero() {
		table.row("  "+c.kind(factor.Backup), "backup", fmt.Sprintf("%d left", s.BackupLeft), "made "+stamp(s.BackupMade))
	}
	for _, d := range s.Devices {
		table.row("  remembered browser", "browsers", d.UserAgent, "until "+stamp(d.ExpiresAt), "used "+stampOrNever(d.UsedAt), d.Address)
	}
	if !s.BypassUntil.IsZero() {
		table.row("  one-time code", "", "", "until "+stamp(s.BypassUntil))
	}
	return table.Flush()
}

// kind is a kind of factor in words.
func (c *phoneCall) kind(kind factor.Kind) string {
	if key := "desk.kind." + string(kind); c.portal.Site.T(lang, key) != key {
		return c.portal.Site.T(lang, key)
	}
	return string(kind)
}

func (c *phoneCall) kinds(kinds []factor.Kind) string {
	var words []string
	for _, kind := range kinds {
		words = append(words, c.kind(kind))
	}
	return strings.Join(words, ", ")
}

func stampOrNever(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return stamp(at)
}

// What remove takes besides the id of one app or key.
const (
	removeBackup   = "backup"
	removeBrowsers = "browsers"
)

// remove takes what the words name away, each recorded by itself. All of them
// are looked at before anything is done.
func (c *phoneCall) remove(ctx context.Context) error {
	status, err := c.status(ctx)
	if err != nil {
		return err
	}
	var acts []func() error
	for _, word := range c.words {
		found, err := c.removal(ctx, word, status)
		if err != nil {
			return err
		}
		acts = append(acts, found...)
	}
	for _, act := range acts {
		if err := act(); err != nil {
			return err
		}
	}
	return c.whatIsLeft(ctx)
}

// removal is what one word of remove leads to.
func (c *phoneCall) removal(ctx context.Context, word string, status factor.Status) (acts []func() error, err error) {
	switch word {
	case removeBackup:
		return []func() error{func() error {
			return c.removed(c.RemoveBackup(ctx, c.agent, c.person.ID, c.why), "the printed codes of %s are void", c.name())
		}}, nil
	case removeBrowsers:
		return []func() error{func() error {
			return c.removed(c.EndDevices(ctx, c.agent, c.person.ID, c.why), "the browsers of %s are not remembered any more", c.name())
		}}, nil
	}
	taken := slices.DeleteFunc(slices.Clone(status.Factors), func(f factor.Factor) bool {
		return string(f.Kind) != word && !strings.EqualFold(f.ID, word)
	})
	if len(taken) == 0 {
		return nil, fmt.Errorf("not done: %s has no %q: stagedoor phone factors lists what there is", c.name(), word)
	}
	for _, f := range taken {
		acts = append(acts, func() error {
			return c.removed(c.RemoveFactor(ctx, c.agent, c.person.ID, f.ID, c.why), "%s: %s %s is removed", c.name(), c.kind(f.Kind), onTerminal(f.Name))
		})
	}
	return acts, nil
}

func (c *phoneCall) removed(err error, format string, args ...any) error {
	var refused *helpdesk.RefusedError
	if errors.As(err, &refused) && refused.Rule == helpdesk.RuleNothing {
		return errors.New("not done: there is none: " + strings.TrimSpace(fmt.Sprintf(format, args...)) + " already")
	}
	if err != nil {
		return err
	}
	return c.say(format, args...)
}

// bypass prints a one-time code, which is nowhere else.
func (c *phoneCall) bypass(ctx context.Context) error {
	code, expires, err := c.IssueBypass(ctx, c.agent, c.person.ID, c.why, true)
	if err != nil {
		return err
	}
	c.say("%s", code)
	way := c.portal.Site.T(lang, "factor.ways.helpdesk", "name", cmp.Or(c.portal.Set.Helpdesk.Name, c.portal.Set.Name))
	c.say("lets %s in once, until %s. After the password, where a code is asked for: another way,", c.name(), stamp(expires))
	return c.say("then %q. Who has no second factor left sets a new one up there", way)
}
