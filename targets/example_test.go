package targets

import "testing"

func TestExampleLoads(t *testing.T) {
	list, err := Load("../targets.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := len(list.All()); got != 5 {
		t.Errorf("targets: %d, want 5", got)
	}
}
