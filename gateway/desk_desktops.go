package gateway

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"stagedoor/store"
)

// openDesktopsPage is helpdesk's list of the desktops that people have open.
type openDesktopsPage struct {
	page
	Section string
	Rows    []openDesktop
	Blank   openDesktop // what the page's script makes new rows of
	Query   string      // what the list is narrowed to
	All     int
	Done    string // the order that was given: store.OrderEnd, store.OrderMessage
	Fault   string // why none was given: see orderFault
	Most    int    // characters of a message
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

const maxMessage = 300 // characters

// openDesktops is the page.
func (p *Portal) openDesktops(w http.ResponseWriter, v *visit) error {
	data, err := p.openDesktopsData(v)
	if err != nil {
		return err
	}
	if done := v.URL.Query().Get("done"); done == store.OrderEnd || done == store.OrderMessage {
		data.Done = done
	}
	return p.render(w, v, http.StatusOK, "open-desktops", data)
}

// openDesktopsNow is the same for the page's script, which asks every 5 s.
func (p *Portal) openDesktopsNow(w http.ResponseWriter, v *visit) error {
	data, err := p.openDesktopsData(v)
	if err != nil {
		return err
	}
	return p.renderJSON(w, http.StatusOK, struct {
		Rows []openDesktop `json:"rows"`
		All  int           `json:"all"`
	}{data.Rows, data.All})
}

func (p *Portal) openDesktopsData(v *visit) (openDesktopsPage, error) {
	data := openDesktopsPage{page: p.page(v, "title.open-desktops"), Section: "desktops", Most: maxMessage,
		Query: printable(strings.TrimSpace(v.URL.Query().Get("q")), 100), Blank: openDesktop{ID: "NEW"}, Rows: []openDesktop{}}
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

func (p *Portal) openDesktop(v *visit, d store.LiveDesktop, order store.DesktopOrder) openDesktop {
	active := d.InputAt
	if active.Before(d.OpenedAt) {
		active = d.OpenedAt
	}
	idle := p.Site.T(v.lang, "event.idle", "span", p.Site.Span(v.lang, p.Now().Sub(active).Truncate(time.Second)))
	row := openDesktop{ID: d.ID, Person: d.Display, Name: d.Name, Href: "/helpdesk/person/" + url.PathEscape(d.AccountID),
		Target: d.TargetName, Since: p.Site.Clock(v.lang, d.OpenedAt), Idle: idle, Address: d.Address, Node: d.Node,
		State: p.Site.T(v.lang, "event.state."+d.State), Own: d.AccountID == v.session.AccountID}
	if p.Now().Sub(d.OpenedAt) >= 12*time.Hour {
		row.Since = p.Site.Date(v.lang, d.OpenedAt) + " " + row.Since
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
	row.Order = p.Site.T(v.lang, "event.order."+order.Kind+"."+word, "clock", p.Site.Clock(v.lang, at))
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

func (p *Portal) endOpenDesktop(w http.ResponseWriter, v *visit) error {
	return p.orderOpenDesktop(w, v, store.Event{Kind: "desktop-order-end"}, store.OrderEnd)
}

func (p *Portal) messageOpenDesktop(w http.ResponseWriter, v *visit) error {
	return p.orderOpenDesktop(w, v, store.Event{Kind: "desktop-order-message"}, store.OrderMessage)
}

// orderOpenDesktop gives an order about one desktop, if its person may be acted on.
func (p *Portal) orderOpenDesktop(w http.ResponseWriter, v *visit, event store.Event, kind string) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	order := store.DesktopOrder{ID: rand.Text(), DesktopID: v.PathValue("id"), Kind: kind,
		By: v.session.who.Account.Domain + `\` + v.session.who.Account.Name}
	if kind == store.OrderMessage {
		order.Text = tidy(v.PostForm.Get("text"))
	}
	why := tidy(v.PostForm.Get("why"))
	fault, err := p.orderFault(v, event, order, why)
	if err == nil && fault == "" {
		if err = p.order(v.Context(), order); errors.Is(err, store.ErrNotFound) {
			fault, err = "over", nil
		}
	}
	if err != nil {
		return fmt.Errorf("order %s: %w", kind, err)
	}
	if fault == "" {
		return p.redirect(w, v, "/helpdesk/desktops?done="+kind)
	}
	data, err := p.openDesktopsData(v)
	if err != nil {
		return err
	}
	data.Fault = fault
	for i := range data.Rows {
		if row := &data.Rows[i]; row.ID == order.DesktopID {
			row.Open, row.Text, row.Why = true, order.Text, why
		}
	}
	return p.render(w, v, http.StatusUnprocessableEntity, "open-desktops", data)
}

// orderFault is why an order may not be given, "" when it may, and then the act
// is counted and audited: "why", "text", "long" of what was typed, "over" of a
// desktop that is not there any more, or why the person may not be acted on.
func (p *Portal) orderFault(v *visit, event store.Event, order store.DesktopOrder, why string) (string, error) {
	switch {
	case why == "" || utf8.RuneCountInString(why) > maxWhy:
		return "why", nil
	case order.Kind == store.OrderMessage && order.Text == "":
		return "text", nil
	case utf8.RuneCountInString(order.Text) > maxMessage:
		return "long", nil
	}
	d, err := p.Store.LiveDesktop(v.Context(), order.DesktopID)
	if errors.Is(err, store.ErrNotFound) {
		return "over", nil
	}
	if err != nil {
		return "", err
	}
	event.Target = d.Target
	event.Detail = map[string]string{store.AboutAccount: d.AccountID, store.AboutPerson: d.Name, "desktop": d.ID, "node": d.Node,
		"session": d.SessionID}
	if order.Text != "" {
		event.Detail["text"] = order.Text
	}
	return p.act(v, event, why)
}
