package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestFavourites(t *testing.T) {
	s := openNew(t, time.Now)
	marked := func(account string, want ...string) {
		t.Helper()
		got, err := s.Favourites(t.Context(), account)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s has %q, %v; want %q", account, got, err, want)
		}
	}
	do := func(what func() error) {
		t.Helper()
		if err := what(); err != nil {
			t.Error(err)
		}
	}
	marked("anna")
	do(func() error { return s.AddFavourite(t.Context(), "anna", "m01") })
	do(func() error { return s.AddFavourite(t.Context(), "anna", "m01") })
	do(func() error { return s.AddFavourite(t.Context(), "anna", "m02") })
	do(func() error { return s.AddFavourite(t.Context(), "bo", "m03") })
	marked("anna", "m01", "m02")
	marked("bo", "m03")
	do(func() error { return s.RemoveFavourite(t.Context(), "anna", "m01") })
	do(func() error { return s.RemoveFavourite(t.Context(), "anna", "m03") }) // somebody else's
	marked("anna", "m02")
	marked("bo", "m03")
}

func TestFavouritesHaveALimit(t *testing.T) {
	s := openNew(t, time.Now)
	for i := range maxFavourites {
		if err := s.AddFavourite(t.Context(), "anna", fmt.Sprintf("m%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddFavourite(t.Context(), "anna", "one-more"); !errors.Is(err, ErrNotFound) {
		t.Errorf("one more: %v", err)
	}
	if err := s.AddFavourite(t.Context(), "anna", "m0"); err != nil {
		t.Errorf("one of them again: %v", err)
	}
	if err := s.AddFavourite(t.Context(), "bo", "one-more"); err != nil {
		t.Errorf("somebody else's: %v", err)
	}
}
