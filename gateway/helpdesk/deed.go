package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"stagedoor/directory"
	"stagedoor/store"
)

// deed is one act on a person, as it is recorded.
type deed struct {
	id           string // whose account it is on
	kind, reason string
	target       string            // may be empty
	facts        map[string]string // known before it is done; may be nil
	unfit        error             // what is wrong with it at first sight; may be nil
}

// act does an act of which nothing more is known beforehand than on whom and why.
func (d Desk) act(ctx context.Context, agent Agent, id, kind, reason string, do func(directory.Account, string) (map[string]string, error)) error {
	return d.do(ctx, agent, deed{id: id, kind: kind, reason: reason}, do)
}

// do does one act on a person: checks the reason and the rules, counts it,
// records it before and after. An act that the rules refuse at once, or
// for a slip of the agent's, is recorded, not counted.
func (d Desk) do(ctx context.Context, agent Agent, what deed, do func(directory.Account, string) (map[string]string, error)) error {
	reason, reasonErr := tidyReason(what.reason)
	what.reason = reason
	person, err := d.person(ctx, what.id)
	switch {
	case what.unfit != nil:
		err = what.unfit
	case reasonErr != nil:
		err = reasonErr
	case err == nil:
		err = d.permit(ctx, agent, person)
	}
	if err != nil {
		return d.refused(ctx, agent, person, what, err)
	}
	record := func(result string, err error, facts map[string]string) error {
		return d.record(ctx, agent, person, what, result, err, facts)
	}
	// First that it was begun: an act that nobody could record must not be done.
	if err := record("begun", nil, nil); err != nil {
		return err
	}
	facts, err := do(person, reason)
	result := "ok"
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		result = "refused"
		if !agent.Server && (refused.Rule == RuleBadNumber || refused.Rule == RuleUnverified) { // a slip, and nothing learned
			err = errors.Join(err, d.giveBack(ctx, agent))
		}
	case err != nil:
		result = "error"
	}
	// The act is done: its record must not fall to a browser that has gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLasts)
	defer cancel()
	return errors.Join(err, record(result, err, facts))
}

// refused records an act that was refused before it cost one, and gives why back.
func (d Desk) refused(ctx context.Context, agent Agent, person directory.Account, what deed, err error) error {
	if !agent.Server {
		ok, _, countErr := d.Store.Take(ctx, "desk-refusals:"+what.kind+":"+agent.AccountID, refusals, refusalsWindow)
		if countErr != nil {
			return errors.Join(err, fmt.Errorf("helpdesk: count refusal: %w", countErr))
		}
		if !ok {
			return err
		}
	}
	return errors.Join(err, d.record(ctx, agent, person, what, "refused", err, nil))
}

// giveBack has an act of an agent not count: as many as they have a day, so that
// slips fill nobody's audit.
func (d Desk) giveBack(ctx context.Context, agent Agent) error {
	ok, _, err := d.Store.Take(ctx, "desk-slips:"+agent.AccountID, d.actsPerDay(), 24*time.Hour)
	if err != nil || !ok {
		return err
	}
	return d.Store.GiveBackAct(ctx, agent.AccountID)
}

// person finds whom an act is on. Without the directory nobody knows whether
// they are an agent themselves, so then nothing is done.
func (d Desk) person(ctx context.Context, id string) (directory.Account, error) {
	person, err := d.Directory.ByID(ctx, "", id)
	switch {
	case err == nil:
		return person, nil
	case errors.Is(err, directory.ErrNotFound):
		return directory.Account{}, refuse(RuleUnknown)
	case errors.Is(err, directory.ErrUnavailable):
		return directory.Account{}, &RefusedError{Rule: RuleDirectory, Err: err}
	}
	return directory.Account{}, fmt.Errorf("helpdesk: %w", err)
}

// permit checks whom an agent acts on, and counts the act.
func (d Desk) permit(ctx context.Context, agent Agent, person directory.Account) error {
	if agent.Server {
		return nil
	}
	if rule := d.bars(agent, person); rule != "" {
		return refuse(rule)
	}
	ok, until, err := d.Store.TakeAct(ctx, agent.AccountID, d.actsPerDay())
	if err != nil {
		return fmt.Errorf("helpdesk: count act: %w", err)
	}
	if !ok {
		return &RefusedError{Rule: RuleQuota, Until: until}
	}
	return nil
}

// bars is why an agent may never act on a person; empty: they may.
func (d Desk) bars(agent Agent, person directory.Account) Rule {
	if agent.Server {
		return ""
	}
	if person.ID == agent.AccountID {
		return RuleSelf
	}
	for _, groups := range [][]string{d.AgentGroups, d.AdministratorGroups} {
		for _, group := range groups {
			if person.MemberOf(group) {
				return RuleColleague
			}
		}
	}
	return ""
}

func (d Desk) actsPerDay() int {
	if d.ActsPerDay == 0 {
		return actsPerDay
	}
	return d.ActsPerDay
}

// ActsLeft is how many acts an agent has left now; each counts for 24 hours.
func (d Desk) ActsLeft(ctx context.Context, agent Agent) (int, error) {
	used, err := d.Store.Acts(ctx, agent.AccountID)
	return max(0, d.actsPerDay()-used), err
}

// tidyReason is a reason fit for the record: one line, 3 to 200 characters, at
// least three of them letters or digits.
func tidyReason(reason string) (string, error) {
	reason = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, reason)), " ")
	said := 0
	for _, r := range reason {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			said++
		}
	}
	if said < minReason || utf8.RuneCountInString(reason) > maxReason {
		return "", refuse(RuleReason)
	}
	return reason, nil
}

// Keys of an event's detail: whom it is about, and why the agent did it.
const (
	detailAccount = "account"
	detailPerson  = "person"
	detailWhy     = "why"
)

func (d Desk) record(ctx context.Context, agent Agent, person directory.Account, what deed, result string, err error, facts map[string]string) error {
	event := store.Event{Kind: what.kind, Result: result, AccountID: agent.AccountID, Name: agent.Name, SessionID: agent.SessionID,
		Address: agent.Address, Target: what.target, Detail: map[string]string{}}
	if what.id != "" {
		event.Detail[detailAccount] = what.id
	}
	if person.ID != "" {
		event.Detail[detailPerson] = nameOf(person)
	}
	if what.reason != "" {
		event.Detail[detailWhy] = what.reason
	}
	maps.Copy(event.Detail, what.facts)
	maps.Copy(event.Detail, facts)
	var refused *RefusedError
	if errors.As(err, &refused) {
		event.Reason = string(refused.Rule)
	}
	return d.Record(ctx, event)
}

func nameOf(person directory.Account) string { return person.Domain + `\` + person.Name }
