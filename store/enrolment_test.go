package store

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEnrolmentByDomain(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	now := clock.now()
	soon, later, past := now.AddDate(0, 0, 7), now.AddDate(0, 1, 0), now.AddDate(0, 0, -1)
	for _, p := range []Person{
		{AccountID: "1", Domain: "AMIDO", Name: "anna", Factors: []string{"sms", "app"}, Policy: "required", LastLogin: now},
		{AccountID: "2", Domain: "AMIDO", Name: "bo", Policy: "required", LastLogin: now.AddDate(0, 0, -60)},
		{AccountID: "3", Domain: "AMIDO", Name: "cia", Factors: []string{"backup"}, Policy: "voluntary", PolicyFrom: later, LastLogin: now},
		{AccountID: "4", Domain: "AMIDO", Name: "dag", Policy: "voluntary", PolicyFrom: soon},
		{AccountID: "5", Domain: "AMIDO", Name: "eva", Policy: "voluntary", PolicyFrom: past, LastLogin: now.Add(-time.Hour)},
		{AccountID: "6", Domain: "AMIDO", Name: "åke", Policy: "off", LastLogin: now.Add(-2 * time.Hour)},
		{AccountID: "7", Domain: "GUEST", Name: "x", Factors: []string{"key", "backup"}, Policy: "voluntary", PolicyFrom: soon},
	} {
		if err := s.PutPerson(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.EnrolmentByDomain(t.Context(), now.AddDate(0, 0, -30), now)
	if err != nil {
		t.Fatal(err)
	}
	want := []DomainEnrolment{
		{Domain: "AMIDO", People: 6, Lately: 4, Codes: 1, Apps: 1, Backups: 1, Without: 5, MustNow: 2, MustFrom: soon, MustLater: 2, NeverMust: 1},
		{Domain: "GUEST", People: 1, Keys: 1, Backups: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		domain string
		limit  int
		want   string
	}{{"", 10, "cia eva åke bo dag"}, {"AMIDO", 2, "cia eva"}, {"GUEST", 10, ""}} {
		people, err := s.PeopleWithout(t.Context(), c.domain, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range people {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%q, %d: %s; want %s", c.domain, c.limit, got, c.want)
		}
	}
}
