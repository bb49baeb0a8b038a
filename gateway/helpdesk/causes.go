package helpdesk

import (
	"strconv"
	"time"
)

// Cause is one thing that is, or was, in a person's way, or that nothing is. The
// page has a sentence and an advice for each Key.
type Cause struct {
	Key   string
	Stops bool      // nobody gets in past it; else it is a hint
	Act   string    // what helps, by its name in the address of the page; may be empty
	Since time.Time // may be zero
	Until time.Time // may be zero
	Count int
	Where string // a network address; may be empty
	// For is what a code was for that the person asks for on their own page,
	// otp.PurposeEnrol or PurposeChange: the page has words for it. Empty: to log in.
	For string
}

// String is a cause for a log and for tests.
func (c Cause) String() string {
	text := c.Key
	if c.Count > 0 {
		text += " " + strconv.Itoa(c.Count)
	}
	if c.For != "" {
		text += " (" + c.For + ")"
	}
	if c.Act != "" {
		text += " -> " + c.Act
	}
	return text
}

// What may be in the way. Each is the end of a text's key.
const (
	WhyGone          = "gone"
	WhyDirectoryOut  = "directory-out"
	WhyDisabled      = "disabled"
	WhyEnded         = "ended"
	WhyLocked        = "locked"
	WhyLockedFor     = "locked-for" // and until when
	WhyMustChange    = "must-change"
	WhyExpired       = "expired"
	WhyLogonHours    = "logon-hours"
	WhyWorkstation   = "workstation"
	WhyPasswordLimit = "password-limit"
	// WhyPasswordStrange: the same, but a browser that they have logged in from takes another.
	WhyPasswordStrange = "password-strange"
	WhyAddressLimit    = "address-limit" // of everybody's tries from there
	WhyCodeBlocked     = "code-blocked"
	WhyCodeLocked      = "code-locked"
	WhyNoNumber        = "no-number"
	WhyBadNumber       = "bad-number"
	WhyNotMobile       = "not-mobile"
	WhyCountry         = "country"
	WhySendLimit       = "send-limit" // the person's own, of an hour or a day
	WhySendBreaker     = "send-breaker"
	WhyNoSMS           = "no-sms"  // for now; codes go by mail
	WhyNoMail          = "no-mail" // for now; codes go by SMS
	WhyTold            = "told"    // of so much today that nothing is done that they have to be told of
	WhyNotSent         = "not-sent"
	WhyWrongPassword   = "wrong-password"
	WhyWrongCode       = "wrong-code"
	WhyWaitingCode     = "waiting-code"
	WhyDelivered       = "delivered"
	WhyUndelivered     = "undelivered"        // nobody knows why
	WhyDeadNumber      = "undelivered-number" // it is not in use
	WhyUnreachable     = "undelivered-unreachable"
	WhyRefused         = "undelivered-blocked" // by the operator
	WhyFrozen          = "frozen"
	WhyPending         = "pending"       // a change of number
	WhyFirstPending    = "first-pending" // the first number
	WhyNoFactor        = "no-factor"     // and the policy wants one
	WhyMustEnrol       = "must-enrol"
	WhyIn              = "in" // they are logged in now
	WhyNothing         = "nothing"
)

// Causes are all keys, for the test that each has its words.
var Causes = []string{
	WhyGone, WhyDirectoryOut, WhyDisabled, WhyEnded, WhyLocked, WhyLockedFor, WhyMustChange, WhyExpired, WhyLogonHours,
	WhyWorkstation, WhyPasswordLimit, WhyPasswordStrange, WhyAddressLimit, WhyCodeBlocked, WhyCodeLocked, WhyNoNumber, WhyBadNumber, WhyNotMobile, WhyCountry,
	WhySendLimit, WhySendBreaker, WhyNoSMS, WhyNoMail, WhyTold, WhyNotSent, WhyWrongPassword, WhyWrongCode, WhyWaitingCode, WhyDelivered, WhyUndelivered,
	WhyDeadNumber, WhyUnreachable, WhyRefused, WhyFrozen, WhyPending, WhyFirstPending, WhyNoFactor, WhyMustEnrol, WhyIn, WhyNothing,
}
