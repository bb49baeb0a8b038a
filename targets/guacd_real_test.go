package targets

import (
	"bufio"
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// Every argument that the list sets is one that a real guacd, also an old one,
// lists; but for the fingerprints, which need 1.6.
func TestGuacdKnowsTheArguments(t *testing.T) {
	testbed.Need(t, "guacd")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	guacd, err := testbed.StartGuacd(ctx, testbed.GuacdOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := guacd.Stop(); err != nil {
			t.Error(err)
		}
	}()
	known := guacdArguments(t, guacd.Address, "rdp")
	for _, keys := range [][]string{
		nil,
		{"transfers: {copy: true, paste: true, upload: true, download: true, print: true, audio: true, microphone: true}", "drive_folder: /srv/drive"},
		{"credentials: session", "timezone: Europe/Stockholm", "remote_app: {program: '||x', dir: y, args: z}", "parameters: {read-only: true, recording-path: /r, gateway-hostname: g, color-depth: 16}"},
	} {
		list, err := loadText(t, one(keys...))
		if err != nil {
			t.Fatal(err)
		}
		arguments, mustHave := list.All()[0].Parameters(Login{"u", "d", "p"})
		for name := range arguments {
			if !slices.Contains(known, name) {
				t.Errorf("guacd does not know %s", name)
			}
		}
		for _, name := range mustHave {
			if !slices.Contains(known, name) {
				t.Errorf("guacd would be refused: it does not know %s", name)
			}
		}
	}
}

// guacdArguments asks guacd for the names of a protocol's arguments.
func guacdArguments(t *testing.T, address, protocol string) []string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("6.select," + strconv.Itoa(len(protocol)) + "." + protocol + ";")); err != nil {
		t.Fatal(err)
	}
	answer, err := bufio.NewReader(conn).ReadString(';')
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, element := range strings.Split(strings.TrimSuffix(answer, ";"), ",") {
		_, name, _ := strings.Cut(element, ".")
		names = append(names, name)
	}
	if names[0] != "args" {
		t.Fatalf("guacd answered %q", names[0])
	}
	return names[1:]
}
