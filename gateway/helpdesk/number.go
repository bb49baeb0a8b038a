package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stagedoor/directory"
	"stagedoor/otp"
	"stagedoor/store"
)

// personOf is somebody as otp.Numbers knows people.
func (d Desk) personOf(a directory.Account) otp.Person {
	return otp.Person{
		AccountID: a.ID, Directory: a.Mobiles, Country: d.Country[a.Domain], Allowed: d.Countries,
		Name: nameOf(a), Mail: a.Mail,
	}
}

// Words are a message's, in a language; empty: the portal's first one.
type Words func(lang string) string

// langOf is the language of somebody's last login: what an agent sends them is
// for them to read. Empty: they have never logged in.
func (d Desk) langOf(ctx context.Context, id string) (string, error) {
	person, err := d.Store.FindPerson(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("helpdesk: language: %w", err)
	}
	return person.Lang, nil
}

// phoneOf is the number that codes of a person go to; *otp.NoPhoneError.
func (d Desk) phoneOf(ctx context.Context, a directory.Account) (otp.Number, error) {
	return d.Numbers.Of(ctx, d.personOf(a))
}

// NumberLine is one thing that was done to a person's number, as agents see it.
type NumberLine struct {
	At       time.Time
	Act      string // as store.NumberEvent has it: "asked", "applied", ...
	Old, New string // the last four digits; empty: none
	By       string // whose name; empty: whoever has the link of a notice
	Address  string // from where
	Reason   string // why; empty where the act itself says it
	How      string // verified how: otp.HowCode, ...; empty: the act verifies nothing
}

// gatherHistory is the portal's own, and needs no directory.
func (d Desk) gatherHistory(ctx context.Context, _ Agent, f *Facts) error {
	const most = 30 // `stagedoor phone` has them all
	events, err := d.Numbers.History(ctx, f.ID)
	if err != nil {
		return err
	}
	for _, e := range events[:min(len(events), most)] {
		line := NumberLine{At: e.At, Act: e.Act, Old: LastFour(e.Old), New: LastFour(e.New), By: e.ByName, Address: e.Address, Reason: e.Reason, How: e.How}
		if e.Old == e.New {
			line.Old = "" // confirmed, not changed
		}
		switch e.Act {
		case "frozen":
			line.Reason, line.How = "", ""
		case "cancelled", "unfrozen":
			line.How = "" // the change's, which is not what happened here
		}
		f.History = append(f.History, line)
	}
	return nil
}

// actOf is who changes a number, as its history has it.
func actOf(agent Agent, reason string) otp.Act {
	act := otp.Act{By: agent.AccountID, Name: agent.Name, Address: agent.Address, Reason: reason}
	if agent.Server {
		act.How = otp.HowCLI
	}
	return act
}

// CorrectNumber gives a person another number, or their first one. Another one,
// and a first one beside other second factors, takes effect after the cool-down,
// or when a second agent confirms it; the old number, the new one and the mail
// address are told. RuleBadNumber, RuleSame,
// RuleElsewhere, RulePending, RuleFrozen.
func (d Desk) CorrectNumber(ctx context.Context, agent Agent, id, number, reason string) (change otp.Change, err error) {
	err = d.act(ctx, agent, id, "phone-change", reason, func(a directory.Account, reason string) (map[string]string, error) {
		person := d.personOf(a)
		var err error
		if person.Lang, err = d.langOf(ctx, id); err != nil {
			return nil, err
		}
		if person.Guarded, err = d.guarded(ctx, a); err != nil {
			return nil, err
		}
		phone, err := otp.ParsePhone(number, person.Country, person.Allowed)
		if err != nil {
			return nil, &RefusedError{Rule: RuleBadNumber, Err: err}
		}
		_, err = d.Numbers.Of(ctx, person)
		switch {
		case errors.Is(err, otp.ErrNoPhone):
			change, err = d.Numbers.Enrol(ctx, person, phone, actOf(agent, reason))
		case err == nil:
			change, err = d.Numbers.Change(ctx, person, phone, actOf(agent, reason))
		}
		facts := map[string]string{"phone": phone.Masked(), "state": string(change.State)}
		if err != nil {
			return facts, numberRefusal(err)
		}
		return facts, d.refresh(ctx, a)
	})
	return change, err
}

