package portal

import (
	"context"
	"errors"
	"fmt"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// Person is a session's, as package factor sees them.
func (p *Portal) Person(s *Session) factor.Person {
	return p.factorPerson(s.Who.Account, s.Who.Phone != "")
}

func (p *Portal) factorPerson(account directory.Account, number bool) factor.Person {
	return factor.Person{
		AccountID: account.ID, Domain: account.Domain, Name: account.Domain + `\` + account.Name,
		DisplayName: account.DisplayName, MemberOf: account.MemberOf,
		Number: number, Mail: p.MailFor(account) != "", Strong: p.strong(account),
	}
}

// MailFor is the address that an account's codes can go to; empty: none can.
func (p *Portal) MailFor(account directory.Account) string {
	if !p.mailCarried(account.Mail) {
		return ""
	}
	return account.Mail
}

// mailCarried tells whether a code can go to an address.
func (p *Portal) mailCarried(address string) bool { return p.Codes.SendsMail() && otp.IsMail(address) }

// RecordPerson keeps what is known of somebody who logs in, for helpdesk's
// search and the enrolment of a domain; last is the factor to ask for first from
// now on, empty where that stays as it is.
func (p *Portal) RecordPerson(v *Visit, ready bool, last factor.Kind) error {
	s := v.Session
	account, state := s.Who.Account, s.Who.Factors
	person := store.Person{
		AccountID: account.ID, Domain: account.Domain, Name: account.Name, DisplayName: account.DisplayName,
		Mail: account.Mail, Phone: string(s.Who.Phone), Policy: string(state.Need), PolicyFrom: state.From, Lang: v.Lang,
		Groups: p.Set.Factors.GroupsOf(p.Person(s)), Strong: p.strong(account),
	}
	if s.Who.Phone != "" {
		person.PhoneSource = s.Who.PhoneFrom
	}
	for _, kind := range state.Has {
		person.Factors = append(person.Factors, string(kind))
	}
	if ready {
		person.LastLogin = p.Now()
	}
	if last != factor.Bypass && last != factor.Backup {
		person.LastFactor = string(last)
	}
	if err := p.Store.PutPerson(v.Context(), person); err != nil {
		return fmt.Errorf("record person: %w", err)
	}
	return nil
}

// RefreshFactors has the session and the person's row know of a factor that was
// removed or added. Who has just set one up means to use it: it is asked for
// first.
func (p *Portal) RefreshFactors(v *Visit, added factor.Kind) error {
	s := v.Session
	var err error
	if s.Who.Factors, err = p.Factors.State(v.Context(), p.Person(s)); err != nil {
		return err
	}
	if err := p.KeepWho(v); err != nil {
		return err
	}
	return p.RecordPerson(v, false, added)
}

// NumberPerson is an account as the rules about numbers see it.
func (p *Portal) NumberPerson(account directory.Account, lang string) otp.Person {
	return otp.Person{
		AccountID: account.ID, Directory: account.Mobiles, Country: p.Set.Country[account.Domain], Allowed: p.Set.Countries,
		Name: account.Domain + `\` + account.Name, Lang: lang, Mail: account.Mail,
	}
}

// NumberOf is the number that an account's codes go to; otp.ErrNoPhone.
func (p *Portal) NumberOf(ctx context.Context, account directory.Account) (otp.Number, error) {
	return p.Numbers.Of(ctx, p.NumberPerson(account, ""))
}

// RefreshNumber has a session know the number that codes go to now; none is no
// error.
func (p *Portal) RefreshNumber(v *Visit, s *Session) (otp.Number, error) {
	number, err := p.NumberOf(v.Context(), s.Who.Account)
	return p.knowNumber(v, s, number, err)
}

// SeeNumber is RefreshNumber where the password was right just now and the account
// is as the directory has it at this moment: a number that was changed there is
// recorded and told of (otp.Numbers.See).
func (p *Portal) SeeNumber(v *Visit, s *Session) (otp.Number, error) {
	account := s.Who.Account
	trace := p.EventTrace(v, store.Event{Kind: "phone-changed", Result: "ok", Reason: "by-directory", AccountID: account.ID, Name: s.Login()})
	recorded := trace.Done
	trace.Done = func(event store.Event, untold bool) {
		recorded(event, untold)
		if untold {
			v.Log.Warn("the person is not told of all: they have been told of too much today", "news", "directory", "account_id", account.ID)
		}
	}
	number, err := p.Numbers.See(v.Context(), p.NumberPerson(account, v.Lang), trace)
	return p.knowNumber(v, s, number, err)
}

func (p *Portal) knowNumber(v *Visit, s *Session, number otp.Number, err error) (otp.Number, error) {
	if err != nil && !errors.Is(err, otp.ErrNoPhone) {
		return otp.Number{}, err
	}
	if err != nil {
		v.Log.Info("no usable phone number", "name", s.Who.Account.Name, "error", err)
	}
	s.Who.Phone, s.Who.PhoneFrom = number.Phone, number.Source
	return number, nil
}

// WaitingNumber is the number, masked, that helpdesk has entered for a session's
// person and that does not count yet; empty: none.
func (p *Portal) WaitingNumber(ctx context.Context, s *Session) (string, error) {
	change, err := p.Numbers.Pending(ctx, s.AccountID)
	if errors.Is(err, otp.ErrNoChange) {
		return "", nil
	}
	return otp.Phone(change.New).Masked(), err
}

// MayEnrolPhone tells whether a session's person may give their first number.
// With the password alone that is the policy's to say, and never for those who
// help others.
func (p *Portal) MayEnrolPhone(s *Session, number otp.Number) bool {
	proven := s.Who.Factor != ""
	return (proven || !p.strong(s.Who.Account) && !s.Who.Factors.Held) && p.Numbers.MayEnrol(number, proven)
}

// FactorPerson is somebody else's account, as package factor sees people.
func (p *Portal) FactorPerson(ctx context.Context, account directory.Account) (factor.Person, error) {
	number, err := p.NumberOf(ctx, account)
	if err != nil && !errors.Is(err, otp.ErrNoPhone) {
		return factor.Person{}, err
	}
	person := p.factorPerson(account, number.Phone != "")
	person.FirstNumber = p.Numbers.MayEnrol(number, false)
	return person, nil
}
