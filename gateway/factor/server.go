package factor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stagedoor/store"
)

// serverBypass is, in the database, the kind of bypass codes that were made on
// the portal's own machine. To everybody else they are Bypass.
const serverBypass Kind = "bypass-server"

// IssueServerBypass is IssueBypass on the portal's own machine, whose owner can
// let anybody in anyway: its codes hold for agents and administrators too, who
// else could not come back when their only factor is lost. by is who ran the
// command.
func (f *Factors) IssueServerBypass(ctx context.Context, accountID, by string) (code string, expires time.Time, err error) {
	return f.issue(ctx, accountID, serverBypass, by)
}

// issue makes a bypass code of a kind; older ones of both kinds are void.
func (f *Factors) issue(ctx context.Context, accountID string, kind Kind, by string) (code string, expires time.Time, err error) {
	code, expires = newCode(), f.Now().Add(bypassFor)
	made := store.FactorCode{Hash: f.hash(accountID, code), MadeBy: by, ExpiresAt: expires}
	other := Bypass
	if kind == Bypass {
		other = serverBypass
	}
	err = errors.Join(
		f.Store.PutFactorCodes(ctx, accountID, string(other), nil, f.Now()),
		f.Store.PutFactorCodes(ctx, accountID, string(kind), []store.FactorCode{made}, f.Now()),
	)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("factor: bypass code: %w", err)
	}
	return shown(code), expires, nil
}

// bypassUntil is when the bypass code that is out ends; zero: none is out.
func (f *Factors) bypassUntil(ctx context.Context, accountID string) (until time.Time, err error) {
	for _, kind := range []Kind{Bypass, serverBypass} {
		left, made, err := f.Store.FactorCodesLeft(ctx, accountID, string(kind), f.Now())
		if err != nil {
			return time.Time{}, fmt.Errorf("factor: %w", err)
		}
		if end := made.Add(bypassFor); left > 0 && end.After(until) {
			until = end
		}
	}
	return until, nil
}

// RemoveBackup makes the printed codes of an account void, and says how many
// were left. ErrNotFound where none were.
func (f *Factors) RemoveBackup(ctx context.Context, accountID string) (removed int, err error) {
	removed, _, err = f.Store.FactorCodesLeft(ctx, accountID, string(Backup), f.Now())
	if err != nil {
		return 0, fmt.Errorf("factor: %w", err)
	}
	if removed == 0 {
		return 0, ErrNotFound
	}
	if err := f.Store.PutFactorCodes(ctx, accountID, string(Backup), nil, f.Now()); err != nil {
		return 0, fmt.Errorf("factor: remove backup codes: %w", err)
	}
	return removed, f.Changed(ctx, accountID)
}
