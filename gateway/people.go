package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// person is a session's, as package factor sees them.
func (p *Portal) person(s *session) factor.Person {
	account := s.who.Account
	return factor.Person{
		AccountID: account.ID, Domain: account.Domain, Name: account.Domain + `\` + account.Name,
		DisplayName: account.DisplayName, MemberOf: account.MemberOf,
		Number: s.who.Phone != "", Mail: p.mailFor(account) != "", Strong: p.strong(account),
	}
}

// mailFor is the address that an account's codes can go to; empty: none can.
func (p *Portal) mailFor(account directory.Account) string {
	if !p.Codes.SendsMail() || !otp.IsMail(account.Mail) {
		return ""
	}
	return account.Mail
}

// recordPerson keeps what is known of somebody who logs in, for helpdesk's
// search and the enrolment of a domain; last is the factor to ask for first from
// now on, empty where that stays as it is.
func (p *Portal) recordPerson(v *visit, ready bool, last factor.Kind) error {
	s := v.session
	account, state := s.who.Account, s.who.Factors
	person := store.Person{
		AccountID: account.ID, Domain: account.Domain, Name: account.Name, DisplayName: account.DisplayName,
		Mail: account.Mail, Phone: string(s.who.Phone), Policy: string(state.Need), PolicyFrom: state.From,
	}
	if s.who.Phone != "" {
		person.PhoneSource = s.who.PhoneFrom
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

// refreshFactors has the session and the person's row know of a factor that was
// removed or added. Who has just set one up means to use it: it is asked for
// first.
func (p *Portal) refreshFactors(v *visit, added factor.Kind) error {
	s := v.session
	var err error
	if s.who.Factors, err = p.factors.State(v.Context(), p.person(s)); err != nil {
		return err
	}
	if err := p.keepWho(v); err != nil {
		return err
	}
	return p.recordPerson(v, false, added)
}

// numberPerson is an account as the rules about numbers see it.
func (p *Portal) numberPerson(account directory.Account, lang string) otp.Person {
	return otp.Person{
		AccountID: account.ID, Directory: account.Mobiles, Country: p.set.Country[account.Domain], Allowed: p.set.Countries,
		Name: account.Domain + `\` + account.Name, Lang: lang, Mail: account.Mail,
	}
}

// numberOf is the number that an account's codes go to; otp.ErrNoPhone.
func (p *Portal) numberOf(ctx context.Context, account directory.Account) (otp.Number, error) {
	return p.numbers.Of(ctx, p.numberPerson(account, ""))
}

// refreshNumber has a session know the number that codes go to now; none is no
// error.
func (p *Portal) refreshNumber(v *visit, s *session) (otp.Number, error) {
	number, err := p.numberOf(v.Context(), s.who.Account)
	if err != nil && !errors.Is(err, otp.ErrNoPhone) {
		return otp.Number{}, err
	}
	if err != nil {
		v.log.Info("no usable phone number", "name", s.who.Account.Name, "error", err)
	}
	s.who.Phone, s.who.PhoneFrom = number.Phone, number.Source
	return number, nil
}

// mayEnrolPhone tells whether a session's person may give their first number.
// With the password alone that is the policy's to say, and never for those who
// help others.
func (p *Portal) mayEnrolPhone(s *session, number otp.Number) bool {
	proven := s.who.Factor != ""
	return (proven || !p.strong(s.who.Account)) && p.numbers.MayEnrol(number, proven)
}

// offerPhone adds a number to what may be set up on the way in with the
// password alone, or takes it away: phones.enrol decides, whatever the policy
// of factors names.
func (p *Portal) offerPhone(s *session, number otp.Number) {
	state := &s.who.Factors
	state.Enrol = slices.DeleteFunc(slices.Clone(state.Enrol), func(k factor.Kind) bool { return k == factor.SMS })
	if state.Allows(factor.SMS) && p.mayEnrolPhone(s, number) {
		state.Enrol = append(state.Enrol, factor.SMS)
	}
}

// factorPerson is somebody else's account, as package factor sees people.
func (p *Portal) factorPerson(ctx context.Context, account directory.Account) (factor.Person, error) {
	number, err := p.numberOf(ctx, account)
	if err != nil && !errors.Is(err, otp.ErrNoPhone) {
		return factor.Person{}, err
	}
	return factor.Person{
		AccountID: account.ID, Domain: account.Domain, Name: account.Domain + `\` + account.Name, DisplayName: account.DisplayName,
		MemberOf: account.MemberOf, Number: number.Phone != "", Mail: p.mailFor(account) != "", Strong: p.strong(account),
	}, nil
}

// tellOfFactor tells somebody, by text message and mail, that a factor was added
// to or removed from their account.
func (p *Portal) tellOfFactor(v *visit, account directory.Account, phone otp.Phone, added bool, kind factor.Kind) error {
	key := "factor.notice.removed"
	if added {
		key = "factor.notice.added"
	}
	err := p.notices.Tell(v.Context(), otp.Notice{
		AccountID: account.ID, Name: account.Domain + `\` + account.Name, Lang: v.lang, Phones: []otp.Phone{phone}, Mail: account.Mail,
		Key:  key,
		Args: []any{"factor", p.Site.T(v.lang, "factor.ways."+string(kind)), "helpdesk", cmp.Or(p.set.Helpdesk.Name, p.set.Name)},
	})
	if errors.Is(err, otp.ErrTooMany) { // ten changes a day have been told of: the audit has them all
		v.log.Warn("the person is not told of a factor", "kind", kind, "error", err)
		return nil
	}
	return err
}
