package gateway

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

// page is what every template gets; each page's own struct embeds it.
type page struct {
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

func (p *Portal) page(v *visit, titleKey string) page {
	data := page{
		Lang: v.lang, Languages: p.languageLinks(v), Portal: p.set.Name, Path: v.URL.Path,
		Helpdesk: p.set.Helpdesk, Title: p.Site.T(v.lang, titleKey),
	}
	if v.session != nil && v.session.Step == string(stepReady) {
		data.Person = v.session.who.Account.DisplayName
		data.Agent, data.Administrator = p.isAgent(v.session), p.isAdministrator(v.session)
		data.Session = &sessionInfo{IdleSeconds: int(p.set.Idle / time.Second), WarnSeconds: int(p.set.Warning / time.Second)}
	}
	return data
}

// render writes a page. It renders into memory first, so that a fault in a
// template is an error page and not half a page.
func (p *Portal) render(w http.ResponseWriter, v *visit, status int, name string, data any) error {
	var buffer bytes.Buffer
	if err := p.Site.Render(&buffer, v.lang, name, data); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.lang)
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Encoding")
	body := buffer.Bytes()
	if webroot.Accepts(v.Header.Get("Accept-Encoding"), "gzip") {
		packed, err := p.gzipped(body)
		if err != nil {
			return err
		}
		h.Set("Content-Encoding", "gzip")
		body = packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, err := w.Write(body)
	return ignoreGone(err)
}

// gzipped packs a page. The length of a packed page tells somebody who listens
// how much of what it reflects (a user name that was typed, an address) also
// stands elsewhere in it (BREACH, CVE-2013-3587). Nothing here is worth that
// guessing: a session is a cookie that scripts and pages never see, what another
// site sends is known by its headers and not by a token in the form, and neither
// password nor code is ever written back. A page that must show a secret has to
// be sent as it is.
func (p *Portal) gzipped(page []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, kept := p.packers.Get().(*gzip.Writer)
	if !kept {
		// The quickest level costs a list of 500 targets half the time, and no page
		// more than a few hundred bytes.
		w, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level exists
	}
	defer p.packers.Put(w)
	w.Reset(&packed)
	if _, err := w.Write(page); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// ignoreGone: a browser that left before the last byte is not a fault.
func ignoreGone(error) error { return nil }

func (p *Portal) renderJSON(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return ignoreGone(err)
}

// fault is an error with what the person is told beside what stands in the
// log. message names two texts of the locales: message.NAME.heading and .text.
type fault struct {
	status  int
	message string
	err     error
	actions []action // nil: back to where the session belongs
}

func (f *fault) Error() string {
	if f.err == nil {
		return f.message
	}
	return f.message + ": " + f.err.Error()
}

func (f *fault) Unwrap() error { return f.err }

var (
	errPanic    = errors.New("a handler panicked")
	errNotFound = &fault{status: http.StatusNotFound, message: "not-found"}
)

type messagePage struct {
	page
	Heading, Text string
	SupportID     string
	Actions       []action
}

type action struct {
	Href, Label string
	Primary     bool
}

// answer turns what a handler returned into an answer: nothing to do for nil,
// a page in words for a fault, "something went wrong" with the support id for
// all else. The detail stands in the log under that id.
func (p *Portal) answer(w http.ResponseWriter, v *visit, err error) {
	if err == nil {
		return
	}
	if errors.Is(err, store.ErrNotFound) {
		// The session ended, or moved on, while this request was on its way.
		v.log.Info("the session is no longer where it was", "route", v.route, "error", err)
		_ = p.redirect(w, v, "/login")
		return
	}
	var known *fault
	if !errors.As(err, &known) {
		known = &fault{status: http.StatusInternalServerError, message: "broken", err: err}
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			known = &fault{status: http.StatusRequestEntityTooLarge, message: "too-large", err: err}
		case errors.Is(err, store.ErrUnavailable):
			known = &fault{status: http.StatusServiceUnavailable, message: "unavailable", err: err}
		}
	}
	if known.status >= http.StatusInternalServerError {
		v.log.Error("request failed", "route", v.route, "error", err)
		p.recordFault(v, known)
	} else {
		v.log.Info("request refused", "route", v.route, "error", err)
	}
	data := messagePage{
		page:    p.page(v, "message."+known.message+".heading"),
		Heading: p.Site.T(v.lang, "message."+known.message+".heading"),
		Text:    p.Site.T(v.lang, "message."+known.message+".text"), SupportID: v.id, Actions: known.actions,
	}
	if data.Actions == nil {
		data.Actions = p.wayBack(v)
	}
	if err := p.render(w, v, known.status, "message", data); err != nil {
		v.log.Error("error page failed", "error", err)
		http.Error(w, "Something went wrong, number "+v.id, http.StatusInternalServerError)
	}
}

// faultsInAll bounds how many faults an hour go into the audit: some can be
// brought about by strangers. The log has them all.
const faultsInAll = 120

// recordFault lets helpdesk find a fault of the portal by the support id on its
// page. Where the database itself is at fault the log has to do.
func (p *Portal) recordFault(v *visit, f *fault) {
	ok, _, err := p.Store.Take(v.Context(), "faults", faultsInAll, time.Hour)
	if err == nil && ok {
		err = p.audit(v, store.Event{Kind: "fault", Result: "error", Reason: f.message,
			Detail: map[string]string{"route": v.route, "error": printable(f.Error(), 300)}})
	}
	if err != nil {
		v.log.Warn("fault not in the audit", "error", err)
	}
}

// wayBack is the link on an error page. To the list itself, not to where a
// session belongs: that may be the very page that went wrong.
func (p *Portal) wayBack(v *visit) []action {
	if v.session != nil && v.session.Step == string(stepReady) {
		return []action{{Href: "/", Label: p.Site.T(v.lang, "action.targets"), Primary: true}}
	}
	return []action{{Href: p.next(v.session), Label: p.Site.T(v.lang, "action.login"), Primary: true}}
}
