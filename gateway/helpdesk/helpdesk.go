// Package helpdesk is what an agent may do for somebody who cannot get in, and
// under which rules. It knows no HTTP: the pages and the command line use it.
//
//	desk := helpdesk.Desk{Directory: ..., Store: ..., Codes: ..., Record: ..., Settings: ...}
//	found, err := desk.Find(ctx, agent, "anna")
//	facts, err := desk.Look(ctx, agent, found[0].ID) // facts.Why says what is in the way
//	err = desk.Unlock(ctx, agent, found[0].ID, "ringde, låst efter semestern")
//
// Every act takes a reason, is recorded before and after, and counts: 20 in
// any 24 hours for an agent. Nobody acts on themselves, on another agent or on an
// administrator. Agents never see a code but a bypass code, once.
package helpdesk

import (
	"context"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// Desk is the helpdesk. Record and Ended may differ from call to call: copy it.
type Desk struct {
	Directory *directory.Directory
	Store     *store.Store
	Codes     *otp.Codes
	Numbers   *otp.Numbers
	Factors   *factor.Factors // nil on the command line
	// FactorPerson is somebody as Factors knows people.
	FactorPerson func(ctx context.Context, person directory.Account) (factor.Person, error)
	// News is the trace that tells a person, in their language, of what is done to
	// their factors; kind is of the one it is done to, where it is one. The act has
	// a record of its own.
	News func(ctx context.Context, person directory.Account, lang string, news factor.News, kind factor.Kind) (store.Trace, error)
	// Record writes an event into the audit, within the context that it is given,
	// which outlives the caller's where an act is done; what cannot be recorded is
	// not done.
	Record func(ctx context.Context, event store.Event) error
	// Ended closes the live desktops of sessions of a person that were just ended.
	Ended func(ctx context.Context, person directory.Account, sessionIDs []string) error
	// Order gives an order to the node that has a desktop; store.ErrNotFound.
	Order func(ctx context.Context, order store.DesktopOrder) error
	// PasswordTries is how many wrong passwords of an account are let through in
	// one window: from anywhere, and how many more from browsers that it has
	// logged in from.
	PasswordTries func(ctx context.Context, name string) (anywhere, familiar int)
	Now           func() time.Time
	Settings
}

// Settings are helpdesk's rules.
type Settings struct {
	ActsPerDay      int // of one agent, in any 24 hours; 0 means 20
	TriesPerAddress int // failing passwords from one network address in a window, as at the login; 0: not known
	// AgentGroups and AdministratorGroups, DNs or DOMAIN\name: on their members
	// nobody acts.
	AgentGroups, AdministratorGroups []string
	Country                          map[string]string // directory domain -> ISO country of national phone numbers
	Countries                        []string          // ISO countries that codes are sent to
}

// Agent is who helps.
type Agent struct {
	AccountID, Name, SessionID, Address string
	IsAdministrator                     bool
	// Server: on the gateway's own machine, which may do anything anyway. The
	// rules about whom and how often do not hold there; the record does.
	Server bool
}

const (
	minReason   = 3 // characters
	maxReason   = 200
	actsPerDay  = 20
	findsInAll  = 60 // searches of an agent in findsWindow
	findsWindow = 10 * time.Minute
	lookOnce    = time.Hour        // looking at a person is recorded once in it
	callerLasts = 15 * time.Minute // how long a verified caller is one
	recordLasts = 15 * time.Second // what may be spent on the record of an act that is done
	// Refusals that cost no act are recorded up to refusals an hour, of each agent
	// and kind: nobody fills the audit with them. What is beyond is in the log.
	refusals       = 60
	refusalsWindow = time.Hour
)
