package gateway

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/targets"
)

// Straight to the only system there is, unless the list has something to say.
func TestHome(t *testing.T) {
	const desktop = "  - {id: one, name: One, host: 127.0.0.1, port: 1, visible_to: everyone}\n"
	const link = "  - {id: web, name: Web, kind: link, url: \"https://web.example/\", visible_to: everyone}\n"
	now := time.Now()
	for name, test := range map[string]struct {
		list    string
		expires time.Time
		want    string
	}{
		"one desktop":                      {list: desktop, want: "/desktop/one"},
		"one link":                         {list: link, want: "/"},
		"a desktop and a link":             {list: desktop + link, want: "/"},
		"the password ends in two weeks":   {list: desktop, expires: now.Add(13 * 24 * time.Hour), want: "/"},
		"the password ends in three weeks": {list: desktop, expires: now.Add(21 * 24 * time.Hour), want: "/desktop/one"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "targets.yaml")
			if err := os.WriteFile(file, []byte("targets:\n"+test.list), 0o600); err != nil {
				t.Fatal(err)
			}
			watcher, err := targets.Open(file, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer watcher.Close()
			p := &Gateway{Portal: &portal.Portal{Parts: portal.Parts{Targets: watcher, Now: func() time.Time { return now }}}}
			s := &portal.Session{}
			s.Step = string(portal.StepReady)
			s.Who.Account.PasswordExpires = test.expires
			if got := p.nextPage(s); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
