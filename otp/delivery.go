package otp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"stagedoor/store"
)

// Delivery is the way of a challenge's newest message.
type Delivery struct {
	State    store.SendState // empty: no message yet
	QueuedAt time.Time
	HandedAt time.Time // zero: not (surely) handed over
	EndedAt  time.Time // delivered, undelivered or failed; zero: none of these (yet)
	Mail     bool      // it is a mail
	// Cause is of an undelivered one: "unreachable", "number", "blocked", or empty;
	// of a failed one "refused", "no-answer" or "number".
	Cause string
}

// Final tells whether nothing more is to be expected. An undelivered message is
// not quite: providers have been seen to deliver late.
func (d Delivery) Final() bool {
	return d.State == store.SendDelivered || d.State == store.SendUndelivered || d.State == store.SendFailed
}

// Delivery tells what has become of a challenge's code. ErrExpired as in Get.
func (c *Codes) Delivery(ctx context.Context, id, sessionID string) (Delivery, error) {
	open, err := c.find(ctx, id, sessionID)
	if err != nil {
		return Delivery{}, err
	}
	_, mail := readRecipient(open.Phone)
	last, err := c.Store.LastSend(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return Delivery{Mail: mail != ""}, nil
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("otp: delivery: %w", err)
	}
	delivery := Delivery{State: last.State, QueuedAt: last.At, HandedAt: last.HandedAt, EndedAt: last.EndedAt, Cause: last.Cause, Mail: mail != ""}
	if last.State == store.SendUndelivered {
		delivery.Cause = Cause(last.Reason)
	}
	return delivery, nil
}

// failure is why a message was surely not taken over, as Delivery.Cause has it.
func failure(err error) string {
	switch {
	case errors.Is(err, ErrUnserved):
		return "number"
	case !errors.Is(err, ErrRefused):
		return "no-answer"
	case Cause(err.Error()) == "number":
		return "number"
	}
	return "refused"
}

// causes are what providers' reasons mean for the person who waits. Twilio's
// are error codes (twilio.com/docs/api/errors), SMPP's the stat of a receipt
// (SMPP 3.4, appendix B), or ESME_RINVDSTADR of a refusal (5.1.3).
var causes = map[string]string{
	"30003": "unreachable", "30008": "unreachable", "expired": "unreachable", "absent": "unreachable", "unreachable": "unreachable",
	"30005": "number", "30006": "number", "21211": "number", "21614": "number", "unallocated": "number", "0x0000000b": "number", "nosuchnumber": "number",
	"30004": "blocked", "30007": "blocked", "21610": "blocked", "rejectd": "blocked", "rejected": "blocked", "blocked": "blocked", "barred": "blocked",
}

// Cause is what a provider's reason means: "unreachable" (switched off, no
// coverage), "number" (not in use), "blocked" (refused by the operator), or
// empty where it is none that is known.
func Cause(reason string) string {
	for _, word := range strings.FieldsFunc(strings.ToLower(reason), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		if cause := causes[word]; cause != "" {
			return cause
		}
	}
	return ""
}
