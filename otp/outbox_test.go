package otp

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOutbox(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	outbox := NewOutbox(2, func() time.Time { return at })
	messages, stop := outbox.Subscribe()
	var all []Message
	for i := range 3 {
		all = append(all, Message{ID: fmt.Sprint(i), To: "+46701234567", Text: "hej"})
		if _, err := outbox.Send(t.Context(), all[i]); err != nil {
			t.Fatal(err)
		}
		if got := <-messages; got.Message != all[i] || !got.At.Equal(at) {
			t.Errorf("subscriber got %+v", got)
		}
	}
	if diff := cmp.Diff([]Sent{{all[2], at}, {all[1], at}}, outbox.Messages("+46701234567")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Phone{"+46701234567"}, outbox.Phones()); diff != "" {
		t.Error(diff)
	}
	stop()
	if _, err := outbox.Send(t.Context(), all[0]); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-messages:
		t.Errorf("after stop: %+v", got)
	default:
	}
}

func TestOutboxIsBoundedAndConcurrent(t *testing.T) {
	outbox := NewOutbox(1, time.Now)
	_, stop := outbox.Subscribe() // reads nothing, and holds nobody up
	defer stop()
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range 300 {
				phone := Phone(fmt.Sprintf("+4670%d%04d", g, i))
				if _, err := outbox.Send(t.Context(), Message{To: phone}); err != nil {
					t.Error(err)
				}
				outbox.Messages(phone)
			}
		})
	}
	group.Wait()
	if n := len(outbox.Phones()); n != maxOutboxPhones {
		t.Errorf("%d phones, want %d", n, maxOutboxPhones)
	}
}
