package otp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Way is one sender of a Route.
type Way struct {
	Sender    Sender
	Countries []string // ISO 3166 codes of the numbers that it serves; none: all
}

// RouteSettings are a Route's own. In the numbers 0 means the default.
type RouteSettings struct {
	Failures int           // in a row, that open a sender's breaker; 0 means 3
	Pause    time.Duration // that it stays open before one message tries again; 0 means 1 min
	Timeout  time.Duration // of one sender's hand-over; 0 means 10 s
	Now      func() time.Time
}

// Route is a Sender over several others, tried in order. It is safe for
// concurrent use.
//
// The next one is tried only where the one before has surely not taken the
// message (ErrNotAccepted): where it may be on its way nobody sends a second.
// A sender whose breaker is open is tried after all the others, and not left
// out: where every one has failed, a person who waits for a code is better
// served by one more try than by none.
type Route struct {
	ways     []way
	settings RouteSettings
}

type way struct {
	Way
	breaker *breaker
}

// NewRoute needs at least one way.
func NewRoute(settings RouteSettings, ways ...Way) (*Route, error) {
	if len(ways) == 0 {
		return nil, errors.New("otp: no sender")
	}
	settings.Failures = orDefault(settings.Failures, 3)
	settings.Pause = orDefault(settings.Pause, time.Minute)
	settings.Timeout = orDefault(settings.Timeout, 10*time.Second)
	if settings.Now == nil {
		settings.Now = time.Now
	}
	r := &Route{settings: settings}
	for _, w := range ways {
		r.ways = append(r.ways, way{w, &breaker{failures: settings.Failures, pause: settings.Pause}})
	}
	return r, nil
}

// Name is all the senders' names: "46elks, twilio".
func (r *Route) Name() string {
	names := make([]string, len(r.ways))
	for i, w := range r.ways {
		names[i] = w.Sender.Name()
	}
	return strings.Join(names, ", ")
}

// Senders are the ways' in their order.
func (r *Route) Senders() []Sender {
	senders := make([]Sender, len(r.ways))
	for i, w := range r.ways {
		senders[i] = w.Sender
	}
	return senders
}

// Send hands the message to the first sender that takes it. The receipt names
// it; with an error that is not ErrNotAccepted it names the one that may have
// taken it.
func (r *Route) Send(ctx context.Context, message Message) (Receipt, error) {
	serving := r.serving(message)
	if len(serving) == 0 && message.To == "" {
		return Receipt{}, fmt.Errorf("%w carries a message without a number", ErrUnserved)
	}
	if len(serving) == 0 {
		return Receipt{}, fmt.Errorf("%w serves %s", ErrUnserved, orDefault(message.To.Country(), "a number of no country"))
	}
	why := ErrNotAccepted
	var refusals []string
	var passedOver []way
	for _, w := range serving {
		if !w.breaker.admits(r.settings.Now()) {
			passedOver = append(passedOver, w)
			continue
		}
		receipt, err := r.handOver(ctx, w, message)
		if !errors.Is(err, ErrNotAccepted) {
			return receipt, withRefusals(err, refusals)
		}
		refusals, why = append(refusals, err.Error()), worse(why, err)
	}
	for _, w := range passedOver {
		receipt, err := r.handOver(ctx, w, message)
		if !errors.Is(err, ErrNotAccepted) {
			return receipt, withRefusals(err, refusals)
		}
		refusals, why = append(refusals, err.Error()), worse(why, err)
	}
	return Receipt{}, fmt.Errorf("%w by any sender: %s", why, strings.Join(refusals, "; "))
}

// worse is ErrRefused as soon as one of several has said no: that tells more than
// that another one did not answer.
func worse(why, err error) error {
	if errors.Is(err, ErrRefused) {
		return ErrRefused
	}
	return why
}

// withRefusals keeps in words alone what was refused before: an error that
// wrapped it would be ErrNotAccepted, which this message is not.
func withRefusals(err error, refusals []string) error {
	if err == nil || len(refusals) == 0 {
		return err
	}
	return fmt.Errorf("%w (before: %s)", err, strings.Join(refusals, "; "))
}

func (r *Route) handOver(ctx context.Context, w way, message Message) (Receipt, error) {
	// A person who went away is no failure of the sender.
	if err := ctx.Err(); err != nil {
		w.breaker.letGo()
		return Receipt{}, fmt.Errorf("%w: %w", ErrNotAccepted, err)
	}
	ctx, cancel := context.WithTimeout(ctx, r.settings.Timeout)
	defer cancel()
	receipt, err := w.Sender.Send(ctx, message)
	w.breaker.done(r.settings.Now(), err)
	receipt.Sender = w.Sender.Name()
	if err != nil {
		return receipt, fmt.Errorf("%s: %w", receipt.Sender, err)
	}
	return receipt, nil
}

// serving are the ways for a message: those for its number's country, or those
// for people's own mail.
func (r *Route) serving(message Message) []way {
	country := message.To.Country()
	return slices.DeleteFunc(slices.Clone(r.ways), func(w way) bool {
		if !carries(w.Sender, message) {
			return true
		}
		return len(w.Countries) > 0 && !slices.ContainsFunc(w.Countries, func(c string) bool { return strings.EqualFold(c, country) })
	})
}

// carries tells whether a message is of a sender's kind: without a number it
// goes only where a sender says that it takes such.
func carries(sender Sender, message Message) bool {
	if particular, ok := sender.(interface{ Carries(Message) bool }); ok {
		return particular.Carries(message)
	}
	return message.To != ""
}

// Check tries every sender.
func (r *Route) Check(ctx context.Context) error {
	var faults []error
	for _, w := range r.ways {
		if err := w.Sender.Check(ctx); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", w.Sender.Name(), err))
		}
	}
	return errors.Join(faults...)
}
