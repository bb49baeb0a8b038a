package targets

import "slices"

// Sight is whether somebody sees a target, and why.
type Sight struct {
	Target
	Visible bool
	Through []string // the groups of visible_to that they are in; empty where everyone sees it
}

// Explain goes through the whole list for one person, in the order of the file:
// also what they do not see. The answer is the same as VisibleTo's.
func (l *List) Explain(member func(group string) bool) []Sight {
	isIn := make(map[string]bool, len(l.groups))
	for _, group := range l.groups {
		isIn[group] = member(group)
	}
	sights := make([]Sight, len(l.targets))
	for i, t := range l.targets {
		through := slices.DeleteFunc(slices.Clone(t.Groups), func(group string) bool { return !isIn[group] })
		sights[i] = Sight{Target: t, Visible: t.Everyone || len(through) > 0, Through: through}
	}
	return sights
}

// Groups are those that the list names, each once, in the order of the file.
func (l *List) Groups() []string { return slices.Clone(l.groups) }

// Warning is what an administrator should know of a target that is right as it
// stands, but looser than it could be.
type Warning string

// The warnings.
const (
	WarnCertificate Warning = "certificate" // dangerously_ignore_certificate: whoever is in between reads along
	WarnPlain       Warning = "plain"       // VNC: nothing is encrypted between guacd and the computer
	WarnShared      Warning = "shared"      // stored credentials: all work as the same account
	WarnEveryone    Warning = "everyone"    // a desktop that everybody who can log in may open
	WarnHTTP        Warning = "http"        // a link that anybody on the way can read and change
)

// Warnings are what is loose about a target.
func (t Target) Warnings() (found []Warning) {
	for _, one := range []struct {
		warning Warning
		holds   bool
	}{
		{WarnCertificate, t.ignoresCertificate},
		{WarnPlain, t.Protocol == "vnc"},
		{WarnShared, t.Credentials == Stored},
		{WarnEveryone, t.Kind == Desktop && t.Everyone},
		{WarnHTTP, t.Kind == Link && len(t.URL) > 5 && t.URL[:5] == "http:"},
	} {
		if one.holds {
			found = append(found, one.warning)
		}
	}
	return found
}

// Named finds a target whoever may see it: for those who keep the list.
func (l *List) Named(id string) (Target, bool) {
	i, ok := l.byID[id]
	if !ok {
		return Target{}, false
	}
	return l.targets[i], true
}
