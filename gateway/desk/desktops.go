package desk

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"stagedoor/gateway/helpdesk"
	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// openDesktopsPage is helpdesk's list of the desktops that people have open.
type openDesktopsPage struct {
	portal.Page
	Section string
	Rows    []openDesktop
	Blank   openDesktop // what the page's script makes new rows of
	Query   string      // what the list is narrowed to
	All     int
	Done    string // the order that was given: store.OrderEnd, store.OrderMessage
	Fault   string // why none was given, in words
}

// openDesktop is one row; the script gets the same as JSON and changes the cells
// of the row by the same names (src/live.ts).
type openDesktop struct {
	ID      string `json:"id"`
	Person  string `json:"person"`
	Name    string `json:"name"`
	Href    string `json:"href"` // the person's page
	Target  string `json:"target"`
	Since   string `json:"since"`
	Idle    string `json:"idle"`
	Address string `json:"address"`
	Node    string `json:"node"`
	State   string `json:"state"` // in words
	Order   string `json:"order"` // what became of the last order, in words
	Own     bool   `json:"own"`   // nobody helps themselves

	// What was typed, where it was refused.
	Open      bool   `json:"-"`
	Text, Why string `json:"-"`
}

// openDesktops is the page.
func (p *Pages) openDesktops(w http.ResponseWriter, v *portal.Visit) error {
	data, err := p.openDesktopsData(v)
	if err != nil {
		return err
	}
	if done := v.URL.Query().Get("done"); done == store.OrderEnd || done == store.OrderMessage {
		data.Done = done
	}
	return p.Render(w, v, http.StatusOK, "open-desktops", data)
}

// openDesktopsNow is the same for the page's script, which asks every 5 s.
func (p *Pages) openDesktopsNow(w http.ResponseWriter, v *portal.Visit) error {
	data, err := p.openDesktopsData(v)
	if err != nil {
		return err
	}
	return p.RenderJSON(w, http.StatusOK, struct {
		Rows []openDesktop `json:"rows"`
		All  int           `json:"all"`
	}{data.Rows, data.All})
}

func (p *Pages) openDesktopsData(v *portal.Visit) (openDesktopsPage, error) {
	data := openDesktopsPage{Page: p.Page(v, "title.open-desktops"), Section: "desktops",
		Query: portal.Printable(strings.TrimSpace(v.URL.Query().Get("q")), 100), Blank: openDesktop{ID: "NEW"}, Rows: []openDesktop{}}
	desktops, err := p.Store.LiveDesktops(v.Context())
	if err != nil {
		return data, err
	}
	orders, err := p.Store.LastOrders(v.Context(), p.Now().Add(-time.Hour))
	if err != nil {
		return data, err
	}
	data.All = len(desktops)
	for _, d := range desktops {
		row := p.openDesktop(v, d, orders[d.ID])
		if row.has(data.Query) {
			data.Rows = append(data.Rows, row)
		}
	}
	return data, nil
}

func (p *Pages) openDesktop(v *portal.Visit, d store.LiveDesktop, order store.DesktopOrder) openDesktop {
	active := d.InputAt
	if active.Before(d.OpenedAt) {
		active = d.OpenedAt
	}
	idle := p.Site.T(v.Lang, "event.idle", "span", p.Site.Span(v.Lang, p.Now().Sub(active).Truncate(time.Second)))
	row := openDesktop{ID: d.ID, Person: d.Display, Name: d.Name, Href: "/helpdesk/person/" + url.PathEscape(d.AccountID),
		Target: d.TargetName, Since: p.Site.Time(v.Lang, d.OpenedAt), Idle: idle, Address: d.Address, Node: d.Node,
		State: p.Site.T(v.Lang, "event.state."+d.State), Own: d.AccountID == v.Session.AccountID}
	if p.Now().Sub(d.OpenedAt) >= 12*time.Hour {
		row.Since = p.Site.Date(v.Lang, d.OpenedAt) + " " + row.Since
	}
	if d.State == store.DesktopUnknown {
		row.Idle = ""
	}
	if order.ID == "" {
		return row
	}
	word, at := "waiting", order.CreatedAt
	switch {
	case !order.DoneAt.IsZero():
		word, at = "done", order.DoneAt
	case !order.TakenAt.IsZero():
		word, at = "taken", order.TakenAt
	}
	row.Order = p.Site.T(v.Lang, "event.order."+order.Kind+"."+word, "clock", p.Site.Time(v.Lang, at))
	return row
}

// has tells whether a row is among those that somebody looks for.
func (d openDesktop) has(words string) bool {
	all := strings.ToLower(strings.Join([]string{d.Person, d.Name, d.Target, d.Address, d.Node}, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(words)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

func (p *Pages) endOpenDesktop(w http.ResponseWriter, v *portal.Visit) error {
	return p.orderOpenDesktop(w, v, store.OrderEnd)
}

func (p *Pages) messageOpenDesktop(w http.ResponseWriter, v *portal.Visit) error {
	return p.orderOpenDesktop(w, v, store.OrderMessage)
}

// orderOpenDesktop gives an order about one desktop, under helpdesk's rules. When
// it was refused, what was typed is there still.
func (p *Pages) orderOpenDesktop(w http.ResponseWriter, v *portal.Visit, kind string) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	id, text, why := v.PathValue("id"), v.PostForm.Get("text"), v.PostForm.Get("why")
	doing, done := v.Lasting(actLasts)
	defer done()
	desk, agent := p.helpdeskOf(doing), p.agentOf(v)
	var err error
	if kind == store.OrderMessage {
		err = desk.MessageDesktop(doing.Context(), agent, id, text, why)
	} else {
		err = desk.EndDesktop(doing.Context(), agent, id, why)
	}
	var refused *helpdesk.RefusedError
	switch {
	case err == nil:
		return p.Redirect(w, v, "/helpdesk/desktops?done="+kind)
	case !errors.As(err, &refused):
		return err
	}
	v.Log.Info("helpdesk act refused", "act", kind, "error", err)
	data, err := p.openDesktopsData(v)
	if err != nil {
		return err
	}
	data.Fault = p.refusalText(v, refused)
	for i := range data.Rows {
		if row := &data.Rows[i]; row.ID == id {
			row.Open, row.Text, row.Why = true, helpdesk.Tidy(text), helpdesk.Tidy(why)
		}
	}
	return p.Render(w, v, p.refusalStatus(refused), "open-desktops", data)
}
