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
	"log/slog"
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
// targets.example.yaml.
type Target struct {
	ID          string // in the address: [a-z0-9-]{1,64}
	Name        string
	Group       string // the heading it stands under
	Description string
	Icon        string
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
	Domain      string
	password    string // Stored
	Transfers   Transfers
	Timezone    string // IANA name; empty: the browser's
	parameters  map[string]string
	mustHave    []string
}

// Login is what a desktop signs in with.
type Login struct {
	Username, Domain, Password string
}

// Parameters are the guacd arguments of the desktop by name, login included,
// and the names that guacd must know, since the target's policy rests on them:
// a guacd that lacks one is refused (fail closed). login is used for Session
// only; Stored brings its own and Prompt has none.
func (t Target) Parameters(login Login) (arguments map[string]string, mustHave []string) {
	return nil, nil
}

// List is one good reading of the file. It never changes.
type List struct {
	Path     string
	LoadedAt time.Time
	targets  []Target
}

// All are the targets in the order of the file.
func (l *List) All() []Target { return l.targets }

// VisibleTo are the targets that somebody may see; member tells whether they
// are in a group.
func (l *List) VisibleTo(member func(group string) bool) []Target { return nil }

// Get finds a target that somebody may see. Unknown and hidden targets are not
// told apart.
func (l *List) Get(id string, member func(group string) bool) (Target, bool) {
	return Target{}, false
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

// LoadError is every fault of a file at once.
type LoadError struct {
	Problems []Problem
}

func (e *LoadError) Error() string { return "" }

// Load reads and checks a file. Its error is a *LoadError.
func Load(path string) (*List, error) { return &List{Path: path}, nil }

// Watcher keeps the last good list and reads the file again when it changes.
type Watcher struct {
	list *List
}

// Open loads the file, which must be good, and watches it until Close. A later
// fault is logged once, with file and line, and kept for Err.
func Open(path string, log *slog.Logger) (*Watcher, error) { return &Watcher{}, nil }

// List is the list in force.
func (w *Watcher) List() *List { return w.list }

// Err is why the newest file was not taken, nil when it was.
func (w *Watcher) Err() error { return nil }

// Close stops watching.
func (w *Watcher) Close() {}
