package tunnel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wwt/guac"
)

// TestCloseTable pins the close table: status, WebSocket code and reason of
// every end.
func TestCloseTable(t *testing.T) {
	for _, test := range []struct {
		cause  error
		name   string
		code   int
		reason string
	}{
		{endDisconnect, "disconnect", 1000, "0"},
		{endLeft, "left", 1000, "0"},
		{ErrEnded, "ended", 1002, "523"},
		{ErrHelpdesk, "ended-by-helpdesk", 1002, "523"},
		{endLogoff, "logoff", 1000, "0"},
		{endBrowserClosed, "browser-closed", 1000, "0"},
		{endBrowserLost, "browser-lost", 1002, "518"},
		{endBrowserTimeout, "browser-timeout", 1002, "776"},
		{endBrowserStalled, "browser-stalled", 1002, "776"},
		{endUnanswered, "answer-timeout", 1002, "776"},
		{endGuacdError, "guacd-error", 1011, "515"},
		{endGuacdUnreachable, "guacd-unreachable", 1011, "520"},
		{endGuacdEOF, "guacd-eof", 1011, "520"},
		{endGuacdSilent, "guacd-silent", 1011, "514"},
		{endGuacdStalled, "guacd-stalled", 1011, "514"},
		{endGuacdProtocol, "guacd-protocol", 1011, "515"},
		{endLacksArgument, "guacd-lacks-argument", 1011, "512"},
		{endBadArguments, "bad-arguments", 1011, "512"},
		{endHandshakeTimeout, "handshake-timeout", 1011, "514"},
		{endNoFirstFrame, "first-frame-timeout", 1011, "514"},
		{endBadProtocol, "bad-protocol", 1002, "768"},
		{endForbidden, "forbidden", 1008, "771"},
		{endOverrun, "overrun", 1009, "781"},
		{endBadType, "bad-type", 1003, "783"},
		{ErrIdle, "idle", 1002, "522"},
		{ErrRevoked, "revoked", 1002, "523"},
		{ErrTakenOver, "taken-over", 1008, "521"},
		{ErrLimit, "limit", 1008, "797"},
		{ErrShutdown, "shutdown", 1011, "520"},
		{ErrReplaced, "replaced", 1000, "0"},
		{fmt.Errorf("logout: %w", ErrRevoked), "revoked", 1002, "523"},
		{context.DeadlineExceeded, "revoked", 1002, "523"},
		{context.Canceled, "cancelled", 1002, "523"},
	} {
		t.Run(test.name, func(t *testing.T) {
			end := endingOf(test.cause)
			if end.cause != test.name || end.status.GetWebSocketCode() != test.code || reason(end.status) != test.reason {
				t.Errorf("%s: %d %s, want %s: %d %s", end.cause, end.status.GetWebSocketCode(), reason(end.status),
					test.name, test.code, test.reason)
			}
			if end.text == "" && !end.silent {
				t.Error("nothing to tell the person")
			}
		})
	}
}

// TestStatusTable pins what the browser client expects of every status.
func TestStatusTable(t *testing.T) {
	for status, want := range map[guac.Status]string{
		guac.Success: "1000 0", guac.Unsupported: "1011 256", guac.ServerError: "1011 512", guac.ServerBusy: "1008 513",
		guac.UpstreamTimeout: "1011 514", guac.UpstreamError: "1011 515", guac.ResourceNotFound: "1002 516",
		guac.ResourceConflict: "1008 517", guac.ResourceClosed: "1002 518", guac.UpstreamNotFound: "1011 519",
		guac.UpstreamUnavailable: "1011 520", guac.SessionConflict: "1008 521", guac.SessionTimeout: "1002 522",
		guac.SessionClosed: "1002 523", guac.ClientBadRequest: "1002 768", guac.ClientUnauthorized: "1008 769",
		guac.ClientForbidden: "1008 771", guac.ClientTimeout: "1002 776", guac.ClientOverrun: "1009 781",
		guac.ClientBadType: "1003 783", guac.ClientTooMany: "1008 797",
	} {
		if got := fmt.Sprintf("%d %s", status.GetWebSocketCode(), reason(status)); got != want {
			t.Errorf("%v: %s, want %s", status, got, want)
		}
	}
}

func TestGuacdError(t *testing.T) {
	for _, test := range []struct {
		name, text string
		status     guac.Status
		said       string
	}{
		{"known", "5.error,4.gone,3.519;", guac.UpstreamNotFound, "gone"},
		{"unknown status", "5.error,4.gone,3.999;", guac.UpstreamError, "gone"},
		{"success is no error", "5.error,4.gone,1.0;", guac.UpstreamError, "gone"},
		{"no status", "5.error,4.gone;", guac.UpstreamError, "gone"},
		{"nothing", "5.error;", guac.UpstreamError, ""},
		{"control characters", "5.error,6.a\x1b[2J\n,3.519;", guac.UpstreamNotFound, "a[2J"},
		{"long", "5.error,600." + strings.Repeat("ö", 600) + ",3.519;", guac.UpstreamNotFound, strings.Repeat("ö", 512)},
	} {
		t.Run(test.name, func(t *testing.T) {
			var in instruction
			if err := in.parse([]byte(test.text)); err != nil {
				t.Fatal(err)
			}
			if end := guacdError(&in); end.status != test.status || end.said != test.said {
				t.Errorf("%v %q, want %v %q", end.status, end.said, test.status, test.said)
			}
		})
	}
}

func TestSecretsStayOutOfErrors(t *testing.T) {
	const secret = "hemligt"
	f := newFilter(Policy{})
	for _, message := range []string{
		"3.key,7.hemligt,1.1;", "4.blob,7.hemligt,4.AAAA;", "5.mouse,7.hemligt,1.1,1.1;", "3.ack,1.0,7.hemligt,1.x;", "4.size,7.hemligt,1.1;",
	} {
		if err := f.check([]byte(message)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", message, err)
		}
	}
	_, err := answerArgs([]string{"password"}, &Options{Arguments: map[string]string{"password": secret + "\x00"}})
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
	if _, ok := errors.AsType[*ending](err); !ok {
		t.Errorf("%v is no ending", err)
	}
}
