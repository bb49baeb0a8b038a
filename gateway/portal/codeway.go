package portal

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"stagedoor/otp"
	"stagedoor/store"
)

// CodeWay is what has become of a code, in words for the person who waits.
type CodeWay struct {
	State string // as store.SendState; empty: no message
	Lines []string
	Final bool   // nothing more is to be expected
	Ask   string // where the page's script asks again
}

// AnswerCodeWay tells a page's script what has become of the code since.
func (p *Portal) AnswerCodeWay(w http.ResponseWriter, way CodeWay, resendIn int) error {
	return p.RenderJSON(w, http.StatusOK, struct {
		State    string   `json:"state"`
		Lines    []string `json:"lines"`
		Final    bool     `json:"final"`
		ResendIn int      `json:"resend_in"` // seconds
	}{way.State, way.Lines, way.Final, resendIn})
}

// CodeWay is of the newest message of a challenge of the session's, for a page
// whose script asks for it again at an address; no lines where there is no
// message. Of one that surely was not handed over it says why.
func (p *Portal) CodeWay(v *Visit, challenge, ask string) (CodeWay, error) {
	way := CodeWay{Final: true, Ask: ask}
	if challenge == "" {
		return way, nil
	}
	delivery, err := p.Codes.Delivery(v.Context(), challenge, v.Session.ID)
	if errors.Is(err, otp.ErrExpired) {
		return way, nil
	}
	if err != nil {
		return way, fmt.Errorf("code way: %w", err)
	}
	way.State, way.Final = string(delivery.State), delivery.Final()
	say := func(key string, at time.Time) string { return p.Site.T(v.Lang, key, "time", p.Site.Time(v.Lang, at)) }
	if delivery.Mail {
		way.Final, way.Lines = delivery.State != store.SendClaimed, mailWay(delivery, say)
		return way, nil
	}
	if !delivery.HandedAt.IsZero() {
		way.Lines = append(way.Lines, say("way.handed", delivery.HandedAt))
	}
	switch delivery.State {
	case store.SendClaimed:
		way.Lines = append(way.Lines, say("way.queued", delivery.QueuedAt))
	case store.SendUnsure:
		way.Lines = append(way.Lines, say("way.unsure", delivery.QueuedAt))
	case store.SendFailed:
		way.Lines = p.whyFailed(v, delivery, say)
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
func mailWay(delivery otp.Delivery, say func(key string, at time.Time) string) []string {
	switch delivery.State {
	case store.SendClaimed:
		return []string{say("way.mail.queued", delivery.QueuedAt)}
	case store.SendUnsure:
		return []string{say("way.mail.unsure", delivery.QueuedAt)}
	case store.SendSent:
		return []string{say("way.mail.handed", delivery.HandedAt)}
	case store.SendFailed:
		switch delivery.Cause {
		case "refused":
			return []string{say("way.mail.failed.refused", delivery.EndedAt)}
		case "no-answer":
			return []string{say("way.mail.failed.no-answer", delivery.EndedAt)}
		}
	}
	return nil
}

// whyFailed is why a text message was not handed over. The page itself says what
// to do, but for a number that nothing can be sent to.
func (p *Portal) whyFailed(v *Visit, delivery otp.Delivery, say func(key string, at time.Time) string) []string {
	switch delivery.Cause {
	case "number":
		return []string{say("way.failed.number", delivery.EndedAt), p.Site.T(v.Lang, "way.next.number", "name", p.helpdeskName())}
	case "refused":
		return []string{say("way.failed.refused", delivery.EndedAt)}
	case "no-answer":
		return []string{say("way.failed.no-answer", delivery.EndedAt)}
	}
	return nil
}

// whatNow says why a message did not arrive, where that is known, and what the
// person can do.
func (p *Portal) whatNow(v *Visit, cause string) (lines []string) {
	causes := map[string]string{"unreachable": "way.cause.unreachable", "number": "way.cause.number", "blocked": "way.cause.blocked"}
	if key := causes[cause]; key != "" {
		lines = append(lines, p.Site.T(v.Lang, key))
	}
	next := "way.next"
	if cause == "number" {
		next = "way.next.number"
	}
	return append(lines, p.Site.T(v.Lang, next, "name", p.helpdeskName()))
}

// helpdeskName is the organisation's, or the portal's where it has none.
func (p *Portal) helpdeskName() string {
	if p.Set.Helpdesk.Name != "" {
		return p.Set.Helpdesk.Name
	}
	return p.Set.Name
}
