package otp

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"stagedoor/store"
)

// What callers of Numbers switch on.
var (
	// ErrNotAllowed: the policy does not let people enrol a number themselves.
	ErrNotAllowed = errors.New("otp: enrolment is helpdesk's")
	// ErrHasNumber: there is a number already; it has to be changed.
	ErrHasNumber = errors.New("otp: there is a number already")
	// ErrSameNumber: it is the account's number already.
	ErrSameNumber = errors.New("otp: it is the number already")
	// ErrElsewhere: by policy the number is the directory's, and changed there.
	ErrElsewhere = errors.New("otp: the number is changed in the directory")
	// ErrNoChange: that change does not wait any more, or never did.
	ErrNoChange = errors.New("otp: there is no such change")
	// ErrStopped: that change has been stopped by a link already. It is an
	// ErrNoChange too.
	ErrStopped = fmt.Errorf("%w: it has been stopped", ErrNoChange)
	// ErrSelf: nobody does this for themselves.
	ErrSelf = errors.New("otp: not for oneself")
	// ErrLink: the freeze link is wrong or too old.
	ErrLink = errors.New("otp: the link is not valid")
	// ErrPending, ErrFrozen, ErrMoved, ErrUnproven, ErrSecondAgent and
	// ErrTooMany: a change waits already; the number is frozen; it has changed
	// meanwhile; a number has not been proven by a code; a second agent has to
	// confirm; the person has been told of too much today.
	ErrPending     = store.ErrNumberPending
	ErrFrozen      = store.ErrNumberFrozen
	ErrMoved       = store.ErrNumberMoved
	ErrUnproven    = store.ErrUnproven
	ErrSecondAgent = store.ErrSameAgent
	ErrTooMany     = store.ErrTooManyNotices
)

// Where a number comes from.
const (
	FromVerified  = "verified"  // the portal's own, proven or entered by helpdesk
	FromDirectory = "directory" // an attribute of the directory
)

// How a number was verified.
const (
	HowCode      = "code"                // the person typed codes from it
	HowCaller    = "caller"              // a caller read a code to helpdesk
	HowConfirmed = "directory-confirmed" // helpdesk vouches for the directory's
	HowAgents    = "agents"              // helpdesk entered it
	HowCLI       = "cli"                 // on the portal's machine
)

// Numbers knows the number of each account and the rules of changing it:
//
//	number, err := numbers.See(ctx, person, trace) // at each login
//	number, err = numbers.Of(ctx, person)          // else
//	change, err := numbers.Enrol(ctx, person, phone, act)   // the first one
//	change, err = numbers.Change(ctx, person, phone, act)   // another one
//	change, err = numbers.Freeze(ctx, changeID, token, address) // from the link in a notice
//
//	                by oneself, codes from old and new; on the machine
//	(asked) ───────────────────────────────────────────────> applied
//	   │ by helpdesk                cool-down, second agent     ^ │
//	   └────────────────> pending ──────────────────────────────┘ │ link, 7 days
//	                        │ └─ withdrawn ─> cancelled           v
//	                        └──────────── link ───────────────> frozen
//
// Every rule is kept by the statements of store, so that parallel requests and
// several nodes cannot get past it.
type Numbers struct {
	Store     *store.Store
	Notices   *Notices // tells people of changes; required for changes
	Key       []byte   // the server key: the tokens of links are made from it
	Order     []string // of sources; nil: FromVerified, FromDirectory
	SelfEnrol bool     // people without a number may enrol one with their password alone
	CoolDown  time.Duration
	Now       func() time.Time

	// Changed is called before a number takes effect or is frozen, and stops it
	// where it fails: what trusts the old number (remembered devices) ends.
	Changed func(ctx context.Context, accountID string) error
	// Recorded hears of the event of a change that has taken effect by itself,
	// which stands in the audit already: for the log. May be nil.
	Recorded func(event store.Event)
}

// Person is whose number it is, as the directory knows them.
type Person struct {
	AccountID string
	Directory []string // raw numbers of the directory's attributes, in order
	Country   string   // ISO 3166 code of national numbers
	Allowed   []string // countries that codes are sent to; empty: only Country

	// For notices, and for the history. Mail may be empty.
	Name, Lang, Mail string

	// Guarded: other second factors than a number protect the account. Then a
	// first number by helpdesk waits, as another number does.
	Guarded bool
}

// Number is an account's number.
type Number struct {
	Phone    Phone
	Source   string // FromVerified or FromDirectory
	Verified bool   // by whom and how stands below; a number of the directory may not be
	At       time.Time
	How      string // HowCode, ...
	By       string // account that verified it; "" with HowCLI
	ByName   string
	Frozen   bool // it is changed by two agents only
}

