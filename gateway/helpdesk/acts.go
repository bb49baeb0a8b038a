package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"stagedoor/directory"
	"stagedoor/otp"
	"stagedoor/store"
)

// Unlock takes the directory's lock of wrong passwords off an account.
// RuleForbidden where the service account may not.
func (d Desk) Unlock(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "helpdesk-unlock", reason, func(person directory.Account, _ string) (map[string]string, error) {
		err := d.Directory.Unlock(ctx, nameOf(person))
		switch {
		case err == nil:
			return nil, nil
		case errors.Is(err, directory.ErrForbidden):
			return nil, &RefusedError{Rule: RuleForbidden, Err: err}
		case errors.Is(err, directory.ErrNotFound):
			return nil, refuse(RuleUnknown)
		case errors.Is(err, directory.ErrUnavailable):
			return nil, &RefusedError{Rule: RuleDirectory, Err: err}
		}
		return nil, fmt.Errorf("helpdesk: unlock: %w", err)
	})
}

// ClearPasswords lets a person try passwords again who has typed too many wrong
// ones here. The directory's own lock is another thing.
func (d Desk) ClearPasswords(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "helpdesk-clear-password", reason, func(directory.Account, string) (map[string]string, error) {
		return nil, wrapped("clear passwords", errors.Join(d.Store.Clear(ctx, store.PasswordKey(id)), d.Store.Clear(ctx, store.FamiliarKey(id))))
	})
}

// ClearCodes forgets a person's wrong codes and lifts the lock that they made.
func (d Desk) ClearCodes(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "helpdesk-clear-codes", reason, func(directory.Account, string) (map[string]string, error) {
		return nil, wrapped("clear codes", d.Codes.Unlock(ctx, id))
	})
}

// ClearSends lets the hour's and the day's messages of a person begin anew, and
// those of their number and mail address, which another account may share.
func (d Desk) ClearSends(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "helpdesk-clear-sends", reason, func(person directory.Account, _ string) (map[string]string, error) {
		var phones []otp.Phone
		var none *otp.NoPhoneError
		switch number, err := d.phoneOf(ctx, person); {
		case err == nil:
			phones = append(phones, number.Phone)
		case !errors.As(err, &none):
			return nil, wrapped("clear sends", err)
		}
		n, err := d.Codes.ClearSends(ctx, id, person.Mail, phones...)
		return map[string]string{"messages": strconv.FormatInt(n, 10)}, wrapped("clear sends", err)
	})
}

// sessionEnd is why sessions end that an agent has ended.
const sessionEnd = "revoked"

// EndSessions logs a person out everywhere, with their desktops. RuleNothing
// where they are logged in nowhere.
func (d Desk) EndSessions(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "helpdesk-end-sessions", reason, func(person directory.Account, _ string) (map[string]string, error) {
		ended, err := d.Store.EndSessionsOf(ctx, id, "", sessionEnd)
		if err != nil {
			return nil, fmt.Errorf("helpdesk: end sessions: %w", err)
		}
		if len(ended) == 0 {
			return nil, refuse(RuleNothing)
		}
		if d.Ended != nil {
			err = d.Ended(ctx, person, ended)
		}
		return map[string]string{"sessions": strconv.Itoa(len(ended))}, err
	})
}

func wrapped(operation string, err error) error {
	if err != nil {
		return fmt.Errorf("helpdesk: %s: %w", operation, err)
	}
	return nil
}
