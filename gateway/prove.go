package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// proof is what became of a name and a password. The account is filled in
// where the name is known; only the outcome says whether it was proven.
type proof struct {
	account directory.Account
	outcome outcome
	retry   time.Time // throttled: not before
}

type outcome int

const (
	refused     outcome = iota
	proven              // right, and may log in
	expired             // right, and must be changed first
	throttled           // too many wrong tries: the directory was not asked
	unavailable         // the directory does not answer
)

// prove checks a password under the limits that keep a stranger from locking
// people out of the directory: fewer failing tries reach it than lock an
// account there. All spellings of a name share one counter, since it hangs on
// the account's id. A browser that the account has logged in from has a second
// one, so that no stranger keeps people out of their own computer. Every refusal
// takes the same time and is audited.
func (p *Gateway) prove(v *portal.Visit, kind, name, password string) (proof, error) {
	start := time.Now()
	result, reason, err := p.tryPassword(v, name, password)
	if err != nil {
		return proof{}, err
	}
	canonical, _ := p.Directory.Canonical(name)
	event := store.Event{Kind: kind, Result: "ok", Reason: reason, Name: canonical, AccountID: result.account.ID}
	switch result.outcome {
	case refused, throttled:
		event.Result = "refused"
	case unavailable:
		event.Result = "error"
	}
	if err := p.auditProof(v, event); err != nil {
		return proof{}, err
	}
	if result.outcome == refused || result.outcome == throttled {
		waitUntil(v.Context(), start.Add(p.Set.FailureFloor))
	}
	return result, nil
}

const (
	reasonAddress     = "address-throttled"
	reasonUnavailable = "directory-unavailable"

	// How many proofs with these reasons go into the audit: no try was counted,
	// so that anybody can have any number of them. The log has them all.
	uncountedPerNetwork = 30  // in a window
	uncountedInAll      = 600 // an hour
)

// auditProof records what became of a proof.
func (p *Gateway) auditProof(v *portal.Visit, event store.Event) error {
	if event.Reason != reasonAddress && event.Reason != reasonUnavailable {
		return p.Audit(v, event)
	}
	ok, _, err := p.Store.Take(v.Context(), "uncounted:"+v.Network(), uncountedPerNetwork, p.Set.TriesWindow)
	if err == nil && ok {
		ok, _, err = p.Store.Take(v.Context(), "uncounted", uncountedInAll, time.Hour)
	}
	if err != nil {
		return fmt.Errorf("count event: %w", err)
	}
	if ok {
		return p.Audit(v, event)
	}
	v.Log.Info("not in the audit, which has enough of these", "kind", event.Kind, "result", event.Result, "reason", event.Reason, "name", event.Name)
	return nil
}

// tryPassword is prove without its floor and audit; reason is for the log.
func (p *Gateway) tryPassword(v *portal.Visit, name, password string) (result proof, reason string, err error) {
	ctx, byAddress := v.Context(), "address:"+v.Network()
	ok, retry, err := p.Store.Take(ctx, byAddress, p.Set.TriesPerAddress, p.Set.TriesWindow)
	if err != nil {
		return proof{}, "", fmt.Errorf("count try: %w", err)
	}
	if !ok {
		return proof{outcome: throttled, retry: retry}, reasonAddress, nil
	}
	canonical, known := p.Directory.Canonical(name)
	if !known {
		return proof{outcome: refused}, "malformed-name", nil
	}
	id := canonical
	account, err := p.Directory.Lookup(ctx, name)
	switch {
	case err == nil:
		id = account.ID
	case errors.Is(err, directory.ErrUnavailable):
		p.Log.Error("directory unavailable", "error", err)
		return proof{outcome: unavailable}, reasonUnavailable, p.Store.GiveBack(ctx, byAddress)
	case !errors.Is(err, directory.ErrNotFound):
		return proof{}, "", fmt.Errorf("look up: %w", err)
	}
	taken, retry, err := p.takeTry(v, name, id)
	if err != nil {
		return proof{}, "", fmt.Errorf("count try: %w", err)
	}
	if taken == "" {
		return proof{outcome: throttled, retry: retry, account: account}, "account-throttled", nil
	}
	result, reason, err = p.bind(ctx, name, password, id, taken, byAddress)
	if result.account.ID == "" {
		result.account = account
	}
	return result, reason, err
}

