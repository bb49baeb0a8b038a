package gateway

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"sync"
	"time"

	"stagedoor/targets"
	"stagedoor/webroot"
)

type targetsPage struct {
	page
	Groups     []targetGroup
	ExpiryDays int // midnights until the password expires; -1: no warning yet
	Empty      bool
}

type targetGroup struct {
	Name    string
	Targets []template.HTML // rows, made by listRows
}

type targetItem struct {
	ID, Name, Description, Icon, Kind, Href string
	NewTab                                  bool
}

// expiryWarning is how long before its end a password's expiry is shown.
const expiryWarning = 14 * 24 * time.Hour

// targetList shows what the person may reach, under the headings of the list,
// in its order.
func (p *Portal) targetList(w http.ResponseWriter, v *visit) error {
	s := v.session
	if s.Return != "" { // they left the desktop for the list
		if err := p.Store.SetReturn(v.Context(), s.ID, ""); err != nil {
			return fmt.Errorf("target list: %w", err)
		}
	}
	data := targetsPage{page: p.page(v, "title.targets"), ExpiryDays: p.expiryDays(s)}
	list := p.Targets.List()
	rows, err := p.rows.of(p.Site, list, v.lang)
	if err != nil {
		return fmt.Errorf("target list: %w", err)
	}
	place := map[string]int{}
	for _, t := range list.VisibleTo(s.who.Account.MemberOf) {
		at, known := place[t.Group]
		if !known {
			at = len(data.Groups)
			place[t.Group] = at
			data.Groups = append(data.Groups, targetGroup{Name: t.Group})
		}
		data.Groups[at].Targets = append(data.Groups[at].Targets, rows[t.ID])
	}
	data.Empty = len(data.Groups) == 0
	return p.render(w, v, http.StatusOK, "targets", data)
}

// listRows keeps the rows of the list as HTML, made once for each reading of the
// list and language: a template's work for 500 targets is 10 ms, and a page is
// to take less than 5.
type listRows struct {
	mu     sync.Mutex
	list   *targets.List
	byLang map[string]map[string]template.HTML // language, target id
}

func (r *listRows) of(site *webroot.Site, list *targets.List, lang string) (map[string]template.HTML, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list != list {
		r.list, r.byLang = list, map[string]map[string]template.HTML{}
	}
	if rows := r.byLang[lang]; rows != nil {
		return rows, nil
	}
	rows := make(map[string]template.HTML, len(list.All()))
	for _, t := range list.All() {
		row, err := site.Part(lang, "targets", "target", item(t))
		if err != nil {
			return nil, err
		}
		rows[t.ID] = row
	}
	r.byLang[lang] = rows
	return rows, nil
}

func item(t targets.Target) targetItem {
	i := targetItem{ID: t.ID, Name: t.Name, Description: t.Description, Icon: t.Icon, Kind: string(t.Kind)}
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

func (p *Portal) expiryDays(s *session) int {
	expires := s.who.Account.PasswordExpires
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
func (p *Portal) targetOf(s *session, id string) (targets.Target, bool) {
	if id == "" {
		return targets.Target{}, false
	}
	return p.Targets.List().Get(id, s.who.Account.MemberOf)
}