// refresh has the row of somebody who has logged in before know the number and
// the factors that an act has left them, so that lists of people are right before
// their next login.
func (d Desk) refresh(ctx context.Context, a directory.Account) error {
	if d.Factors == nil || d.FactorPerson == nil {
		return nil
	}
	number, err := d.phoneOf(ctx, a)
	if err != nil && !errors.Is(err, otp.ErrNoPhone) {
		return err
	}
	person, err := d.FactorPerson(ctx, a)
	if err != nil {
		return err
	}
	state, err := d.Factors.State(ctx, person)
	if err != nil {
		return err
	}
	row := store.Person{AccountID: a.ID, Domain: a.Domain, Name: a.Name, DisplayName: a.DisplayName, Mail: a.Mail,
		Phone: string(number.Phone), PhoneSource: number.Source}
	for _, kind := range state.Has {
		row.Factors = append(row.Factors, string(kind))
	}
	return wrapped("refresh person", d.Store.RefreshPerson(ctx, row))
}

// guarded tells whether second factors of their own protect somebody, or did
// until helpdesk removed them within the cool-down: else one agent would remove
// what is there, and enter whichever number they like.
func (d Desk) guarded(ctx context.Context, a directory.Account) (bool, error) {
	if d.Factors == nil || d.FactorPerson == nil { // not a portal
		return false, nil
	}
	person, err := d.FactorPerson(ctx, a)
	if err != nil {
		return false, err
	}
	person.Number = false
	state, err := d.Factors.State(ctx, person)
	return state.Held || len(state.Has) > 0, err
}

// ConfirmNumber says that the directory's number is the person's.
func (d Desk) ConfirmNumber(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "phone-confirm", reason, func(a directory.Account, reason string) (map[string]string, error) {
		number, err := d.Numbers.ConfirmDirectory(ctx, d.personOf(a), actOf(agent, reason))
		return map[string]string{"phone": number.Phone.Masked()}, numberRefusal(err)
	})
}

// ConfirmChange has a change of number take effect at once that another agent
// has asked for: the one that this agent has seen, by its id. RuleSecond: it was
// this agent. RuleNothing, RuleOtherChange.
func (d Desk) ConfirmChange(ctx context.Context, agent Agent, id, changeID, reason string) error {
	return d.act(ctx, agent, id, "phone-change-confirm", reason, func(a directory.Account, reason string) (map[string]string, error) {
		facts, err := d.stillWaits(ctx, a.ID, changeID)
		if err != nil {
			return facts, err
		}
		if _, err = d.Numbers.Confirm(ctx, a.ID, changeID, actOf(agent, reason)); err != nil {
			return facts, numberRefusal(err)
		}
		return facts, d.refresh(ctx, a)
	})
}

// CancelChange withdraws a change of number that waits, by its id. RuleNothing,
// RuleOtherChange.
func (d Desk) CancelChange(ctx context.Context, agent Agent, id, changeID, reason string) error {
	return d.act(ctx, agent, id, "phone-change-cancel", reason, func(a directory.Account, reason string) (map[string]string, error) {
		facts, err := d.stillWaits(ctx, a.ID, changeID)
		if err != nil {
			return facts, err
		}
		_, err = d.Numbers.Cancel(ctx, a.ID, changeID, actOf(agent, reason))
		return facts, numberRefusal(err)
	})
}

// stillWaits checks that the change of an account that waits is the one that the
// agent has seen, and returns what is recorded of it. Whoever asked for it could
// have put another in its place meanwhile.
func (d Desk) stillWaits(ctx context.Context, accountID, changeID string) (map[string]string, error) {
	pending, err := d.Numbers.Pending(ctx, accountID)
	if err != nil {
		return nil, numberRefusal(err)
	}
	facts := map[string]string{"phone": otp.Phone(pending.New).Masked()}
	if pending.ID != changeID {
		return facts, refuse(RuleOtherChange)
	}
	return facts, nil
}

// Unfreeze lets one agent change a number again that its person has frozen by
// the link in a notice. RuleSecond: it was this agent's change.
func (d Desk) Unfreeze(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "phone-unfreeze", reason, func(a directory.Account, reason string) (map[string]string, error) {
		return nil, numberRefusal(d.Numbers.Unfreeze(ctx, a.ID, actOf(agent, reason)))
	})
}

// numberRefusal is why a number was not changed, in the words of this package.
func numberRefusal(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []struct {
		err  error
		rule Rule
	}{
		{otp.ErrPending, RulePending}, {otp.ErrFrozen, RuleFrozen}, {otp.ErrSecondAgent, RuleSecond}, {otp.ErrSelf, RuleSelf},
		{otp.ErrSameNumber, RuleSame}, {otp.ErrElsewhere, RuleElsewhere}, {otp.ErrHasNumber, RuleElsewhere},
		{otp.ErrMoved, RuleMoved}, {otp.ErrTooMany, RuleTooMany}, {otp.ErrNoChange, RuleNothing}, {otp.ErrNoPhone, RuleBadNumber},
	} {
		if errors.Is(err, known.err) {
			return &RefusedError{Rule: known.rule, Err: err}
		}
	}
	return fmt.Errorf("helpdesk: number: %w", err)
}
