package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPeople(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	date := clock.now().Add(time.Hour)
	asa := Person{AccountID: "1", Domain: "AMIDO", Name: "asa", DisplayName: "Åsa Öberg", Mail: "asa_o@amido.example", Phone: "+46701740607",
		PhoneSource: "directory", Factors: []string{"app", "sms"}, Policy: "voluntary", PolicyFrom: date, LastFactor: "app", LastLogin: clock.now(),
		Groups: []string{`AMIDO\Office`, "CN=Fältet,DC=amido"}, Strong: true, Lang: "fi"}
	bo := Person{AccountID: "2", Domain: "ALLIERA", Name: "bo", DisplayName: "Bo", Policy: "required"}
	for _, p := range []Person{asa, bo} {
		if err := s.PutPerson(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string][]string{
		"ÅSA": {"1"}, "öberg": {"1"}, `amido\asa`: {"1"}, "asa_o": {"1"}, "asaxo": nil, "%": nil, "0701740607": nil, "+4670": {"1"},
		"berg åsa": {"1"}, "åsa amido.example": {"1"}, " ÖBERG  asa_o@\t4070 ": nil, "åsa +4670": {"1"}, "åsa bo": nil, "o alli": {"2"},
		"b": {"1", "2"}, "": {"1", "2"}, `\`: {"1", "2"}, "'; DROP TABLE people; --": nil,
	} {
		var got []string
		found, err := s.FindPeople(t.Context(), text, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			got = append(got, p.AccountID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	// The password alone does not change what was proven last.
	next := asa
	next.LastFactor, next.LastLogin, next.Lang, next.DisplayName = "", time.Time{}, "", "Åsa Ny"
	if err := s.PutPerson(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	want := asa
	want.DisplayName = "Åsa Ny"
	got, err := s.FindPerson(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