// Act is who changes a number, and why.
type Act struct {
	By, Name, Address string // account, its name, and the network address; By "" with HowCLI
	Reason            string
	How               string // "": HowCode for oneself, else HowAgents
	Session           string // the session that the codes below were typed in
	OldCode, NewCode  string // ids of used challenges: from the old number, from the new one
	// Proven: more than the password vouches for the person, another second
	// factor or helpdesk's bypass code. They enrol their first number whatever
	// SelfEnrol says.
	Proven bool
}

// What the codes are sent for that a person's own change rests on.
const (
	PurposeEnrol  = "enrol"  // the first number
	PurposeChange = "change" // the old number, and the new one
)

// Change is a change of an account's number.
type Change = store.NumberChange

// Event is a line of a number's history.
type Event = store.NumberEvent

const (
	proofLasts  = 30 * time.Minute   // from a right code to what it is for
	freezeAfter = 7 * 24 * time.Hour // from when a change takes effect
	maxHistory  = 200
)

// Of is the number that codes go to. *NoPhoneError, which is ErrNoPhone, where
// there is none: the reason is that of the first source that has anything. A
// change whose time has come takes effect first.
func (n *Numbers) Of(ctx context.Context, person Person) (Number, error) {
	own, err := n.state(ctx, person.AccountID)
	if err != nil {
		return Number{}, err
	}
	return n.pick(person, own)
}

// state is what the portal itself knows, after changes that are due.
func (n *Numbers) state(ctx context.Context, accountID string) (store.Number, error) {
	pending, err := n.Store.PendingChange(ctx, accountID)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return store.Number{}, fmt.Errorf("otp: number: %w", err)
	case !pending.DueAt.IsZero() && !pending.DueAt.After(n.now()):
		if err := n.apply(ctx, pending); err != nil {
			return store.Number{}, err
		}
	}
	own, err := n.Store.Number(ctx, accountID)
	if err != nil {
		return store.Number{}, fmt.Errorf("otp: number: %w", err)
	}
	return own, nil
}

func (n *Numbers) pick(person Person, own store.Number) (Number, error) {
	var refused error = &NoPhoneError{Reason: "empty"}
	found := Number{Frozen: !own.FrozenAt.IsZero()}
	try := func(raw, source string) bool {
		phone, err := ParsePhone(raw, person.Country, person.Allowed)
		var why, before *NoPhoneError
		if errors.As(err, &why) && errors.As(refused, &before) && before.Reason == "empty" {
			refused = err
		}
		found.Phone, found.Source = phone, source
		return err == nil
	}
	for _, source := range n.order() {
		switch {
		case source == FromVerified && own.Own && try(own.Phone, source):
		case source == FromDirectory && slices.ContainsFunc(person.Directory, func(raw string) bool { return try(raw, source) }):
		default:
			continue
		}
		if own.Own == (source == FromVerified) && own.Phone == string(found.Phone) {
			found.Verified, found.At, found.How, found.By, found.ByName = true, own.VerifiedAt, own.How, own.By, own.ByName
		}
		return found, nil
	}
	return Number{Frozen: found.Frozen}, refused
}

func (n *Numbers) order() []string {
	if len(n.Order) == 0 {
		return []string{FromVerified, FromDirectory}
	}
	return n.Order
}

// MayEnrol tells whether a person without a number may enrol one themselves;
// proven as in Act.
func (n *Numbers) MayEnrol(number Number, proven bool) bool {
	return number.Phone == "" && !number.Frozen && (n.SelfEnrol || proven) && slices.Contains(n.order(), FromVerified)
}

// History is what was done to an account's number, the newest first.
func (n *Numbers) History(ctx context.Context, accountID string) ([]Event, error) {
	events, err := n.Store.NumberHistory(ctx, accountID, maxHistory)
	if err != nil {
		return nil, fmt.Errorf("otp: history: %w", err)
	}
	return events, nil
}

// Pending is an account's change that waits; ErrNoChange where none does.
func (n *Numbers) Pending(ctx context.Context, accountID string) (Change, error) {
	change, err := n.Store.PendingChange(ctx, accountID)
	return change, n.fault("pending", err)
}

func (n *Numbers) changed(ctx context.Context, accountID string) error {
	if n.Changed == nil {
		return nil
	}
	if err := n.Changed(ctx, accountID); err != nil {
		return fmt.Errorf("otp: changed number: %w", err)
	}
	return nil
}

// freezeToken vouches for a link that freezes a change: HMAC-SHA256 under the
// server key, cut to 128 bits. The database does not hold it.
func freezeToken(key []byte, changeID string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("freeze number\x00" + changeID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// fault keeps what callers switch on as it is.
func (n *Numbers) fault(operation string, err error) error {
	for _, known := range []error{ErrPending, ErrFrozen, ErrMoved, ErrUnproven, ErrSecondAgent, ErrTooMany} {
		if errors.Is(err, known) {
			return known
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return ErrNoChange
	}
	return fmt.Errorf("otp: %s: %w", operation, err)
}

func (n *Numbers) now() time.Time {
	if n.Now == nil {
		return time.Now()
	}
	return n.Now()
}

func newID() string { return rand.Text() }
