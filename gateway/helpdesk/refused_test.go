package helpdesk_test

import (
	"fmt"
	"strings"
	"testing"

	"stagedoor/gateway/helpdesk"
	"stagedoor/store"
)

// recorded are the events of a kind, the oldest first, as "result reason: why".
func (r *rig) recorded(t *testing.T, kind string) (lines []string) {
	t.Helper()
	events, err := r.Store.Events(t.Context(), store.EventFilter{Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	for i := len(events) - 1; i >= 0; i-- {
		e := events[i]
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%s %s %s: %s", e.Result, e.Reason, e.Detail["person"], e.Detail["why"]), " "))
	}
	return lines
}

// Every act that is refused is recorded with why, one without a reason too.
func TestRefusedActsAreRecorded(t *testing.T) {
	r := open(t)
	cecilia := r.id(t, "cecilia")
	_ = r.ClearCodes(t.Context(), r.agent, cecilia, " ")
	_ = r.ClearCodes(t.Context(), r.agent, r.id(t, "hanna"), "ringde in")
	_ = r.EndSessions(t.Context(), r.agent, cecilia, "ringde in")
	_ = r.MessageDesktop(t.Context(), r.agent, "GONE", "Hej", "ringde in")
	_ = r.CheckCaller(t.Context(), r.agent, r.id(t, "sara"), "123456")
	_ = r.CheckCaller(t.Context(), r.agent, cecilia, "123456")
	for kind, want := range map[string]string{
		"helpdesk-clear-codes":  "refused reason AMIDO\\cecilia:\nrefused self AMIDO\\hanna: ringde in",
		"helpdesk-end-sessions": "begun  AMIDO\\cecilia: ringde in\nrefused nothing AMIDO\\cecilia: ringde in",
		"desktop-order-message": "refused over :",
		"helpdesk-caller":       "refused colleague AMIDO\\sara:\nrefused no-code AMIDO\\cecilia:",
	} {
		if got := strings.Join(r.recorded(t, kind), "\n"); got != want {
			t.Errorf("%s: recorded\n%s\nwant\n%s", kind, got, want)
		}
	}
}

// A message that is no message is refused on record, without its words.
func TestRefusedMessageIsRecorded(t *testing.T) {
	r := open(t)
	if err := r.Store.NoteDesktops(t.Context(), "node", []store.LiveDesktop{
		{ID: "D", AccountID: r.id(t, "cecilia"), Name: `AMIDO\cecilia`, Target: "sso", State: store.DesktopShown, OpenedAt: r.Now()},
	}, nil); err != nil {
		t.Fatal(err)
	}
	if err := r.MessageDesktop(t.Context(), r.agent, "D", strings.Repeat("å", 301), "ringde in"); rule(err) != helpdesk.RuleMessage {
		t.Fatal(err)
	}
	events, err := r.Store.Events(t.Context(), store.EventFilter{Kind: "desktop-order-message"})
	if err != nil || len(events) != 1 || events[0].Reason != "message" || events[0].Target != "sso" || events[0].Detail["why"] != "ringde in" ||
		events[0].Detail["text"] != "" || events[0].Detail["desktop"] != "D" {
		t.Errorf("%+v, %v", events, err)
	}
	if left, err := r.ActsLeft(t.Context(), r.agent); err != nil || left != 20 {
		t.Errorf("%d acts left, %v: a refusal cost one", left, err)
	}
}

// Refusals that cost no act fill the audit of nobody: 60 an hour, of each kind.
func TestRefusalsAreBound(t *testing.T) {
	r := open(t)
	cecilia := r.id(t, "cecilia")
	for range 75 {
		if err := r.ClearCodes(t.Context(), r.agent, cecilia, ""); rule(err) != helpdesk.RuleReason {
			t.Fatal(err)
		}
	}
	if n := len(r.recorded(t, "helpdesk-clear-codes")); n != 60 {
		t.Errorf("%d refusals are recorded, want 60", n)
	}
	if err := r.Unlock(t.Context(), r.agent, cecilia, ""); rule(err) != helpdesk.RuleReason || len(r.recorded(t, "helpdesk-unlock")) != 1 {
		t.Errorf("of another kind: %v", err)
	}
}

// What a caller reads back is recorded with the reason that the code was sent for.
func TestCallerHasTheReasonOfTheAsk(t *testing.T) {
	r := open(t)
	cecilia := r.id(t, "cecilia")
	if err := r.AskCaller(t.Context(), r.agent, cecilia, "ringde om låst konto", codeOnly, codeOnly); err != nil {
		t.Fatal(err)
	}
	right := r.outbox.Messages("+46701740607")[0].Text
	_ = r.CheckCaller(t.Context(), r.agent, cecilia, "x")
	if err := r.CheckCaller(t.Context(), r.agent, cecilia, right); err != nil {
		t.Fatal(err)
	}
	want := "refused wrong-code AMIDO\\cecilia: ringde om låst konto\nok  AMIDO\\cecilia: ringde om låst konto"
	if got := strings.Join(r.recorded(t, "helpdesk-caller"), "\n"); got != want {
		t.Errorf("recorded\n%s\nwant\n%s", got, want)
	}
}
