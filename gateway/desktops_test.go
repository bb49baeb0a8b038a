package gateway

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// Input that a database did not take is kept, unless newer input has come.
func TestInputSurvivesAnOutage(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "stagedoor.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	d := newDesktops(&Gateway{Portal: &portal.Portal{Parts: portal.Parts{Store: db, Now: time.Now, Log: slog.New(slog.DiscardHandler)}}})
	noted := time.Now()
	d.input["anna"] = noted
	if err := d.flush(t.Context()); err == nil {
		t.Fatal("a closed database took the input")
	}
	if got := d.lastInput("anna"); !got.Equal(noted) {
		t.Errorf("last input %v, want %v", got, noted)
	}
	d.input["anna"] = noted.Add(time.Second)
	d.keep(map[string]time.Time{"anna": noted})
	if got := d.lastInput("anna"); !got.Equal(noted.Add(time.Second)) {
		t.Error("older input took the place of newer")
	}
}
