package otp

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Outbox keeps messages in memory and shows them to whoever asks: the demo's
// phone page. It is for demos only, since everybody who sees that page has
// everybody's codes. It is safe for concurrent use.
type Outbox struct {
	now         func() time.Time
	keep        int
	mu          sync.Mutex
	phones      map[Phone][]Sent // the newest first
	subscribers map[chan Sent]struct{}
}

// Sent is a message in an Outbox.
type Sent struct {
	Message
	At time.Time
}

// maxOutboxPhones is the number of phones whose messages are kept; beyond it
// the one that has been silent longest is forgotten.
const maxOutboxPhones = 1000

// NewOutbox makes an outbox that keeps the last so many messages of each phone.
func NewOutbox(keep int, now func() time.Time) *Outbox {
	return &Outbox{now: now, keep: max(keep, 1), phones: map[Phone][]Sent{}, subscribers: map[chan Sent]struct{}{}}
}

// Name is "outbox".
func (o *Outbox) Name() string { return "outbox" }

// Check finds nothing to try.
func (o *Outbox) Check(context.Context) error { return nil }

// Send keeps the message. A subscriber that does not read misses it.
func (o *Outbox) Send(_ context.Context, message Message) (Receipt, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	sent := Sent{Message: message, At: o.now()}
	all := slices.Insert(o.phones[message.To], 0, sent)
	o.phones[message.To] = all[:min(len(all), o.keep)]
	if len(o.phones) > maxOutboxPhones {
		o.forgetOldest()
	}
	for subscriber := range o.subscribers {
		select {
		case subscriber <- sent:
		default:
		}
	}
	return Receipt{Reference: message.ID}, nil
}

func (o *Outbox) forgetOldest() {
	var oldest Phone
	for phone, sent := range o.phones {
		if oldest == "" || sent[0].At.Before(o.phones[oldest][0].At) {
			oldest = phone
		}
	}
	delete(o.phones, oldest)
}

// Messages are a phone's, the newest first.
func (o *Outbox) Messages(phone Phone) []Sent {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.phones[phone])
}

// Phones are the numbers that have messages, sorted.
func (o *Outbox) Phones() []Phone {
	o.mu.Lock()
	defer o.mu.Unlock()
	var phones []Phone
	for phone := range o.phones {
		phones = append(phones, phone)
	}
	slices.Sort(phones)
	return phones
}

// Subscribe gives each later message, until stop is called. The channel holds
// 16 messages; it is never closed.
func (o *Outbox) Subscribe() (messages <-chan Sent, stop func()) {
	channel := make(chan Sent, 16)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.subscribers[channel] = struct{}{}
	return channel, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.subscribers, channel)
	}
}
