package helpdesk

import (
	"strconv"
	"time"

	"stagedoor/store"
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
	WhyCodeBlocked   = "code-blocked"
	WhyCodeLocked    = "code-locked"
	WhyNoNumber      = "no-number"
	WhyBadNumber     = "bad-number"
	WhyNotMobile     = "not-mobile"
	WhyCountry       = "country"
	WhySendLimit     = "send-limit" // the person's own, of an hour or a day
	WhySendBreaker   = "send-breaker"
	WhyNotSent       = "not-sent"
	WhyWrongPassword = "wrong-password"
	WhyWrongCode     = "wrong-code"
	WhyWaitingCode   = "waiting-code"
	WhyIn            = "in" // they are logged in now
	WhyNothing       = "nothing"
)

// Causes are all keys, for the test that each has its words.
var Causes = []string{
	WhyGone, WhyDirectoryOut, WhyDisabled, WhyEnded, WhyLocked, WhyLockedFor, WhyMustChange, WhyExpired, WhyLogonHours,
	WhyWorkstation, WhyPasswordLimit, WhyCodeBlocked, WhyCodeLocked, WhyNoNumber, WhyBadNumber, WhyNotMobile, WhyCountry,
	WhySendLimit, WhySendBreaker, WhyNotSent, WhyWrongPassword, WhyWrongCode, WhyWaitingCode, WhyIn, WhyNothing,
}

// recently is how old a failed try may be to explain a call.
const recently = 30 * time.Minute

// why says what is in a person's way, in the order in which they meet it:
// account, password, number, code. What stops them comes before what is only
// worth knowing.
func why(f Facts, now time.Time) []Cause {
	if f.Gone {
		return []Cause{{Key: WhyGone, Stops: true}}
	}
	var stops, hints []Cause
	if f.DirectoryOut {
		stops = append(stops, Cause{Key: WhyDirectoryOut, Stops: true})
	} else {
		stops = append(stops, ofAccount(f)...)
		stops = append(stops, ofPhone(f.Phone)...)
	}
	stops = append(stops, ofLimits(f.Limits, now)...)
	hints = append(hints, ofTries(f, now)...)
	if len(f.Sessions) > 0 {
		hints = append(hints, Cause{Key: WhyIn, Count: len(f.Sessions), Since: f.Sessions[0].CreatedAt})
	}
	for i := range stops {
		stops[i].Stops = true
	}
	all := append(stops, hints...)
	if len(all) == 0 {
		return []Cause{{Key: WhyNothing}}
	}
	return all
}

// ofAccount is what the directory says. A disabled account has no use for more.
func ofAccount(f Facts) (found []Cause) {
	s := f.State
	switch {
	case s.Disabled:
		return []Cause{{Key: WhyDisabled}}
	case s.Ended:
		return []Cause{{Key: WhyEnded, Since: s.AccountExpires}}
	}
	if s.Locked {
		cause := Cause{Key: WhyLocked, Act: "unlock", Since: s.LockedSince}
		if !s.LockedUntil.IsZero() {
			cause.Key, cause.Until = WhyLockedFor, s.LockedUntil
		}
		found = append(found, cause)
	}
	switch {
	case s.MustChange:
		found = append(found, Cause{Key: WhyMustChange})
	case s.PasswordExpired:
		found = append(found, Cause{Key: WhyExpired, Since: s.PasswordExpires})
	}
	// The directory does not tell these two but to who tries.
	if last := lastOf(f.Tries, "login"); last != nil && last.Result == "refused" {
		switch last.Reason {
		case "logon-hours":
			found = append(found, Cause{Key: WhyLogonHours, Since: last.At})
		case "workstation":
			found = append(found, Cause{Key: WhyWorkstation, Since: last.At})
		}
	}
	return found
}

func ofPhone(p Phone) []Cause {
	switch p.Problem {
	case "":
		return nil
	case "empty":
		return []Cause{{Key: WhyNoNumber}}
	case "not-mobile":
		return []Cause{{Key: WhyNotMobile}}
	case "country":
		return []Cause{{Key: WhyCountry}}
	}
	return []Cause{{Key: WhyBadNumber}}
}

func ofLimits(l Limits, now time.Time) (found []Cause) {
	if l.PasswordUntil.After(now) {
		found = append(found, Cause{Key: WhyPasswordLimit, Act: "clear-password", Until: l.PasswordUntil, Count: l.WrongPasswords})
	}
	switch {
	case l.CodeBlocked:
		found = append(found, Cause{Key: WhyCodeBlocked, Act: "clear-codes", Count: l.WrongCodes})
	case l.CodeUntil.After(now):
		found = append(found, Cause{Key: WhyCodeLocked, Act: "clear-codes", Until: l.CodeUntil, Count: l.WrongCodes})
	}
	switch l.SendRule {
	case "hour", "day":
		found = append(found, Cause{Key: WhySendLimit, Act: "clear-sends", Until: l.SendUntil})
	case "prefix", "total", "country":
		found = append(found, Cause{Key: WhySendBreaker, Until: l.SendUntil})
	}
	return found
}

// ofTries is what went wrong a moment ago, as long as nothing went well since.
func ofTries(f Facts, now time.Time) (found []Cause) {
	if n, last := wrongInARow(f.Tries, "login", "wrong-password", now); n > 0 && !f.Limits.PasswordUntil.After(now) {
		found = append(found, Cause{Key: WhyWrongPassword, Count: n, Since: last})
	}
	if n, last := wrongInARow(f.Tries, "code", "wrong", now); n > 0 && !f.Limits.CodeBlocked && !f.Limits.CodeUntil.After(now) {
		found = append(found, Cause{Key: WhyWrongCode, Count: n, Since: last})
	}
	if last := lastOf(f.Tries, "code-sent"); last != nil && last.Result == "error" && now.Sub(last.At) < recently {
		found = append(found, Cause{Key: WhyNotSent, Act: "resend", Since: last.At})
	} else if f.Open != nil && !f.Open.SentAt.IsZero() {
		found = append(found, Cause{Key: WhyWaitingCode, Act: "resend", Since: f.Open.SentAt, Count: f.Open.Left})
	}
	return found
}

func lastOf(tries []store.Event, kind string) *store.Event {
	for i := range tries {
		if tries[i].Kind == kind {
			return &tries[i]
		}
	}
	return nil
}

// wrongInARow counts the newest tries of a kind that were refused for a reason.
func wrongInARow(tries []store.Event, kind, reason string, now time.Time) (n int, last time.Time) {
	for _, try := range tries {
		if try.Kind != kind {
			continue
		}
		if try.Result != "refused" || try.Reason != reason || now.Sub(try.At) > recently {
			break
		}
		if n++; n == 1 {
			last = try.At
		}
	}
	return n, last
}

// String is a cause for a log and for tests.
func (c Cause) String() string {
	text := c.Key
	if c.Count > 0 {
		text += " " + strconv.Itoa(c.Count)
	}
	if c.Act != "" {
		text += " -> " + c.Act
	}
	return text
}
