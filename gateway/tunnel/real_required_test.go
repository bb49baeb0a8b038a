package tunnel

import (
	"encoding/base64"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"stagedoor/testbed"
)

// answer sends what guacd requires, as the page does.
func (b *page) answer(stream, name, value string) {
	b.t.Helper()
	b.say("argv", stream, "text/plain", name)
	b.say("blob", stream, base64.StdEncoding.EncodeToString([]byte(value)))
	b.say("end", stream)
}

// TestRealRequired: an NLA server needs the password before it shows anything.
// guacd asks, the page answers, and no answer goes to the log.
func TestRealRequired(t *testing.T) {
	testbed.Need(t, "guacd", "nla")
	t.Parallel()
	g := startGuacd(t, testbed.GuacdOptions{})
	const username, password = "nlauser", "Ångström,5.false; 1"
	server, err := testbed.StartNLA(t.Context(), username, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, test := range []struct{ name, password, cause string }{
		{"right", password, "disconnect"},
		{"wrong", "Not-this-one-7", "guacd-error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log strings.Builder
			options := rdp(t, server.Address, "", "")
			options.Arguments["security"] = "nla"
			options.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			p := newPortal(t, NewGuacd(g.Address, nil), options)
			b := p.open(t)
			values := map[string]string{"username": username, "password": test.password, "domain": ""}
			for stream, name := range b.until("required")[1:] {
				b.answer(strconv.Itoa(stream), name, values[name])
			}
			if test.cause == "disconnect" {
				b.untilPicture()
				b.say("disconnect")
			}
			last, _, why := b.goodbye()
			end := p.end(t)
			if end.Cause != test.cause || test.cause == "guacd-error" && (why != "519" || end.Text == "" || last[1] != end.Text) {
				t.Errorf("%q, close reason %s, end %+v", last, why, end)
			}
			if got := log.String(); got == "" || strings.Contains(got, test.password) {
				t.Errorf("log: %s", got)
			}
		})
	}
}
