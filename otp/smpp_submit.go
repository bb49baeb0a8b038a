package otp

import (
	"context"
	"errors"
	"fmt"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// submit hands over one SMS when the window has room. Its error wraps
// ErrNotAccepted where the provider has surely not taken it.
func (l *smppLink) submit(ctx context.Context, message *pdu.SubmitSM) (id string, err error) {
	select {
	case l.window <- struct{}{}:
	case <-l.down:
		return "", fmt.Errorf("%w: %w", ErrNotAccepted, l.err)
	case <-ctx.Done():
		return "", fmt.Errorf("%w: the window is full: %d messages have no answer yet", ErrNotAccepted, cap(l.window))
	}
	waiter, n, err := l.request(message)
	if err != nil && n == 0 {
		return "", fmt.Errorf("%w: %w", ErrNotAccepted, err)
	}
	select {
	case answer := <-waiter.answer:
		return l.judge(answer)
	case <-l.down:
	case <-ctx.Done():
		// The place in the window stays taken until the answer comes.
		go l.abandon(waiter)
		return "", errors.New("no answer in time")
	}
	select { // the answer may have come with the end
	case answer := <-waiter.answer:
		return l.judge(answer)
	default:
		return "", fmt.Errorf("no answer: %w", l.err)
	}
}

func (l *smppLink) judge(answer smppAnswer) (id string, err error) {
	<-l.window
	if answer.status != data.ESME_ROK {
		return "", fmt.Errorf("%w: %s", ErrRefused, smppStatus(answer.status))
	}
	return answer.id, nil
}

func (l *smppLink) abandon(waiter *smppWaiter) {
	select {
	case <-waiter.answer:
		<-l.window
	case <-l.down:
	}
}

// ask sends a request without a body and waits for its answer.
func (l *smppLink) ask(ctx context.Context, p pdu.PDU) error {
	waiter, _, err := l.request(p)
	if err != nil {
		return err
	}
	select {
	case answer := <-waiter.answer:
		if answer.status != data.ESME_ROK {
			return errors.New("refused: " + smppStatus(answer.status))
		}
		return nil
	case <-l.down:
		return l.err
	case <-ctx.Done():
		return errors.New("no answer in time")
	}
}
