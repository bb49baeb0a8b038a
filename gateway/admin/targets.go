package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/portal"
	"stagedoor/store"
	"stagedoor/targets"
)

type adminTargetsPage struct {
	adminPage
	File      string
	LoadedAt  time.Time
	Rows      []adminTarget
	Faults    []targets.Problem // of the newest file, when it was refused
	More      int               // that are not shown
	RefusedAt time.Time
	ViewAs    viewAs
}

// adminTarget is a row of the list as it was loaded.
type adminTarget struct {
	targets.Target
	Place    string
	Unknown  []string // groups that the directory does not know
	Warnings []targets.Warning
}

// viewAs is what somebody sees of the list, and why.
type viewAs struct {
	Name                 string // as typed
	Missing, Unavailable bool
	Person               *viewedPerson
	Sees, SeesNot        []targets.Sight
}

type viewedPerson struct {
	directory.Account
	Login                string // DOMAIN\name
	Agent, Administrator bool
}

const (
	faultsShown   = 50
	groupsAge     = time.Minute
	groupsTimeout = 5 * time.Second
	groupsAtOnce  = 4
)

// adminTargets shows the list as this node has it.
func (p *Pages) adminTargets(w http.ResponseWriter, v *portal.Visit) error {
	return p.showTargets(w, v, http.StatusOK, viewAs{})
}

// viewTargetsAs shows what somebody would see, as the directory knows them now.
// Nothing can be opened from there, and it is audited: it tells what a person has
// access to.
func (p *Pages) viewTargetsAs(w http.ResponseWriter, v *portal.Visit) error {
	as := viewAs{Name: portal.Printable(strings.TrimSpace(v.PostFormValue("name")), 256)}
	event := store.Event{Kind: "view-as", Result: "ok", Detail: map[string]string{store.AboutPerson: as.Name}}
	account, err := p.Directory.Lookup(v.Context(), as.Name)
	status := http.StatusOK
	switch {
	case errors.Is(err, directory.ErrNotFound):
		as.Missing, status, event.Result, event.Reason = true, http.StatusUnprocessableEntity, "refused", "not-found"
	case err != nil:
		v.Log.Warn("directory does not answer", "error", err)
		as.Unavailable, status, event.Result, event.Reason = true, http.StatusServiceUnavailable, "error", "directory"
	default:
		as.of(account, p)
		event.Detail[store.AboutAccount], event.Detail[store.AboutPerson] = account.ID, as.Person.Login
	}
	if err := p.Audit(v, event); err != nil {
		return err
	}
	return p.showTargets(w, v, status, as)
}

// of goes through the list for an account.
func (a *viewAs) of(account directory.Account, p *Pages) {
	a.Person = &viewedPerson{Account: account, Login: account.Domain + `\` + account.Name,
		Agent: hasRole(p.Set.HelpdeskGroups, account), Administrator: hasRole(p.Set.AdministratorGroups, account)}
	for _, sight := range p.Targets.List().Explain(account.MemberOf) {
		if sight.Visible {
			a.Sees = append(a.Sees, sight)
		} else {
			a.SeesNot = append(a.SeesNot, sight)
		}
	}
}

func (p *Pages) showTargets(w http.ResponseWriter, v *portal.Visit, status int, as viewAs) error {
	list := p.Targets.List()
	data := adminTargetsPage{adminPage: p.adminPage(v, "targets", "title.admin.targets"),
		File: list.Path, LoadedAt: list.LoadedAt, ViewAs: as}
	data.Faults, data.RefusedAt = p.Targets.Refused()
	if len(data.Faults) > faultsShown {
		data.Faults, data.More = data.Faults[:faultsShown], len(data.Faults)-faultsShown
	}
	unknown := p.unknown.in(v.Context(), p.Directory, list)
	for _, t := range list.All() {
		row := adminTarget{Target: t, Place: place(t), Warnings: t.Warnings()}
		row.Unknown = slices.DeleteFunc(slices.Clone(t.Groups), func(group string) bool { return !unknown[group] })
		data.Rows = append(data.Rows, row)
	}
	return p.Render(w, v, status, "admin-targets", data)
}

// groupCheck remembers which groups of a list the directory does not know: a
// name that was misspelt shows its targets to nobody, and nothing else tells.
type groupCheck struct {
	mu      sync.Mutex
	list    *targets.List
	at      time.Time
	unknown map[string]bool
}

// in asks the directory, at most once a minute for a list. Where it does not
// answer nothing is said to be unknown.
func (g *groupCheck) in(ctx context.Context, d *directory.Directory, list *targets.List) map[string]bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.list == list && time.Since(g.at) < groupsAge {
		return g.unknown
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupsTimeout)
	defer cancel()
	groups := make(chan string)
	unknown := map[string]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range groupsAtOnce {
		all.Go(func() {
			for group := range groups {
				if found, err := d.GroupExists(ctx, group); err == nil && !found {
					mu.Lock()
					unknown[group] = true
					mu.Unlock()
				}
			}
		})
	}
	for _, group := range list.Groups() {
		groups <- group
	}
	close(groups)
	all.Wait()
	g.list, g.at, g.unknown = list, time.Now(), unknown
	return unknown
}
