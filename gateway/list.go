package gateway

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/targets"
	"stagedoor/webroot"
)

type targetsPage struct {
	portal.Page
	Running    []runningRow
	Favourites template.HTML // rows, made by listRows
	Recent     []recentRow
	Groups     []targetGroup
	Search     bool // there are enough to search in
	ExpiryDays int  // midnights until the password expires; -1: no warning yet
	Empty      bool
	Invite     bool      // to set up a second factor, which is voluntary
	InviteFrom time.Time // until then; zero: for good
	// InviteOther: what they log in with now does not count from then on.
	InviteOther bool
	Waiting     string // a number that helpdesk has entered and that does not count yet, masked; empty: none
}

type targetGroup struct {
	Name string
	Rows template.HTML // made by listRows
}

type targetItem struct {
	ID, Name, Description, Group, Icon, Kind, Href string
	NewTab, Favourite, Asked                       bool // Asked: whether it answers
}

// runningRow is a desktop that goes on. Name is what its page is called.
type runningRow struct {
	targetItem
	Desktop, State, View string
}

// recentRow is a short cut to a target that was opened lately.
type recentRow struct {
	targetItem
	View string // "": there is none
}

const (
	expiryWarning = 14 * 24 * time.Hour // how long before its end a password's expiry is shown
	manyTargets   = 8                   // from here on people search, and need short cuts
	recentTargets = 4
)

// targetList shows what the person may reach: what goes on, favourites, what
// they opened lately, and then all else under the headings of the list, in its
// order. A favourite stands above its group and not once more in it; what was
// opened lately is a short cut, and stays where people know it to be.
func (p *Gateway) targetList(w http.ResponseWriter, v *portal.Visit) error {
	s := v.Session
	if s.Return != "" { // they left the desktop for the list
		if err := p.Store.SetReturn(v.Context(), s.ID, ""); err != nil {
			return fmt.Errorf("target list: %w", err)
		}
	}
	list := p.Targets.List()
	visible := list.VisibleTo(s.Who.Account.MemberOf)
	marks, err := p.Store.Favourites(v.Context(), s.AccountID)
	if err != nil {
		return fmt.Errorf("target list: %w", err)
	}
	rows, err := p.rows.of(p.Site, list, v.Lang, p.Set.Probe)
	if err != nil {
		return fmt.Errorf("target list: %w", err)
	}
	data := targetsPage{Page: p.Page(v, "title.targets"), ExpiryDays: p.expiryDays(s),
		Search: len(visible) >= manyTargets, Empty: len(visible) == 0,
		Invite: s.Who.Factors.Invites(), InviteFrom: s.Who.Factors.From, InviteOther: s.Who.Factors.Changes()}
	favourite := make(map[string]bool, len(marks))
	for _, id := range marks {
		favourite[id] = true
	}
	data.Favourites, data.Groups = grouped(visible, favourite, rows)
	data.Running = p.runningRows(s)
	if data.Waiting, err = p.WaitingNumber(v.Context(), s); err != nil {
		return fmt.Errorf("target list: %w", err)
	}
	if data.Recent, err = p.recentRows(v, data.Running, favourite, data.Search); err != nil {
		return fmt.Errorf("target list: %w", err)
	}
	return p.Render(w, v, http.StatusOK, "targets", data)
}

// grouped puts the rows under their headings, favourites apart.
func grouped(visible []targets.Target, favourite map[string]bool, rows map[string]listRow) (template.HTML, []targetGroup) {
	var marked strings.Builder
	var names []string
	plain := map[string][]string{}
	for i := range visible {
		t := &visible[i]
		if favourite[t.ID] {
			marked.WriteString(rows[t.ID].marked)
			continue
		}
		if plain[t.Group] == nil {
			names = append(names, t.Group)
		}
		plain[t.Group] = append(plain[t.Group], rows[t.ID].plain)
	}
	// What is joined here was escaped when the rows were made.
	result := make([]targetGroup, len(names))
	for i, name := range names {
		result[i] = targetGroup{name, template.HTML(strings.Join(plain[name], ""))}
	}
	return template.HTML(marked.String()), result
}

