package helpdesk

import (
	"context"
	"slices"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// Limits are what stands against the person here, apart from the directory.
type Limits struct {
	WrongPasswords, PasswordsAllowed int
	PasswordUntil                    time.Time   // zero: not throttled
	FamiliarWrong, FamiliarAllowed   int         // beside those, from browsers that the person has logged in from
	FamiliarUntil                    time.Time   // zero: such a browser takes another
	WrongCodes                       int         // in a row
	CodeUntil                        time.Time   // zero: not locked
	CodeBlocked                      bool        // until somebody lifts it
	Sends                            []SendLimit // one for each way that a code can go to the person
	Addresses                        []AddressLimit
	Told                             otp.Told // while it is full, nothing is done that the person has to be told of
}

// SendLimit is what stands against one more code by one way.
type SendLimit struct {
	Way   factor.Kind // factor.SMS or factor.Mail
	Rule  string      // "hour", "day", "prefix", "country", "total": the longest; empty: a code may be sent
	Until time.Time
}

// own tells whether it is the person's own, which ClearSends lifts.
func (l SendLimit) own() bool { return l.Rule == "hour" || l.Rule == "day" }

// Clearable tells whether ClearSends would lift anything.
func (l Limits) Clearable() bool { return slices.ContainsFunc(l.Sends, SendLimit.own) }

func (d Desk) gatherLimits(ctx context.Context, _ Agent, f *Facts) error {
	tries, until, err := d.Store.Tries(ctx, store.PasswordKey(f.ID))
	if err != nil {
		return err
	}
	l := &f.Limits
	l.WrongPasswords = tries
	if d.PasswordTries != nil && !f.Gone {
		l.PasswordsAllowed, l.FamiliarAllowed = d.PasswordTries(ctx, nameOf(f.State.Account))
		if tries >= l.PasswordsAllowed {
			l.PasswordUntil = until
		}
	}
	if err := d.gatherFamiliar(ctx, f); err != nil {
		return err
	}
	lock, err := d.Store.CodeLock(ctx, f.ID)
	if err != nil {
		return err
	}
	l.WrongCodes = lock.Wrong
	if l.Told, err = d.Numbers.Notices.Told(ctx, f.ID, f.Phone.phone, f.State.Mail); err != nil {
		return err
	}
	return d.gatherSendLimits(ctx, f)
}

// gatherSendLimits looks at every way that a code can go: to the number, and to
// the mail address where the policy allows that.
func (d Desk) gatherSendLimits(ctx context.Context, f *Facts) error {
	l := &f.Limits
	var phones []otp.Phone
	if f.Phone.phone != "" {
		phones, l.Sends = append(phones, f.Phone.phone), append(l.Sends, SendLimit{Way: factor.SMS})
	}
	mail := ""
	if f.Factors != nil && slices.Contains(f.Factors.Has, factor.Mail) {
		mail, l.Sends = f.State.Mail, append(l.Sends, SendLimit{Way: factor.Mail})
	}
	inForce, err := d.Codes.LimitsInForce(ctx, f.ID, mail, phones...)
	if err != nil {
		return err
	}
	for _, limit := range inForce {
		way := factor.SMS
		if limit.Mail != "" {
			way = factor.Mail
		}
		switch limit.Rule {
		case "locked", "blocked":
			l.CodeBlocked, l.CodeUntil = limit.Rule == "blocked", limit.Until
		case "cooldown": // a minute or two of every code
		default:
			i := slices.IndexFunc(l.Sends, func(s SendLimit) bool { return s.Way == way })
			if limit.Until.After(l.Sends[i].Until) {
				l.Sends[i].Rule, l.Sends[i].Until = limit.Rule, limit.Until
			}
		}
	}
	return nil
}

// gatherFamiliar looks at the wrong passwords from browsers that the person has
// logged in from. Where those are used up, such a browser has the others' too.
func (d Desk) gatherFamiliar(ctx context.Context, f *Facts) error {
	tries, until, err := d.Store.Tries(ctx, store.FamiliarKey(f.ID))
	l := &f.Limits
	if l.FamiliarWrong = tries; tries >= l.FamiliarAllowed {
		l.FamiliarUntil = until
	}
	return err
}
