package portal

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"stagedoor/store"
)

// Audit records one decision, as a row of the hash chain and as a log line.
// What cannot be recorded is refused: the caller gives the error back.
func (p *Portal) Audit(v *Visit, event store.Event) error {
	// The hash stands in the log too: whoever rewrites the database's chain
	// cannot rewrite the log that was shipped elsewhere.
	event, err := p.Store.AppendEvent(v.Context(), v.event(event))
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	p.logEvent(v.Log, event)
	return nil
}

// event is one as this visit's: with its address, its support id and, unless it
// names somebody, the session's person. One that does, such as a login tried in
// the browser of somebody else, keeps its own name.
func (v *Visit) event(event store.Event) store.Event {
	event.Address, event.RequestID = v.Address, v.ID
	if s := v.Session; s != nil && event.Name == "" {
		event.AccountID, event.SessionID = s.AccountID, s.ID
		event.Name = s.Login()
	}
	return event
}

// logEvent is an event that stands in the audit, as a log line.
func (p *Portal) logEvent(log *slog.Logger, event store.Event) {
	p.Metrics.events.WithLabelValues(event.Kind, event.Result).Inc()
	log.Info("audit", "event", event.ID, "kind", event.Kind, "result", event.Result, "reason", event.Reason,
		"name", event.Name, "account_id", event.AccountID, "session", event.SessionID, "target", event.Target, "detail", event.Detail, "hash", event.Hash)
}

// AuditExport records that data about people left the portal as a file.
func (p *Portal) AuditExport(v *Visit, what string, rows int) error {
	return p.Audit(v, store.Event{Kind: "export", Result: "ok", Detail: map[string]string{"what": what, "rows": strconv.Itoa(rows)}})
}

// Background is a visit that nobody made: for what the portal decides by itself.
func (p *Portal) Background(ctx context.Context, s *Session) *Visit {
	id := NewSupportID()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	return &Visit{Request: r, ID: id, Address: s.Address, Lang: p.Site.Languages()[0].Code, Session: s, Log: p.Log.With("id", id)}
}
