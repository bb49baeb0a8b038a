package testbed

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestGuacdPause has two guacds, and one of them hangs.
func TestGuacdPause(t *testing.T) {
	t.Parallel()
	hanging, other := startGuacd(t, GuacdOptions{}), startGuacd(t, GuacdOptions{})
	open := dialGuacd(t, hanging.Address, nil)
	open.send(t, "select", "rdp")
	if _, err := open.read(); err != nil { // its child is there
		t.Fatal(err)
	}
	if err := hanging.Pause(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range append(hanging.Children(), hanging.PID) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || !strings.Contains(string(stat), ") T ") {
			t.Errorf("process %d is not stopped: %s, %v", pid, stat, err)
		}
	}
	waiting := dialGuacd(t, hanging.Address, nil)
	waiting.send(t, "select", "rdp")
	alive := dialGuacd(t, other.Address, nil)
	alive.send(t, "select", "rdp")
	if args, err := alive.read(); err != nil || args[0] != "args" {
		t.Errorf("the other guacd says %.80q, %v", args, err)
	}
	if err := hanging.Resume(); err != nil {
		t.Fatal(err)
	}
	if args, err := waiting.read(); err != nil || args[0] != "args" {
		t.Errorf("after Resume guacd says %.80q, %v", args, err)
	}
	if err := hanging.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := hanging.Stop(); err != nil { // it does not wait to be killed
		t.Error(err)
	}
	if left := marked(hanging.mark); len(left) > 0 {
		t.Errorf("alive after Stop: %v", left)
	}
}
