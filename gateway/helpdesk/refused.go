package helpdesk

import (
	"time"
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
	RuleQuota     Rule = "quota"     // the agent's acts of 24 hours are used up
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
	// Another change waits than the one that the agent has seen.
	RuleOtherChange Rule = "other-change"
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
	RuleTooMany, RuleOtherChange, RuleUnverified, RuleRemover, RuleOver, RuleMessage,
}

func refuse(rule Rule) error { return &RefusedError{Rule: rule} }
