package gateway_test

import (
	"encoding/json"
	"testing"
	"time"

	"stagedoor/directory/directorytest"
	"stagedoor/gateway/portal"
)

// row is what the database holds of the only live session's person.
func (b *bench) row() (who portal.Who) {
	b.t.Helper()
	open, err := b.store.OpenSessions(b.t.Context(), "")
	b.must(err)
	if len(open) != 1 {
		b.t.Fatalf("%d live sessions", len(open))
	}
	b.must(json.Unmarshal(open[0].Account, &who))
	return who
}

// renamed has the directory say something new of cecilia, and waits until the
// watch over her desktop has asked for it.
func (b *bench) renamed(name string) {
	b.t.Helper()
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.DisplayName = name }))
	b.eventually("the directory is asked again", func() bool { return b.row().Account.DisplayName == name })
}

// The watch over a desktop keeps what the directory says and nothing else: what
// its person has proven and begun since it was opened stands.
func TestRecheckKeepsWhatWasProven(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia, ws := b.atDesktop()
	b.clock.advance(11 * time.Minute)
	b.renamed("Cecilia Ek")
	cecilia.post("/account/backup").shows(t, 200, "/again?to=%2Faccount")
	cecilia.post("/again", "to", "/account", "password", goodPassword).shows(t, 200, "/code")
	cecilia.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/account")
	proven := b.row()
	if !proven.ProvenAt.Equal(b.clock.Now()) {
		t.Fatalf("proven at %v, want %v", proven.ProvenAt, b.clock.Now())
	}
	b.clock.advance(5 * time.Minute)
	b.renamed("Cecilia Dal")
	if now := b.row(); !now.ProvenAt.Equal(proven.ProvenAt) || now.Factor != proven.Factor || !now.CheckedAt.Equal(b.clock.Now()) {
		t.Errorf("after the directory was asked: %+v\nbefore: %+v", now, proven)
	}
	cecilia.post("/account/backup").shows(t, 200, "/account/backup") // not asked again

	// Half of a change of the number.
	cecilia.post("/phone", "act", "old").shows(t, 200, "/phone", `name="code"`)
	b.clock.advance(5*time.Minute - time.Second)
	cecilia.get("/").shows(t, 200, "/")
	b.clock.advance(time.Second)
	half := b.row().Phoning
	b.renamed("Cecilia Lind")
	if now := b.row().Phoning; half.OldCode == "" || now != half {
		t.Errorf("a change half way is %+v, was %+v", now, half)
	}
	until(t, ws, "4.sync,")
}
