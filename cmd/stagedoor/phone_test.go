package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stagedoor/directory/directorytest"
	"stagedoor/store"
)

// An administrator who is locked out sets and confirms a number on the machine;
// the record and the history say so.
func TestPhone(t *testing.T) {
	people, err := directorytest.Start(directorytest.Config{Users: []directorytest.User{
		{Name: "sara", Password: "x", DisplayName: "Sara Admin", Mobile: "070-174 06 10", Mail: "sara@amido.example", Groups: []string{"Portal-Admins"}},
		{Name: "erik", Password: "x"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = people.Stop() })
	folder := t.TempDir()
	domain := people.Domain()
	var key [32]byte
	_, _ = rand.Read(key[:])
	writeFile(t, filepath.Join(folder, "key"), hex.EncodeToString(key[:]), 0o600)
	writeFile(t, filepath.Join(folder, "bind"), domain.BindPassword, 0o600)
	writeFile(t, filepath.Join(folder, "targets.yaml"), "targets: []\n", 0o600)
	config := filepath.Join(folder, "config.yaml")
	writeFile(t, config, fmt.Sprintf(`listen: localhost:8080
public_url: http://localhost:8080
database: db
server_key_file: key
targets: targets.yaml
administrators: {groups: ['AMIDO\Portal-Admins']}
directories:
  - {domain: AMIDO, servers: [%q], ca_file: %q, bind_dn: %q, bind_password_file: bind}
mail: {server: "127.0.0.1:25", tls: none, from: backstage@amido.example}
sms:
  senders:
    - {name: provider, kind: http, http: {url: "http://localhost:1/", body: "to={{urlquery .To}}&text={{urlquery .Text}}"}}
`, domain.Servers[0], domain.CAFile, domain.BindDN), 0o600)

	for _, c := range []struct {
		args, want string // want with "!" in front: the error
	}{
		{`show AMIDO\sara`, "••• 0610, from directory"},
		{`show AMIDO\erik`, "why: no-number"},
		{`show AMIDO\nobody`, "!the directory has no account"},
		{`history AMIDO\sara`, "nothing has been done"},
		{`verify AMIDO\sara`, "!write why"},
		{`--reason asked-in-person verify AMIDO\sara`, "is confirmed"},
		{`--reason asked-in-person set AMIDO\sara 08-465`, "!no mobile number"},
		{`--reason asked-in-person set AMIDO\sara 070-174-06-10`, "!the number already"},
		{`--reason lost-her-phone set AMIDO\sara 070-174-06-33`, "+46701740633 from now on"},
		{`show AMIDO\sara`, "••• 0633, from verified, verified (cli)"},
		{`history AMIDO\sara`, "  cli  lost-her-phone"},
		{`--reason lost-her-phone set AMIDO\erik 070-174-06-34`, "+46701740634 from now on"},
		{`set AMIDO\sara`, "!usage"}, {`sing AMIDO\sara`, "!usage"}, {``, "!usage"},
	} {
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"phone", "--config", config}, strings.Fields(c.args)...), nil, &out)
		want, refused := strings.CutPrefix(c.want, "!")
		said := out.String()
		if err != nil {
			said = err.Error()
		}
		if (err != nil) != refused || !strings.Contains(said, want) {
			t.Errorf("phone %s: %v, %s; want %q", c.args, err, out.String(), c.want)
		}
	}
	db, err := store.Open(t.Context(), filepath.Join(folder, "db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	events, err := db.Events(t.Context(), store.EventFilter{Kind: "phone-change", Result: "ok"})
	if err != nil || len(events) != 2 || !strings.HasPrefix(events[0].Name, "cli:") || events[1].Detail["why"] != "lost-her-phone" {
		t.Errorf("the record: %+v, %v", events, err)
	}
	// The gateway sends what was queued here: by mail as well.
	told := map[string]int{}
	for {
		notice, err := db.LeaseNotice(t.Context(), "test", time.Now(), time.Now().Add(time.Hour))
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		told[notice.Channel]++
	}
	if told["sms"] != 3 || told["mail"] != 1 {
		t.Errorf("queued: %v", told)
	}
}
