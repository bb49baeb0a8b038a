package helpdesk_test

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"testing"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/gateway/helpdesk"
	"stagedoor/store"
)

// From the server an administrator gets a one-time code that lets them in and
// loses their printed codes, of which they are told; no agent does either.
func TestFactorsFromServer(t *testing.T) {
	r, ctx := open(t), t.Context()
	factors, err := factor.New(factor.Options{Store: r.Store, Key: bytes.Repeat([]byte{7}, 32), URL: &url.URL{Scheme: "https", Host: "portal.example.se"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Factors = factors
	var told []string
	r.News = func(_ context.Context, _ directory.Account, _ string, news factor.News, kind factor.Kind) (store.Trace, error) {
		return store.Trace{Done: func(store.Event, bool) { told = append(told, string(news)+string(kind)) }}, nil
	}
	server, sara := helpdesk.Agent{Name: "cli:root", Address: "cli", Server: true}, r.id(t, "sara")
	if _, err := factors.MakeBackup(ctx, sara, store.Trace{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.IssueBypass(ctx, r.agent, sara, "ringde in", true); rule(err) != helpdesk.RuleColleague {
		t.Errorf("an agent, for an administrator: %v", err)
	}
	if err := r.RemoveBackup(ctx, r.agent, sara, "ringde in"); rule(err) != helpdesk.RuleColleague {
		t.Errorf("an agent takes an administrator's codes: %v", err)
	}
	if _, _, err := r.IssueBypass(ctx, server, sara, " x ", true); rule(err) != helpdesk.RuleReason {
		t.Errorf("without a reason: %v", err)
	}
	code, _, err := r.IssueBypass(ctx, server, sara, "legitimerade sig", false)
	if err != nil {
		t.Fatal(err)
	}
	if kind, err := factors.CheckCode(ctx, factor.Person{AccountID: sara, Strong: true}, code, factor.Used{}); err != nil || kind != factor.Bypass {
		t.Errorf("the code: %q, %v", kind, err)
	}
	if err := r.RemoveBackup(ctx, server, sara, "tappat papperet"); err != nil {
		t.Error(err)
	}
	if err := r.RemoveBackup(ctx, server, sara, "tappat papperet"); rule(err) != helpdesk.RuleNothing || strings.Join(told, " ") != "bypass removedbackup" {
		t.Errorf("a second time: %v, told %v", err, told)
	}
	events, err := r.Store.Events(ctx, store.EventFilter{Kind: "factor-remove", Result: "ok"})
	if err != nil || len(events) != 1 || events[0].Name != "cli:root" || events[0].Detail["factor"] != "backup" || events[0].Detail["codes"] != "10" || events[0].Detail["person"] != `AMIDO\sara` {
		t.Errorf("%+v, %v", events, err)
	}
}
