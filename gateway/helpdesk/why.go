package helpdesk

import (
	"slices"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

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
		found, stop := ofPhone(f)
		if stop {
			stops = append(stops, found...)
		} else {
			hints = append(hints, found...)
		}
	}
	stops = append(stops, ofAddresses(f, now)...)
	stops = append(stops, ofLimits(f.Limits, now)...)
	if found, stop := ofSends(f); stop {
		stops = append(stops, found...)
	} else {
		hints = append(hints, found...)
	}
	if told := f.Limits.Told; told.Full() && told.Until.After(now) {
		cause := Cause{Key: WhyTold, Count: told.Count, Until: told.Until}
		if f.Factors != nil && f.Factors.MustEnrol() {
			stops = append(stops, cause) // what they set up they would have to be told of
		} else {
			hints = append(hints, cause)
		}
	}
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

// ofPhone is what is wrong with the number. It stops nobody who has another
// factor, or is asked for none.
func ofPhone(f Facts) (found []Cause, stops bool) {
	stops = f.Factors == nil || f.Factors.Asks() && f.Factors.First() == ""
	switch f.Phone.Problem {
	case "":
		stops = false
	case "empty":
		cause := Cause{Key: WhyNoNumber}
		if p := f.Phone.Pending; p != nil {
			cause = Cause{Key: WhyFirstPending, Since: p.Since}
		}
		found = append(found, cause)
	case "not-mobile":
		found = append(found, Cause{Key: WhyNotMobile})
	case "country":
		found = append(found, Cause{Key: WhyCountry})
	default:
		found = append(found, Cause{Key: WhyBadNumber})
	}
	if s := f.Factors; s != nil && s.MustEnrol() {
		if f.Phone.Problem == "empty" && f.Phone.Pending == nil {
			found = nil // a number is only one of the ways to go on
		}
		return append(found, Cause{Key: WhyMustEnrol}), false
	} else if s != nil && s.Need == factor.Required && s.First() == "" && f.Phone.Problem == "" {
		return append(found, Cause{Key: WhyNoFactor}), true
	}
	if f.Phone.Problem != "" {
		return found, stops
	}
	if f.Phone.Frozen {
		found = append(found, Cause{Key: WhyFrozen})
	}
	if p := f.Phone.Pending; p != nil {
		found = append(found, Cause{Key: WhyPending, Since: p.Since, Until: p.Due})
	}
	return found, false
}

func ofLimits(l Limits, now time.Time) (found []Cause) {
	if l.PasswordUntil.After(now) {
		cause := Cause{Key: WhyPasswordLimit, Act: "clear-password", Until: l.PasswordUntil, Count: l.WrongPasswords}
		if l.FamiliarAllowed > 0 && !l.FamiliarUntil.After(now) {
			cause.Key = WhyPasswordStrange
		}
		found = append(found, cause)
	}
	switch {
	case l.CodeBlocked:
		found = append(found, Cause{Key: WhyCodeBlocked, Act: "clear-codes", Count: l.WrongCodes})
	case l.CodeUntil.After(now):
		found = append(found, Cause{Key: WhyCodeLocked, Act: "clear-codes", Until: l.CodeUntil, Count: l.WrongCodes})
	}
	return found
}

// ofSends is what stands against one more code. It stops whoever has no other
// way: where there are two, and both are closed, the one that opens first says
// until when.
func ofSends(f Facts) (found []Cause, stops bool) {
	var closed []SendLimit
	for _, way := range f.Limits.Sends {
		if way.Rule != "" {
			closed = append(closed, way)
		}
	}
	if len(closed) == 0 {
		return nil, false
	}
	first := slices.MinFunc(closed, func(a, b SendLimit) int { return a.Until.Compare(b.Until) })
	cause := Cause{Key: WhySendBreaker, Until: first.Until}
	if f.Limits.Clearable() {
		cause.Act = "clear-sends"
	}
	switch {
	case len(closed) < len(f.Limits.Sends) && first.Way == factor.Mail:
		cause.Key = WhyNoMail
	case len(closed) < len(f.Limits.Sends):
		cause.Key = WhyNoSMS
	case first.own():
		cause.Key = WhySendLimit
	}
	return []Cause{cause}, len(closed) == len(f.Limits.Sends) && !hasOwn(f.Factors)
}

// hasOwn tells whether somebody has a factor that needs no code to be sent.
func hasOwn(s *factor.Status) bool {
	return s != nil && slices.ContainsFunc(s.Has, func(k factor.Kind) bool { return k != factor.SMS && k != factor.Mail })
}

// ofTries is what went wrong a moment ago, as long as nothing went well since.
func ofTries(f Facts, now time.Time) (found []Cause) {
	if n, last := wrongInARow(f.Tries, "login", "wrong-password", now); n > 0 && !f.Limits.PasswordUntil.After(now) {
		found = append(found, Cause{Key: WhyWrongPassword, Count: n, Since: last})
	}
	if n, last := wrongInARow(f.Tries, "code", "wrong", now); n > 0 && !f.Limits.CodeBlocked && !f.Limits.CodeUntil.After(now) {
		found = append(found, Cause{Key: WhyWrongCode, Count: n, Since: last})
	}
	return append(found, ofMessages(f, now)...)
}

// ofMessages is what became of the last code, as long as it is asked for or
// went wrong a moment ago.
func ofMessages(f Facts, now time.Time) []Cause {
	// What a caller reads back is no code of theirs.
	i := slices.IndexFunc(f.Messages, func(m Message) bool { return m.Purpose != purposeCaller })
	if i < 0 || now.Sub(f.Messages[i].At) > recently {
		return nil
	}
	last := f.Messages[i]
	cause := Cause{Since: last.At}
	open, left := f.Open != nil, 0
	switch {
	case last.Purpose == otp.PurposeEnrol || last.Purpose == otp.PurposeChange:
		if typedSince(f.Tries, last.At) {
			return nil
		}
		cause.For, open = last.Purpose, true
	case open:
		cause.Act, left = "resend", f.Open.Left
	}
	switch {
	case last.State == store.SendFailed:
		cause.Key = WhyNotSent
	case last.State == store.SendUndelivered:
		cause.Key = WhyUndelivered
		if why := otp.Cause(last.Reason); why != "" {
			cause.Key += "-" + why
		}
	case !open:
		return nil
	case last.State == store.SendDelivered:
		cause.Key, cause.Since, cause.Count = WhyDelivered, last.Ended, left
	default:
		cause.Key, cause.Count = WhyWaitingCode, left
	}
	return []Cause{cause}
}

// typedSince tells whether a code from a number was typed rightly after a time.
func typedSince(tries []store.Event, at time.Time) bool {
	return slices.ContainsFunc(tries, func(e store.Event) bool { return e.Kind == "phone-code" && e.Result == "ok" && !e.At.Before(at) })
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
