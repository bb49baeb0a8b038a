package tunnel

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// What is said to the person reaches the page at once, the next page where this
// one has not shown it, and nobody twice once it is shown.
func TestNotices(t *testing.T) {
	guacd := newHolding(t, nil)
	shown := make(chan string, 10)
	options := heldOptions
	options.Notices = &Notices{Shown: func(id string) { shown <- id }}
	hostile := "<b>x</b>;4.size,1.0,1.1,1.1;\u00e5\u4e16"
	if err := options.Notices.Say(Notice{ID: "BEFORE", Text: "before"}); err != nil {
		t.Fatal(err)
	}
	p := newPortal(t, guacd.Guacd, options)
	b := p.open(t)
	if got := b.until("helpdesk"); !slices.Equal(got, []string{"helpdesk", "BEFORE", "before"}) {
		t.Fatalf("the page got %q", got)
	}
	b.say("", "shown", "BEFORE")
	if id := next(t, shown, "the page's word"); id != "BEFORE" {
		t.Errorf("shown %q", id)
	}
	b.untilPicture()
	if err := options.Notices.Say(Notice{ID: "A1", Text: hostile}); err != nil {
		t.Fatal(err)
	}
	if got := b.until("helpdesk"); !slices.Equal(got, []string{"helpdesk", "A1", hostile}) {
		t.Fatalf("the page got %q", got)
	}
	vanish(b)
	if end := p.end(t); !end.Held {
		t.Fatalf("end %+v", end)
	}
	if err := options.Notices.Say(Notice{ID: "B2", Text: "held"}); err != nil {
		t.Fatal(err)
	}
	b = p.open(t)
	for _, want := range []string{"A1", "B2"} {
		if got := b.until("helpdesk"); got[1] != want {
			t.Errorf("the page that came back got %q, want %s", got, want)
		}
		b.say("", "shown", want)
		b.say("", "shown", want) // said twice, heard once
		b.say("", "shown", "NEVERSAID")
		next(t, shown, "the page's word")
	}
	b.say("disconnect")
	p.end(t)
	select {
	case id := <-shown:
		t.Errorf("%s was shown once more", id)
	case <-time.After(0):
	}
}

func TestNoticesAreFew(t *testing.T) {
	notices := &Notices{}
	for range maxNotices {
		if err := notices.Say(Notice{ID: "A", Text: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := notices.Say(Notice{ID: "B", Text: "b"}); !errors.Is(err, ErrNotices) {
		t.Errorf("one more: %v", err)
	}
}

// The remote side cannot speak for helpdesk.
func TestGuacdSaysNoNotice(t *testing.T) {
	f := outFilter{heard: &heard{}}
	batch := []byte("8.helpdesk,1.A,5.Hello;3.nop;")
	passed, _, err := f.filter(batch)
	if got := string(batch[:passed]); err != nil || got != "3.nop;" {
		t.Errorf("the browser gets %q, %v", got, err)
	}
}
