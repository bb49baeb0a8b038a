package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"stagedoor/store"
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
}

type languageLink struct {
	Code, Name, Href string
	Current          bool
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
	h.Set("Content-Length", strconv.Itoa(buffer.Len()))
	w.WriteHeader(status)
	_, err := w.Write(buffer.Bytes())
	return ignoreGone(err)
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

// fault is an error with the text that the person is told (a key of the
// locales) beside the one for the log.
type fault struct {
	status int
	text   string
	err    error
}

func (f *fault) Error() string {
	if f.err == nil {
		return f.text
	}
	return f.text + ": " + f.err.Error()
}

func (f *fault) Unwrap() error { return f.err }

var (
	errPanic    = errors.New("a handler panicked")
	errNotFound = &fault{status: http.StatusNotFound, text: "error.notfound"}
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
		known = &fault{status: http.StatusInternalServerError, text: "error.unknown", err: err}
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			known = &fault{status: http.StatusRequestEntityTooLarge, text: "error.toolarge", err: err}
		case errors.Is(err, store.ErrUnavailable):
			known = &fault{status: http.StatusServiceUnavailable, text: "error.store", err: err}
		}
	}
	if known.status >= http.StatusInternalServerError {
		v.log.Error("request failed", "route", v.route, "error", err)
	} else {
		v.log.Info("request refused", "route", v.route, "error", err)
	}
	data := messagePage{
		page: p.page(v, "error.title"), Heading: p.Site.T(v.lang, "error.title"),
		Text:      p.Site.T(v.lang, known.text, "address", p.origin),
		SupportID: v.id,
		Actions:   []action{{Href: p.next(v.session), Label: p.Site.T(v.lang, "error.back"), Primary: true}},
	}
	if err := p.render(w, v, known.status, "message", data); err != nil {
		v.log.Error("error page failed", "error", err)
		http.Error(w, "Something went wrong, number "+v.id, http.StatusInternalServerError)
	}
}

func (p *Portal) notFound(w http.ResponseWriter, v *visit) error { return errNotFound }

// wrongHost: the portal was asked for under another name than its public one.
// Saying so beats the refusals that would follow (cookies, Origin).
func (p *Portal) wrongHost(v *visit) error {
	return &fault{status: http.StatusMisdirectedRequest, text: "error.host", err: errors.New("asked for as host " + strconv.Quote(v.Host))}
}
