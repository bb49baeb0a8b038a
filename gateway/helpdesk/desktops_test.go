package helpdesk_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"stagedoor/gateway/helpdesk"
	"stagedoor/store"
)

// Acts on live desktops stand under the rules of all acts, and are recorded with
// the desktop and the words.
func TestOrdersAboutDesktops(t *testing.T) {
	r := open(t)
	d := r.process(t)
	d.Order = func(ctx context.Context, order store.DesktopOrder) error {
		_, err := d.Store.OrderDesktop(ctx, order)
		return err
	}
	at := time.Now()
	if err := d.Store.NoteDesktops(t.Context(), "node", []store.LiveDesktop{
		{ID: "CECILIA", AccountID: r.id(t, "cecilia"), Name: `AMIDO\cecilia`, Target: "sso", SessionID: "s", State: store.DesktopShown, OpenedAt: at},
		{ID: "SARA", AccountID: r.id(t, "sara"), Name: `AMIDO\sara`, Target: "sso", State: store.DesktopShown, OpenedAt: at},
		{ID: "HANNA", AccountID: r.id(t, "hanna"), Name: `AMIDO\hanna`, Target: "sso", State: store.DesktopShown, OpenedAt: at},
	}, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		desktop, text, reason string
		want                  helpdesk.Rule
	}{
		{"CECILIA", "Hej", "", helpdesk.RuleReason},
		{"CECILIA", " \n\u202e", "ringde in", helpdesk.RuleMessage},
		{"CECILIA", strings.Repeat("å", 301), "ringde in", helpdesk.RuleMessage},
		{"NOSUCH", "Hej", "ringde in", helpdesk.RuleOver},
		{"HANNA", "Hej", "ringde in", helpdesk.RuleSelf},
		{"SARA", "Hej", "ringde in", helpdesk.RuleColleague},
		{"CECILIA", strings.Repeat("å", 300), "ringde in", ""},
	} {
		if err := d.MessageDesktop(t.Context(), r.agent, c.desktop, c.text, c.reason); rule(err) != c.want || c.want == "" && err != nil {
			t.Errorf("%s %.10q %q: %v, want %q", c.desktop, c.text, c.reason, err, c.want)
		}
	}
	if err := d.EndDesktop(t.Context(), r.agent, "CECILIA", "fel person"); err != nil {
		t.Fatal(err)
	}
	orders, err := d.Store.TakeOrders(t.Context(), "node")
	given := map[string]store.DesktopOrder{} // of two in one millisecond nobody knows which was first
	for _, order := range orders {
		given[order.Kind] = order
	}
	if err != nil || len(orders) != 2 || given[store.OrderMessage].Text != strings.Repeat("å", 300) || given[store.OrderEnd].By != r.agent.Name {
		t.Errorf("ordered: %+v, %v", orders, err)
	}
	events, _, err := d.Store.FindEvents(t.Context(), store.EventFilter{Kind: "desktop-order-end", Limit: 10})
	if err != nil || len(events) != 2 || events[0].Result != "ok" || events[1].Result != "begun" || events[1].Target != "sso" ||
		events[1].Detail["desktop"] != "CECILIA" || events[1].Detail["session"] != "s" || events[1].Detail["why"] != "fel person" {
		t.Errorf("recorded: %+v, %v", events, err)
	}
	if left, err := d.ActsLeft(t.Context(), r.agent); err != nil || left != 18 {
		t.Errorf("%d acts left, %v; want 18", left, err)
	}
}
