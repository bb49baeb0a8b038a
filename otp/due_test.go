package otp

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stagedoor/store"
	"stagedoor/store/storetest"
)

// When a change takes effect after its cool-down the old number, the new one and
// the mail address are told once, and the audit has it once, however many nodes
// try it at the same moment.
func TestToldWhenInForce(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "shared.db")
	var recorded atomic.Int32
	nodes := make([]*Numbers, 4)
	for i := range nodes {
		one, notices := *d.Numbers, *d.Notices
		notices.Store = storetest.Open(t, path, func() time.Time { return d.world.at })
		notices.PerDay = 2 // what holds already is told whatever the limit
		one.Store, one.Notices = notices.Store, &notices
		one.Recorded = func(event store.Event) {
			if event.Hash != "" {
				recorded.Add(1)
			}
		}
		nodes[i] = &one
	}
	change, err := nodes[0].Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := nodes[0].Notices.Deliver(t.Context()); n != 3 || err != nil {
		t.Fatalf("%d notices that it will, %v", n, err)
	}
	*d.told = nil
	d.world.at = change.DueAt
	together(16, func(i int) {
		var err error
		if i%2 == 0 {
			_, err = nodes[i%4].Run(t.Context())
		} else {
			_, err = nodes[i%4].Of(t.Context(), cecilia)
		}
		if err != nil {
			t.Error(err)
		}
	})
	if n, err := nodes[1].Notices.Deliver(t.Context()); n != 3 || err != nil {
		t.Errorf("%d notices that it holds, %v", n, err)
	}
	says := "old=07 new=08 name=" + cecilia.Name + " portal=Backstage link=https://portal.example/freeze/" + change.ID + "?t=" + d.tokenOf(change)
	for _, phone := range []Phone{oldPhone, newPhone} {
		if got := d.world.outbox.Messages(phone)[0].Text; got != "sv phone.notice.changed.sms "+says {
			t.Errorf("%s was told %q", phone, got)
		}
	}
	if len(*d.told) != 1 || (*d.told)[0].To != cecilia.Mail || (*d.told)[0].Text != "sv phone.notice.changed.mail "+says {
		t.Errorf("by mail: %+v", *d.told)
	}
	events, err := nodes[2].Store.Events(t.Context(), store.EventFilter{Kind: "phone-changed"})
	if err != nil || len(events) != 1 || recorded.Load() != 1 {
		t.Fatalf("%d events, %d recorded, %v", len(events), recorded.Load(), err)
	}
	if e := events[0]; e.Reason != "cool-down" || e.Name != `AMIDO\hanna` || e.Detail["account"] != cecilia.AccountID || strings.Contains(e.Detail["phone"], "4060") {
		t.Errorf("%+v", e)
	}
	if _, err := nodes[3].Freeze(t.Context(), change.ID, d.tokenOf(change), "", nil); err != nil {
		t.Errorf("the link in the notice: %v", err)
	}
}

// A second agent's word ends the waiting, and the person is told of that too; on
// a frozen account without a link, since none takes it back.
func TestToldWhenConfirmed(t *testing.T) {
	d := newDesk(t)
	change, err := d.Change(t.Context(), cecilia, newPhone, byAgent("hanna"))
	if err != nil {
		t.Fatal(err)
	}
	confirm := func(change Change, key string) {
		t.Helper()
		if _, err := d.Notices.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Confirm(t.Context(), cecilia.AccountID, change.ID, byAgent("holger")); err != nil {
			t.Fatal(err)
		}
		n, err := d.Notices.Deliver(t.Context())
		text := d.world.outbox.Messages(Phone(change.New))[0].Text
		if n != 3 || err != nil || !strings.HasPrefix(text, "sv "+key+".sms ") || strings.Contains(text, "link=") == (key == "phone.notice.final") {
			t.Errorf("%d told, %v: %q", n, err, text)
		}
	}
	confirm(change, "phone.notice.changed")
	if _, err := d.Freeze(t.Context(), change.ID, d.tokenOf(change), "", nil); err != nil {
		t.Fatal(err)
	}
	d.world.at = d.world.at.Add(25 * time.Hour)
	if change, err = d.Change(t.Context(), cecilia, otherPhone, byAgent("hanna")); err != nil {
		t.Fatal(err)
	}
	confirm(change, "phone.notice.final")
}
