package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"stagedoor/store"
)

// audit records one decision, as a row of the hash chain and as a log line.
// What cannot be recorded is refused: the caller gives the error back.
func (p *Portal) audit(v *visit, event store.Event) error {
	event.Address, event.RequestID = v.address, v.id
	// An event that names nobody is the session's person's. One that does, such
	// as a login tried in the browser of somebody else, keeps its own name.
	if s := v.session; s != nil && event.Name == "" {
		event.AccountID, event.SessionID = s.AccountID, s.ID
		event.Name = s.who.Account.Domain + `\` + s.who.Account.Name
	}
	// The hash stands in the log too: whoever rewrites the database's chain
	// cannot rewrite the log that was shipped elsewhere.
	event, err := p.Store.AppendEvent(v.Context(), event)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	p.logEvent(v.log, event)
	return nil
}

// logEvent is an event that stands in the audit, as a log line.
func (p *Portal) logEvent(log *slog.Logger, event store.Event) {
	p.metrics.events.WithLabelValues(event.Kind, event.Result).Inc()
	log.Info("audit", "event", event.ID, "kind", event.Kind, "result", event.Result, "reason", event.Reason,
		"name", event.Name, "account_id", event.AccountID, "session", event.SessionID, "target", event.Target, "detail", event.Detail, "hash", event.Hash)
}

// background is a visit that nobody made: for what the portal decides by itself.
func (p *Portal) background(ctx context.Context, s *session) *visit {
	id := newSupportID()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	return &visit{Request: r, id: id, address: s.Address, lang: p.Site.Languages()[0].Code, session: s, log: p.Log.With("id", id)}
}
