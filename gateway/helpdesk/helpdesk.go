// Package helpdesk is what an agent may do for somebody who cannot get in, and
// under which rules. It knows no HTTP: the pages and the command line use it.
//
//	desk := helpdesk.Desk{Directory: ..., Store: ..., Codes: ..., Record: ..., Settings: ...}
//	found, err := desk.Find(ctx, agent, "anna")
//	facts, err := desk.Look(ctx, agent, found[0].ID) // facts.Why says what is in the way
//	err = desk.Unlock(ctx, agent, found[0].ID, "ringde, låst efter semestern")
//
// Every act takes a reason, is recorded before and after, and counts: 20 a day
// for an agent. Nobody acts on themselves, on another agent or on an
// administrator. Agents never see a code but a bypass code, once.
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
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// Desk is the helpdesk. Record and Ended may differ from call to call: copy it.
type Desk struct {
	Directory *directory.Directory
	Store     *store.Store
	Codes     *otp.Codes
	Numbers   *otp.Numbers
	Factors   *factor.Factors // nil on the command line
	// FactorPerson is somebody as Factors knows people.
	FactorPerson func(ctx context.Context, person directory.Account) (factor.Person, error)
	// FactorRemoved tells a person, in their language, of a factor that was removed.
	FactorRemoved func(ctx context.Context, person directory.Account, lang string, removed factor.Factor) error
	// Record writes an event into the audit; what cannot be recorded is not done.
	Record func(ctx context.Context, event store.Event) error
	// Ended closes the live desktops of sessions of a person that were just ended.
	Ended func(ctx context.Context, person directory.Account, sessionIDs []string) error
	// Order gives an order to the node that has a desktop; store.ErrNotFound.
	Order func(ctx context.Context, order store.DesktopOrder) error
	// PasswordTries is how many wrong passwords of an account are let through in
	// one window.
	PasswordTries func(ctx context.Context, name string) int
	Now           func() time.Time
	Settings
}

// Settings are helpdesk's rules.
type Settings struct {
	ActsPerDay int // of one agent; 0 means 20
	// AgentGroups and AdministratorGroups, DNs or DOMAIN\name: on their members
	// nobody acts.
	AgentGroups, AdministratorGroups []string
	Country                          map[string]string // directory domain -> ISO country of national phone numbers
	Countries                        []string          // ISO countries that codes are sent to
}

// Agent is who helps.
type Agent struct {
	AccountID, Name, SessionID, Address string
	IsAdministrator                     bool
	// Server: on the gateway's own machine, which may do anything anyway. The
	// rules about whom and how often do not hold there; the record does.
	Server bool
}

const (
	minReason   = 3 // characters
	maxReason   = 200
	actsPerDay  = 20
	actsWindow  = 24 * time.Hour
	findsInAll  = 60 // searches of an agent in findsWindow
	findsWindow = 10 * time.Minute
	lookOnce    = time.Hour        // looking at a person is recorded once in it
	callerLasts = 15 * time.Minute // how long a verified caller is one
	// Refusals that cost no act are recorded up to refusals an hour, of each agent
	// and kind: nobody fills the audit with them. What is beyond is in the log.
	refusals       = 60
	refusalsWindow = time.Hour
)

// RefusedError says why something was not done.
type RefusedError struct {
	Rule  Rule
	Until time.Time // RuleQuota, RuleSearches, RuleWait, RuleLocked: not before; may be zero
	Left  int       // RuleWrongCode: tries left
	Err   error     // for the log; may be nil
}

func (e *RefusedError) Error() string {
	if e.Err == nil {
		return "helpdesk: refused: " + string(e.Rule)
	}
	return "helpdesk: refused: " + string(e.Rule) + ": " + e.Err.Error()
}

func (e *RefusedError) Unwrap() error { return e.Err }

// Rule is why something was not done.
type Rule string

// The rules.
const (
	RuleReason    Rule = "reason"    // none, or too short or too long
	RuleSelf      Rule = "self"      // the agent's own account
	RuleColleague Rule = "colleague" // an agent or administrator
	RuleQuota     Rule = "quota"     // the agent's acts of a day are used up
	RuleSearches  Rule = "searches"  // too many searches
	RuleText      Rule = "text"      // a search of less than 2 or more than 100 characters
	RuleDirectory Rule = "directory" // it does not answer, and without it nobody knows whom the act is on
	RuleUnknown   Rule = "unknown"   // the directory has no such account
	RuleForbidden Rule = "forbidden" // the service account has no right to it
	RuleNoNumber  Rule = "no-number" // no usable number
	RuleNoCode    Rule = "no-code"   // no code is open
	RuleNotSent   Rule = "not-sent"  // the sender failed
	RuleWait      Rule = "wait"      // a limit on sending
	RuleLocked    Rule = "locked"    // too many wrong codes on the account
	RuleWrongCode Rule = "wrong-code"
	RuleUsedUp    Rule = "used-up" // no tries left at this code
	RuleNothing   Rule = "nothing" // there was nothing to do
	// About numbers.
	RuleBadNumber Rule = "bad-number" // no number, or not one that codes are sent to
	RuleSame      Rule = "same"       // it is the number already
	RuleElsewhere Rule = "elsewhere"  // by policy it is changed in the directory
	RulePending   Rule = "pending"    // a change waits already
	RuleFrozen    Rule = "frozen"     // the person has frozen it
	RuleSecond    Rule = "second"     // another agent has to do that
	RuleMoved     Rule = "moved"      // it has changed meanwhile
	RuleTooMany   Rule = "too-many"   // the person was told of too much today
	// About bypass codes.
	RuleUnverified Rule = "unverified" // who is on the telephone
	RuleRemover    Rule = "remover"    // the agent has removed a factor of the person, and vouches for nobody there
	// About live desktops.
	RuleOver    Rule = "over"    // there is no such desktop any more
	RuleMessage Rule = "message" // none, or too long
)

// Rules are all of them, for the test that each has its words.
var Rules = []Rule{
	RuleReason, RuleSelf, RuleColleague, RuleQuota, RuleSearches, RuleText,
	RuleDirectory, RuleUnknown, RuleForbidden, RuleNoNumber, RuleNoCode, RuleNotSent,
	RuleWait, RuleLocked, RuleWrongCode, RuleUsedUp, RuleNothing, RuleBadNumber,
	RuleSame, RuleElsewhere, RulePending, RuleFrozen, RuleSecond, RuleMoved,
	RuleTooMany, RuleUnverified, RuleRemover, RuleOver, RuleMessage,
}

func refuse(rule Rule) error { return &RefusedError{Rule: rule} }

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
// records it before and after. An act that the rules refuse is recorded, not
// counted.
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
	case err != nil:
		result = "error"
	}
	// The act is done: its record must not fall to a browser that has gone.
	ctx = context.WithoutCancel(ctx)
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
	ok, until, err := d.Store.Take(ctx, actsKey(agent), d.actsPerDay(), actsWindow)
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

func actsKey(agent Agent) string { return "desk-acts:" + agent.AccountID }

func (d Desk) actsPerDay() int {
	if d.ActsPerDay == 0 {
		return actsPerDay
	}
	return d.ActsPerDay
}

// ActsLeft is how many acts an agent has left today.
func (d Desk) ActsLeft(ctx context.Context, agent Agent) (int, error) {
	used, _, err := d.Store.Tries(ctx, actsKey(agent))
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