// takeTry counts a try at a password and says under which key; "": there is none
// left before retry.
func (p *Gateway) takeTry(v *portal.Visit, name, id string) (key string, retry time.Time, err error) {
	policy := p.lockout(v.Context(), name)
	guesses := store.Guesses{Window: p.Set.WindowUnder(policy)}
	guesses.Anywhere, guesses.Familiar = p.Set.TriesUnder(policy)
	if guesses.Known, err = p.Familiar(v, id); err != nil {
		return "", time.Time{}, err
	}
	return p.Store.TakeGuess(v.Context(), id, guesses)
}

// bind asks the directory, and settles the counters: only wrong passwords stay
// counted. A right one clears its account, whose wrong ones the directory forgets
// too, and takes back what this try counted for the address: an office shares one,
// and its good logins are no guesses.
func (p *Gateway) bind(ctx context.Context, name, password, id, taken, byAddress string) (proof, string, error) {
	account, err := p.Directory.Authenticate(ctx, name, password)
	right := func() error {
		return errors.Join(p.Store.Clear(ctx, store.PasswordKey(id)), p.Store.Clear(ctx, store.FamiliarKey(id)), p.Store.GiveBack(ctx, byAddress))
	}
	var why *directory.RefusedError
	switch {
	case err == nil:
		return proof{outcome: proven, account: account}, "", right()
	case errors.Is(err, directory.ErrPasswordExpired):
		return proof{outcome: expired, account: account}, "password-expired", right()
	case errors.As(err, &why):
		return proof{outcome: refused}, why.Reason, nil
	case errors.Is(err, directory.ErrRefused):
		return proof{outcome: refused}, "refused", nil
	case errors.Is(err, directory.ErrUnavailable):
		p.Log.Error("directory unavailable", "error", err)
		return proof{outcome: unavailable}, "directory-unavailable",
			errors.Join(p.Store.GiveBack(ctx, taken), p.Store.GiveBack(ctx, byAddress))
	}
	return proof{}, "", fmt.Errorf("authenticate: %w", err)
}

// lockout is the policy of the domain that a name belongs to, as far as it can be
// read.
func (p *Gateway) lockout(ctx context.Context, name string) directory.Policy {
	policy, err := p.policy(ctx, name)
	if err != nil {
		return directory.Policy{}
	}
	return policy
}

// triesPerAccount is how many failing passwords reach the directory in one
// window, as Settings.TriesUnder says.
func (p *Gateway) triesPerAccount(ctx context.Context, name string) (anywhere, familiar int) {
	return p.Set.TriesUnder(p.lockout(ctx, name))
}

// policyMemory keeps each domain's password policy for a minute: it is needed
// at every login and hardly ever changes.
type policyMemory struct {
	mu    sync.Mutex
	known map[string]rememberedPolicy
}

type rememberedPolicy struct {
	directory.Policy
	until time.Time
}

// policy is the directory's for the domain that a name belongs to.
func (p *Gateway) policy(ctx context.Context, name string) (directory.Policy, error) {
	canonical, _ := p.Directory.Canonical(name)
	domain, _, _ := strings.Cut(canonical, `\`)
	p.policies.mu.Lock()
	kept, ok := p.policies.known[domain]
	p.policies.mu.Unlock()
	if ok && p.Now().Before(kept.until) {
		return kept.Policy, nil
	}
	policy, err := p.Directory.Policy(ctx, name)
	if err != nil {
		return policy, err
	}
	p.policies.mu.Lock()
	defer p.policies.mu.Unlock()
	if p.policies.known == nil || len(p.policies.known) > 100 { // names come from strangers
		p.policies.known = map[string]rememberedPolicy{}
	}
	p.policies.known[domain] = rememberedPolicy{policy, p.Now().Add(time.Minute)}
	return policy, nil
}

// waitUntil waits for a time, or for the browser to leave.
func waitUntil(ctx context.Context, when time.Time) {
	timer := time.NewTimer(time.Until(when))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
