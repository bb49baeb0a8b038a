// Package targets is the list of workstations that people may reach: a YAML
// file that administrators edit while the gateway runs.
//
//	watcher, err := targets.Open("targets.yaml", log)
//	for _, t := range watcher.List().VisibleTo(account.MemberOf) { ... }
//
// A file is taken whole or not at all: with any fault the last good list stays
// in force, so that a typing error can neither widen nor withdraw access.
package targets

import (
	"fmt"
	"strings"
	"time"
)

// Kind says what happens when a person picks a target.
type Kind string

// The kinds of target.
const (
	Desktop  Kind = "desktop"  // a remote desktop through guacd
	Link     Kind = "link"     // a web address, opened in a new tab
	Document Kind = "document" // a file that the portal hands out
)

// Credentials says where a desktop's user name and password come from.
type Credentials string

// The sources of credentials.
const (
	Prompt  Credentials = "prompt"  // the person is asked; never stored
	Session Credentials = "session" // the portal's own login
	Stored  Credentials = "stored"  // user name in the list, password in a file
)

// Transfers is what may cross between the browser and the desktop. The zero
// value denies everything.
type Transfers struct {
	Paste    bool `yaml:"paste"`    // clipboard, browser to desktop
	Copy     bool `yaml:"copy"`     // clipboard, desktop to browser
	Upload   bool `yaml:"upload"`   // files, browser to desktop
	Download bool `yaml:"download"` // files, desktop to browser
	Print    bool `yaml:"print"`    // the desktop prints to a PDF in the browser
	AudioOut bool `yaml:"audio"`
	AudioIn  bool `yaml:"microphone"`
}

// Target is one entry of the list, checked. Its yaml form is documented in
// targets.example.yaml. It prints, logs and marshals without its secrets.
type Target struct {
	ID          string // in the address: [a-z0-9-]{1,64}
	Line        int    // of the file, where it begins
	Name        string
	Group       string // the heading it stands under
	Description string
	Icon        string // [a-z0-9-]{0,32}
	Kind        Kind
	URL         string // Kind Link: http or https
	File        string // Kind Document: absolute path
	Everyone    bool
	Groups      []string // DNs or DOMAIN\name; any of them
	Protocol    string   // rdp, vnc, ssh
	Host        string
	Port        int
	Credentials Credentials
	Username    string // Stored, and a default for nothing else
	Domain      string // Stored
	password    secret
	Transfers   Transfers
	Timezone    string // IANA name; empty: the browser's
	ReadOnly    bool   // parameters: read-only: the desktop may be looked at only

	parameters map[string]string // what guacd is told whoever signs in
	hidden     map[string]secret // of parameter_files
	mustHave   []string
	drive      string // folder on guacd's machine; a desktop gets its own in it
	groups     []int  // Groups as indices into List.groups

	ignoresCertificate bool // dangerously_ignore_certificate
}

// Login is what a desktop signs in with.
type Login struct {
	Username, Domain, Password string
}

// List is one good reading of the file. It never changes.
type List struct {
	Path     string
	LoadedAt time.Time
	Digest   string // hex SHA-256 of the file: nodes with the same have the same list
	targets  []Target
	byID     map[string]int
	groups   []string // each group that the list names, once
}

// All are the targets in the order of the file. The slice is not to be changed.
func (l *List) All() []Target { return l.targets }

// VisibleTo are the targets that somebody may see, in the order of the file;
// member tells whether they are in a group, and is asked at most once for each
// group however many targets name it. The slice is not to be changed.
func (l *List) VisibleTo(member func(group string) bool) []Target {
	asked := newMembership(l, member)
	count := 0
	for i := range l.targets {
		if asked.sees(&l.targets[i]) {
			count++
		}
	}
	if count == len(l.targets) {
		return l.targets[:count:count]
	}
	visible := make([]Target, 0, count)
	for i := range l.targets {
		if asked.sees(&l.targets[i]) {
			visible = append(visible, l.targets[i])
		}
	}
	return visible
}

// Get finds a target that somebody may see. Unknown and hidden targets are not
// told apart.
func (l *List) Get(id string, member func(group string) bool) (Target, bool) {
	i, ok := l.byID[id]
	if !ok || !newMembership(l, member).sees(&l.targets[i]) {
		return Target{}, false
	}
	return l.targets[i], true
}

// membership remembers the answers about one person.
type membership struct {
	groups []string
	member func(group string) bool
	known  []int8 // 0: not asked, 1: member, -1: not
}

func newMembership(l *List, member func(group string) bool) *membership {
	return &membership{groups: l.groups, member: member, known: make([]int8, len(l.groups))}
}

func (m *membership) sees(t *Target) bool {
	if t.Everyone {
		return true
	}
	for _, group := range t.groups {
		if m.known[group] == 0 {
			m.known[group] = -1
			if m.member(m.groups[group]) {
				m.known[group] = 1
			}
		}
		if m.known[group] > 0 {
			return true
		}
	}
	return false
}

// Problem is one fault in the file.
type Problem struct {
	File string
	Line int // 0: the file as a whole
	Text string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Text)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// LoadError is every fault of a file at once, in the order of its lines.
type LoadError struct {
	Problems []Problem
}

// Error is a line for each problem, at most 50 of them.
func (e *LoadError) Error() string {
	var lines []string
	for i, problem := range e.Problems {
		if i == 50 {
			lines = append(lines, fmt.Sprintf("and %d more", len(e.Problems)-i))
			break
		}
		lines = append(lines, problem.String())
	}
	return strings.Join(lines, "\n")
}
