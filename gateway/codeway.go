package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
	"stagedoor/otp"
	"stagedoor/store"
)

// codeWay is what has become of a code, in words for the person who waits.
type codeWay struct {
	State string // as store.SendState; empty: no message
	Lines []string
	Final bool // nothing more is to be expected
}

// codeWay tells the script of the code page what has become of the code since.
// Asking is not human input, and sends nothing.
func (p *Gateway) codeWay(w http.ResponseWriter, v *portal.Visit) error {
	way, err := p.codeWayOf(v)
	if err != nil {
		return err
	}
	data, err := p.codeState(v)
	if err != nil {
		return err
	}
	return p.RenderJSON(w, http.StatusOK, struct {
		State    string   `json:"state"`
		Lines    []string `json:"lines"`
		Final    bool     `json:"final"`
		ResendIn int      `json:"resend_in"` // seconds
	}{way.State, way.Lines, way.Final, data.ResendIn})
}

// codeWayOf is of the newest message of the session's challenge; no lines where
// there is none, or where it surely was not handed over, which the page says in
// its own way.
func (p *Gateway) codeWayOf(v *portal.Visit) (codeWay, error) {
	s := v.Session
	if s.Challenge == "" {
		return codeWay{Final: true}, nil
	}
	delivery, err := p.Codes.Delivery(v.Context(), s.Challenge, s.ID)
	if errors.Is(err, otp.ErrExpired) {
		return codeWay{Final: true}, nil
	}
	if err != nil {
		return codeWay{}, fmt.Errorf("code way: %w", err)
	}
	say := func(key string, at time.Time) string { return p.Site.T(v.Lang, key, "time", p.Site.Time(v.Lang, at)) }
	way := codeWay{State: string(delivery.State), Final: delivery.Final()}
	if s.Who.Way == factor.Mail {
		return mailWay(way, delivery, say), nil
	}
	if !delivery.HandedAt.IsZero() {
		way.Lines = append(way.Lines, say("way.handed", delivery.HandedAt))
	}
	switch delivery.State {
	case store.SendClaimed:
		way.Lines = append(way.Lines, say("way.queued", delivery.QueuedAt))
	case store.SendUnsure:
		way.Lines = append(way.Lines, say("way.unsure", delivery.QueuedAt))
	case store.SendDelivered:
		way.Lines = append(way.Lines, say("way.delivered", delivery.EndedAt))
	case store.SendUndelivered:
		way.Lines = append(way.Lines, say("way.undelivered", delivery.EndedAt))
		way.Lines = append(way.Lines, p.whatNow(v, delivery.Cause)...)
	}
	return way, nil
}

// mailWay is a code's by mail. A mail server says nothing more once it has taken
// the mail over.
func mailWay(way codeWay, delivery otp.Delivery, say func(key string, at time.Time) string) codeWay {
	way.Final = delivery.State != store.SendClaimed
	switch delivery.State {
	case store.SendClaimed:
		way.Lines = []string{say("way.mail.queued", delivery.QueuedAt)}
	case store.SendUnsure:
		way.Lines = []string{say("way.mail.unsure", delivery.QueuedAt)}
	case store.SendSent:
		way.Lines = []string{say("way.mail.handed", delivery.HandedAt)}
	}
	return way
}

// whatNow says why a message did not arrive, where that is known, and what the
// person can do.
func (p *Gateway) whatNow(v *portal.Visit, cause string) (lines []string) {
	causes := map[string]string{"unreachable": "way.cause.unreachable", "number": "way.cause.number", "blocked": "way.cause.blocked"}
	if key := causes[cause]; key != "" {
		lines = append(lines, p.Site.T(v.Lang, key))
	}
	next, name := "way.next", p.Set.Helpdesk.Name
	if cause == "number" {
		next = "way.next.number"
	}
	if name == "" {
		name = p.Set.Name
	}
	return append(lines, p.Site.T(v.Lang, next, "name", name))
}
