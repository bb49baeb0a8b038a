package portal

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stagedoor/gateway/tunnel"
	"stagedoor/store"
	"stagedoor/webroot"
)

// Helpdesk finds a fault of the portal by the number on its page; a flood of
// them does not fill the audit.
func TestFaultIsAudited(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "stagedoor.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	site, err := webroot.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := &Portal{Parts: Parts{Store: db, Site: site, Log: slog.New(slog.DiscardHandler), Now: time.Now}, Metrics: newMetrics(nil, tunnel.NewPool(slog.New(slog.DiscardHandler)))}
	var v *Visit
	for range faultsInAll + 5 {
		v = p.Background(t.Context(), &Session{Session: store.Session{Step: string(StepReady)}})
		w := httptest.NewRecorder()
		p.Answer(w, v, errors.New("the disk is on fire"))
		if w.Code != 500 || !strings.Contains(w.Body.String(), v.ID) || strings.Contains(w.Body.String(), "fire") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	events, err := db.Events(t.Context(), store.EventFilter{Kind: "fault"})
	if err != nil || len(events) != faultsInAll {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if e := events[0]; e.RequestID == "" || e.Reason != "broken" || e.Detail["error"] != "broken: the disk is on fire" {
		t.Errorf("%+v", e)
	}
	p.Answer(httptest.NewRecorder(), v, ErrNotFound)
	if events, _ := db.Events(t.Context(), store.EventFilter{Kind: "fault"}); len(events) != faultsInAll {
		t.Error("a wrong address is a fault of the portal")
	}
}

// A page that breaks in the middle is not half sent, and the next one has nothing
// of it.
func TestHalfAPageIsNeverSent(t *testing.T) {
	site, err := webroot.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := &Portal{Parts: Parts{Site: site}, Next: func(*Session) string { return "/login" }}
	v := &Visit{Request: httptest.NewRequest("GET", "/nowhere", nil), Lang: "sv"}
	w := httptest.NewRecorder()
	if err := p.Render(w, v, 200, "message", struct{ Lang string }{"broken in the middle"}); err == nil || w.Body.Len() > 0 || len(w.Header()) > 0 {
		t.Fatalf("error %v, %q %v", err, w.Body, w.Header())
	}
	if err := p.Render(w, v, 200, "message", MessagePage{Page: p.Page(v, "title.login"), Heading: "Whole"}); err != nil {
		t.Fatal(err)
	}
	if page := w.Body.String(); !strings.HasPrefix(page, "<!doctype html>") || !strings.Contains(page, "Whole") || strings.Contains(page, "broken") {
		t.Errorf("%.200s", page)
	}
}
