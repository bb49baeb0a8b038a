package desk

import (
	"net/http"
	"slices"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// supportIDPage is all that is known under one support id.
type supportIDPage struct {
	portal.Page
	Section   string
	ID        string
	Events    []eventRow // oldest first, of the id and of the session around it
	Own       int        // how many are of the id itself
	Name      string     // whose it is
	Href      string
	End       string // how the desktop ended, in words
	EndTarget string
}

// aroundID is how long before and after a support id its session's other events
// are told with it.
const aroundID = 10 * time.Minute

// aboutSupportID is what helpdesk opens when somebody reads a number to them.
func (p *Pages) aboutSupportID(w http.ResponseWriter, v *portal.Visit) error {
	id := SupportID(v.PathValue("id"))
	data := supportIDPage{Page: p.Page(v, "title.support-id"), Section: "audit", ID: portal.Printable(id, 40)}
	own, err := p.Store.Events(v.Context(), store.EventFilter{RequestID: id, Limit: 500})
	if err != nil {
		return err
	}
	if len(own) == 0 {
		return p.Render(w, v, http.StatusNotFound, "support-id", data)
	}
	all, err := p.around(v, own)
	if err != nil {
		return err
	}
	data.Events, data.Own = p.eventRows(v, all), len(own)
	for i, e := range all {
		data.Events[i].Own = e.RequestID == id
		if e.RequestID != id {
			continue
		}
		if e.Name != "" {
			data.Name, data.Href = e.Name, data.Events[i].Href
		}
		if e.Kind == "desktop-close" {
			data.End, data.EndTarget = data.Events[i].Reason, data.Events[i].Target
		}
	}
	return p.Render(w, v, http.StatusOK, "support-id", data)
}

// around are the events of a support id and those of its session near them,
// oldest first.
func (p *Pages) around(v *portal.Visit, own []store.Event) ([]store.Event, error) {
	all := slices.Clone(own)
	known := map[string]bool{}
	var session string
	for _, e := range own {
		known[e.ID] = true
		if session == "" {
			session = e.SessionID
		}
	}
	if session != "" {
		newest, oldest := own[0].At, own[len(own)-1].At
		beside, err := p.Store.Events(v.Context(), store.EventFilter{SessionID: session,
			Since: oldest.Add(-aroundID), Until: newest.Add(aroundID), Limit: 500})
		if err != nil {
			return nil, err
		}
		for _, e := range beside {
			if !known[e.ID] {
				all = append(all, e)
			}
		}
	}
	slices.Reverse(all) // they come newest first, and several may have one time
	slices.SortStableFunc(all, func(a, b store.Event) int { return a.At.Compare(b.At) })
	return all, nil
}

// findSupportID leads from the field of the search to the id's page.
func (p *Pages) findSupportID(w http.ResponseWriter, v *portal.Visit) error {
	id := SupportID(v.URL.Query().Get("id"))
	if id == "" {
		return p.Redirect(w, v, "/helpdesk/audit")
	}
	return p.Redirect(w, v, "/helpdesk/id/"+portal.Printable(id, 40))
}
