package portal

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"stagedoor/store"
	"stagedoor/webroot"
)

// Page is what every template gets; each page's own struct embeds it.
type Page struct {
	Lang      string
	Languages []languageLink
	Portal    string
	Person    string // display name; empty when nobody is logged in
	Path      string
	Helpdesk  Helpdesk
	Title     string
	Session   *sessionInfo
	// What the person may do besides working.
	Agent, Administrator bool
}

// sessionInfo is what the idle clock in the browser starts from.
type sessionInfo struct {
	IdleSeconds, WarnSeconds int
}

// Page is what a visit's page begins with; its title is a text of the locales.
func (p *Portal) Page(v *Visit, titleKey string) Page {
	data := Page{
		Lang: v.Lang, Languages: p.languageLinks(v), Portal: p.Set.Name, Path: v.URL.Path,
		Helpdesk: p.Set.Helpdesk, Title: p.Site.T(v.Lang, titleKey),
	}
	if v.Session.Ready() {
		data.Person = v.Session.Who.Account.DisplayName
		data.Agent, data.Administrator = p.IsAgent(v.Session), p.IsAdministrator(v.Session)
		data.Session = &sessionInfo{IdleSeconds: int(p.Set.Idle / time.Second), WarnSeconds: int(p.Set.Warning / time.Second)}
	}
	return data
}

// Render writes a page. It renders into memory first, so that a fault in a
// template is an error page and not half a page.
func (p *Portal) Render(w http.ResponseWriter, v *Visit, status int, name string, data any) error {
	buffer := p.buffer()
	defer p.keepBuffer(buffer)
	if err := p.Site.Render(buffer, v.Lang, name, data); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Encoding")
	body := buffer.Bytes()
	if webroot.Accepts(v.Header.Get("Accept-Encoding"), "gzip") {
		packed := p.buffer()
		defer p.keepBuffer(packed)
		if err := p.gzip(packed, body); err != nil {
			return err
		}
		h.Set("Content-Encoding", "gzip")
		body = packed.Bytes()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, err := w.Write(body)
	return IgnoreGone(err)
}

// mostKept is the largest buffer that is kept for the next page: a list of 500
// targets has 330 KB.
const mostKept = 1 << 20

// buffer is an empty one. A long page that grows a new one every time makes
// three times its length in garbage, and collecting that costs more than the page.
func (p *Portal) buffer() *bytes.Buffer {
	if b, kept := p.buffers.Get().(*bytes.Buffer); kept {
		return b
	}
	return &bytes.Buffer{}
}

func (p *Portal) keepBuffer(b *bytes.Buffer) {
	if b.Cap() <= mostKept {
		b.Reset()
		p.buffers.Put(b)
	}
}

// gzip packs a page. The length of a packed page tells somebody who listens
// how much of what it reflects (a user name that was typed, an address) also
// stands elsewhere in it (BREACH, CVE-2013-3587). Nothing here is worth that
// guessing: a session is a cookie that scripts and pages never see, what another
// site sends is known by its headers and not by a token in the form, and neither
// password nor code is ever written back. A page that must show a secret has to
// be sent as it is.
func (p *Portal) gzip(packed *bytes.Buffer, page []byte) error {
	w, kept := p.packers.Get().(*gzip.Writer)
	if !kept {
		// The quickest level costs a list of 500 targets half the time, and no page
		// more than a few hundred bytes.
		w, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level exists
	}
	defer p.packers.Put(w)
	w.Reset(packed)
	if _, err := w.Write(page); err != nil {
		return err
	}
	return w.Close()
}

// IgnoreGone: a browser that left before the last byte is not a fault.
func IgnoreGone(error) error { return nil }

// RenderJSON answers a script, and is never kept by a cache.
func (p *Portal) RenderJSON(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return IgnoreGone(err)
}

// Fault is an error with what the person is told beside what stands in the
// log. message names two texts of the locales: message.NAME.heading and .text.
type Fault struct {
	Status  int
	Message string
	Err     error
	Actions []Action // nil: back to where the session belongs
}

func (f *Fault) Error() string {
	if f.Err == nil {
		return f.Message
	}
	return f.Message + ": " + f.Err.Error()
}

func (f *Fault) Unwrap() error { return f.Err }

var (
	ErrPanic    = errors.New("a handler panicked")
	ErrNotFound = &Fault{Status: http.StatusNotFound, Message: "not-found"}
)

// MessagePage is a page that only tells something: a fault, or why there is no desktop.
type MessagePage struct {
	Page
	Heading, Text string
	SupportID     string
	Actions       []Action
}

// Action is a link that a page offers as a way on.
type Action struct {
	Href, Label string
	Primary     bool
}

// Answer turns what a handler returned into an answer: nothing to do for nil,
// a page in words for a fault, "something went wrong" with the support id for
// all else. The detail stands in the log under that id.
func (p *Portal) Answer(w http.ResponseWriter, v *Visit, err error) {
	if err == nil {
		return
	}
	if errors.Is(err, store.ErrNotFound) {
		// The session ended, or moved on, while this request was on its way.
		v.Log.Info("the session is no longer where it was", "route", v.Route, "error", err)
		_ = p.Redirect(w, v, "/login")
		return
	}
	var known *Fault
	if !errors.As(err, &known) {
		known = &Fault{Status: http.StatusInternalServerError, Message: "broken", Err: err}
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			known = &Fault{Status: http.StatusRequestEntityTooLarge, Message: "too-large", Err: err}
		case errors.Is(err, store.ErrUnavailable):
			known = &Fault{Status: http.StatusServiceUnavailable, Message: "unavailable", Err: err}
		}
	}
	if known.Status >= http.StatusInternalServerError {
		v.Log.Error("request failed", "route", v.Route, "error", err)
		p.recordFault(v, known)
	} else {
		v.Log.Info("request refused", "route", v.Route, "error", err)
	}
	data := MessagePage{
		Page:    p.Page(v, "message."+known.Message+".heading"),
		Heading: p.Site.T(v.Lang, "message."+known.Message+".heading"),
		Text:    p.Site.T(v.Lang, "message."+known.Message+".text"), SupportID: v.ID, Actions: known.Actions,
	}
	if data.Actions == nil {
		data.Actions = p.WayBack(v)
	}
	if err := p.Render(w, v, known.Status, "message", data); err != nil {
		v.Log.Error("error page failed", "error", err)
		http.Error(w, "Something went wrong, number "+v.ID, http.StatusInternalServerError)
	}
}

// faultsInAll bounds how many faults an hour go into the audit: some can be
// brought about by strangers. The log has them all.
const faultsInAll = 120

// recordFault lets helpdesk find a fault of the portal by the support id on its
// page. Where the database itself is at fault the log has to do.
func (p *Portal) recordFault(v *Visit, f *Fault) {
	ok, _, err := p.Store.Take(v.Context(), "faults", faultsInAll, time.Hour)
	if err == nil && ok {
		err = p.Audit(v, store.Event{Kind: "fault", Result: "error", Reason: f.Message,
			Detail: map[string]string{"route": v.Route, "error": Printable(f.Error(), 300)}})
	}
	if err != nil {
		v.Log.Warn("fault not in the audit", "error", err)
	}
}

// WayBack is the link on an error page. To the list itself, not to where a
// session belongs: that may be the very page that went wrong.
func (p *Portal) WayBack(v *Visit) []Action {
	if v.Session.Ready() {
		return []Action{{Href: "/", Label: p.Site.T(v.Lang, "action.targets"), Primary: true}}
	}
	return []Action{{Href: p.Next(v.Session), Label: p.Site.T(v.Lang, "action.login"), Primary: true}}
}
