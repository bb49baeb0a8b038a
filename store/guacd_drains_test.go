package store

import (
	"slices"
	"testing"
	"time"
)

func TestDrains(t *testing.T) {
	s := openNew(t, time.Now)
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"nothing", func() error { return nil }, nil},
		{"one", func() error { return s.Drain(t.Context(), "guacd1:4822") }, []string{"guacd1:4822"}},
		{"twice", func() error { return s.Drain(t.Context(), "guacd1:4822") }, []string{"guacd1:4822"}},
		{"another", func() error { return s.Drain(t.Context(), "guacd0:4822") }, []string{"guacd0:4822", "guacd1:4822"}},
		{"back", func() error { return s.Undrain(t.Context(), "guacd1:4822") }, []string{"guacd0:4822"}},
		{"back twice", func() error { return s.Undrain(t.Context(), "guacd1:4822") }, []string{"guacd0:4822"}},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got, err := s.Drains(t.Context()); err != nil || !slices.Equal(got, step.want) {
			t.Errorf("%s: %v, %v; want %v", step.name, got, err, step.want)
		}
	}
}
