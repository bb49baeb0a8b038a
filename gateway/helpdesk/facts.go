package helpdesk

import (
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// Facts is all that an agent sees of a person. No code, no password and no
// whole number is in it.
type Facts struct {
	ID           string          // Account.ID, known even when the directory is out
	State        directory.State // as the directory has it now
	Gone         bool            // the directory knows nobody by this id
	DirectoryOut bool            // it does not answer: State is empty
	Phone        Phone
	Tries        []store.Event // logins, codes, desktops and acts on the person; the newest first
	Limits       Limits
	Messages     []Message      // the last codes and what became of them; the newest first
	History      []NumberLine   // what was done to the number; the newest first
	Factors      *factor.Status // nil: not known
	Open         *OpenCode      // the code that was asked for last on the person's way in
	Waiting      []OpenCode     // all that wait in some browser, that one first
	Sessions     []store.Session
	Caller       Caller
	Bars         Rule // why this agent may do nothing here; empty: they may
	ActsLeft     int
	Why          []Cause // what is in the way, the first thing first
}

// Phone is the number that codes go to.
type Phone struct {
	Masked  string // the last four digits
	Problem string // otp.NoPhoneError.Reason; empty: it is usable
	Source  string // otp.FromVerified, otp.FromDirectory

	Verified   bool
	VerifiedAt time.Time
	How, By    string // otp.HowCode, ...; whose name
	Frozen     bool   // the person has stopped a change
	Pending    *PendingNumber

	phone otp.Phone
}

// PendingNumber is a change of number that waits.
type PendingNumber struct {
	ID     string // for ConfirmChange and CancelChange
	Masked string
	Since  time.Time
	Due    time.Time // zero: until a second agent confirms
	By     string
	Own    bool // this agent asked for it
}

// Message is a code that was sent, or was to be.
type Message struct {
	At, Ended time.Time
	Masked    string
	State     store.SendState
	Purpose   string
	Sender    string
	Reason    string // of what went wrong: the sender's or the provider's words
}

// OpenCode is a code that somebody who knows the password is asked for in some
// browser: the person, or an attacker.
type OpenCode struct {
	SentAt, ResendAt, ExpiresAt time.Time
	Left                        int // tries
	SessionID, Address          string
	Since                       time.Time // when the password was right there
}

// Caller is what is known of who is on the telephone.
type Caller struct {
	Until time.Time // verified until then; zero: not
	Asked bool      // a code to read back is on its way
	Left  int       // tries at it
}
