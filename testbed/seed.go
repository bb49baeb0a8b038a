package testbed

import "time"

// DirectorySeed is what StartSamba and StartSlapd fill a directory with.
type DirectorySeed struct {
	Users  []DirectoryUser
	Groups []DirectoryGroup
	Policy DirectoryPolicy
	// MayUnlock lets the service account take the lock of wrong passwords off accounts.
	MayUnlock bool
}

// DirectoryUser is an account. Passwords are not checked against the policy.
type DirectoryUser struct {
	Name        string // sAMAccountName or uid
	Password    string
	DisplayName string
	Mail        string
	Mobile      string
	Groups      []string // names of groups that it is a direct member of

	MustChange     bool // at the next logon
	Expired        bool // the password, by the policy's MaxAge
	Disabled       bool // slapd has no such thing: locked for good
	AccountExpired bool
	NoLogonHours   bool // Samba only
	CannotChange   bool // slapd only: may not change its own password
}

// DirectoryGroup is a group.
type DirectoryGroup struct {
	Name   string
	Groups []string // names of groups that it is a direct member of
}

// DirectoryPolicy is the password policy. Zero is: no such rule.
type DirectoryPolicy struct {
	MinLength        int
	History          int
	Complexity       bool // Samba only
	MinAge           time.Duration
	MaxAge           time.Duration // users with Expired need one
	LockoutThreshold int
}

// DirectoryServer is how to reach a directory that was started.
type DirectoryServer struct {
	Domain       string // AMIDO
	Suffix       string // amido.example
	URL          string // ldaps://IP:PORT
	StartTLSURL  string // ldap://IP:PORT
	CAFile       string
	BaseDN       string
	BindDN       string // an unprivileged service account
	BindPassword string
}
