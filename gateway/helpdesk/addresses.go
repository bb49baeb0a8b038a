package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/store"
)

// AddressLimit is a network address from which somebody has tried a person's
// name, and from which no password is looked at for now, whoever's it is.
type AddressLimit struct {
	Address string    // IPv6: its network
	Tries   int       // wrong passwords from there
	At      time.Time // the last try with the person's name
	Until   time.Time
}

// reasonAddress is the reason of a try that was refused before anybody looked whose
// name it is, because of its address.
const reasonAddress = "address-throttled"

// Any stranger can type a name: what they leave behind must not push out what is
// the person's own.
const (
	mostUnnamed = 10
	mostNames   = 5
)

// gatherUnnamed are the tries with the person's name that no account is known of:
// the address had used up its tries, or the directory did not answer.
func (d Desk) gatherUnnamed(ctx context.Context, _ Agent, f *Facts) (err error) {
	if f.Unnamed, err = d.unnamed(ctx, f.ID, f.State.Account); err != nil {
		return err
	}
	f.Limits.Addresses, err = d.heldAddresses(ctx, f.Unnamed)
	return err
}

// unnamed goes by the names that the account was known under: the directory's,
// and as it was typed at logins.
func (d Desk) unnamed(ctx context.Context, id string, person directory.Account) ([]store.Event, error) {
	const among = 30 // logins of the person
	logins, err := d.Store.Events(ctx, store.EventFilter{AccountID: id, Kind: "login", Limit: among})
	if err != nil {
		return nil, fmt.Errorf("helpdesk: tries: %w", err)
	}
	var names []string
	add := func(name string) {
		name = strings.ToLower(name)
		if name != "" && len(names) < mostNames && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if person.Name != "" {
		add(nameOf(person))
	}
	for _, event := range logins {
		if event.AccountID == id {
			add(event.Name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	events, err := d.Store.Events(ctx, store.EventFilter{Names: names, NoAccount: true, Kinds: []string{"login", "password", "again"}, Limit: mostUnnamed})
	if err != nil {
		return nil, fmt.Errorf("helpdesk: tries: %w", err)
	}
	return events, nil
}

// heldAddresses are those of tries that are still held, the last tried first.
func (d Desk) heldAddresses(ctx context.Context, tries []store.Event) (held []AddressLimit, err error) {
	for _, try := range tries {
		network := store.NetworkOf(try.Address)
		if try.Reason != reasonAddress || network == "" || slices.ContainsFunc(held, func(l AddressLimit) bool { return l.Address == network }) {
			continue
		}
		n, until, err := d.Store.Tries(ctx, store.AddressKey(network))
		if err != nil {
			return nil, fmt.Errorf("helpdesk: address: %w", err)
		}
		if d.TriesPerAddress > 0 && n >= d.TriesPerAddress {
			held = append(held, AddressLimit{Address: network, Tries: n, At: try.At, Until: until})
		}
	}
	return held, nil
}

// ClearAddress lifts the hold of a network address from which the person has
// tried in vain; "" lifts those of all such addresses. It is lifted for everybody
// who is behind it; what holds of each account stays. RuleNothing where none of
// that kind is held.
func (d Desk) ClearAddress(ctx context.Context, agent Agent, id, address, reason string) error {
	return d.act(ctx, agent, id, "helpdesk-clear-address", reason, func(person directory.Account, _ string) (map[string]string, error) {
		tries, err := d.unnamed(ctx, id, person)
		if err != nil {
			return nil, err
		}
		held, err := d.heldAddresses(ctx, tries)
		if err != nil {
			return nil, err
		}
		var lifted []string
		for _, one := range held {
			if address != "" && one.Address != address {
				continue
			}
			if err := d.Store.Clear(ctx, store.AddressKey(one.Address)); err != nil {
				return nil, wrapped("clear address", err)
			}
			lifted = append(lifted, one.Address)
		}
		if len(lifted) == 0 {
			return nil, refuse(RuleNothing)
		}
		return map[string]string{"lifted": strings.Join(lifted, " ")}, nil
	})
}

// Happened are the tries with the person's name and all that is known of their
// account, the newest first.
func (f Facts) Happened() []store.Event {
	all := slices.Concat(f.Tries, f.Unnamed)
	slices.SortStableFunc(all, func(a, b store.Event) int { return b.At.Compare(a.At) })
	return all[:min(len(all), mostTry)]
}

// ofAddresses are holds of addresses that the person has not got past since.
func ofAddresses(f Facts, now time.Time) (found []Cause) {
	last := lastOf(f.Tries, "login")
	for _, held := range f.Limits.Addresses {
		if held.Until.After(now) && (last == nil || last.Result != "ok" || last.At.Before(held.At)) {
			found = append(found, Cause{Key: WhyAddressLimit, Act: "clear-address", Where: held.Address, Since: held.At, Until: held.Until, Count: held.Tries})
		}
	}
	return found
}