// runningRows are the session's desktops on this node, of targets that the
// person may still see.
func (p *Gateway) runningRows(s *portal.Session) (rows []runningRow) {
	for _, e := range p.desktops.running(s.ID) {
		if t, ok := p.targetOf(s, e.target); ok {
			rows = append(rows, runningRow{targetItem: item(t), Desktop: e.name.desktop, State: e.stateName(), View: p.viewOf(s, t)})
		}
	}
	return rows
}

// recentRows are short cuts: where the list is long to what was opened lately,
// and in any list to what was open in this session and has a picture to show.
func (p *Gateway) recentRows(v *portal.Visit, running []runningRow, favourite map[string]bool, many bool) (rows []recentRow, err error) {
	ids, err := p.Store.Recents(v.Context(), v.Session.AccountID, recentTargets+len(running)+len(favourite))
	if err != nil {
		return nil, err
	}
	goesOn := map[string]bool{}
	for _, row := range running {
		goesOn[row.ID] = true
	}
	for _, id := range ids {
		t, ok := p.targetOf(v.Session, id)
		if !ok || goesOn[id] || len(rows) == recentTargets {
			continue
		}
		row := recentRow{item(t), p.viewOf(v.Session, t)}
		if row.View != "" || many && !favourite[id] {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// viewOf is the address of a session's last picture of a target; "": none.
func (p *Gateway) viewOf(s *portal.Session, t targets.Target) string {
	stamp := p.desktops.views.stamp(s.ID, t.ID)
	if stamp == 0 {
		return ""
	}
	return "/desktop/" + url.PathEscape(t.ID) + "/view?at=" + strconv.FormatInt(stamp, 10)
}

// listRows keeps the rows of the list as HTML, made once for each reading of the
// list and language: a template's work for 500 targets is 10 ms, and a page is
// to take less than 5. They are the same for everybody; a favourite is the other
// one of two.
type listRows struct {
	mu     sync.Mutex
	list   *targets.List
	byLang map[string]map[string]listRow // language, target id
}

type listRow struct{ plain, marked string }

func (r *listRows) of(site *webroot.Site, list *targets.List, lang string, probe bool) (map[string]listRow, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list != list {
		r.list, r.byLang = list, map[string]map[string]listRow{}
	}
	if rows := r.byLang[lang]; rows != nil {
		return rows, nil
	}
	rows := make(map[string]listRow, len(list.All()))
	for _, t := range list.All() {
		one := item(t)
		one.Asked = probe && t.Kind == targets.Desktop
		plain, err := site.Part(lang, "targets", "target", one)
		if err != nil {
			return nil, err
		}
		one.Favourite = true
		marked, err := site.Part(lang, "targets", "target", one)
		if err != nil {
			return nil, err
		}
		rows[t.ID] = listRow{string(plain), string(marked)}
	}
	r.byLang[lang] = rows
	return rows, nil
}

func item(t targets.Target) targetItem {
	i := targetItem{ID: t.ID, Name: t.Name, Description: t.Description, Group: t.Group, Icon: t.Icon, Kind: string(t.Kind)}
	switch t.Kind {
	case targets.Link:
		i.Href, i.NewTab = t.URL, true
	case targets.Document:
		i.Href, i.NewTab = "/document/"+url.PathEscape(t.ID), true
	default:
		i.Href = "/desktop/" + url.PathEscape(t.ID)
	}
	return i
}

func (p *Gateway) expiryDays(s *portal.Session) int {
	expires := s.Who.Account.PasswordExpires
	if left := expires.Sub(p.Now()); !expires.IsZero() && left < expiryWarning {
		return max(0, daysBetween(p.Now().Local(), expires.Local()))
	}
	return -1
}

// daysBetween counts midnights, so that 1 is tomorrow, however few hours away.
func daysBetween(from, to time.Time) int {
	noon := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC) }
	return int(noon(to).Sub(noon(from)) / (24 * time.Hour))
}

// targetOf finds a target that a session's person may see.
func (p *Gateway) targetOf(s *portal.Session, id string) (targets.Target, bool) {
	if id == "" {
		return targets.Target{}, false
	}
	return p.Targets.List().Get(id, s.Who.Account.MemberOf)
}
