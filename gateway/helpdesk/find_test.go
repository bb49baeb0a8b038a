package helpdesk_test

import (
	"slices"
	"testing"

	"stagedoor/gateway/helpdesk"
	"stagedoor/store"
)

// While the directory is out, those are found who have logged in before, by the
// same texts; what the text may be, and how often, stays the same.
func TestFindWithoutDirectory(t *testing.T) {
	r := open(t)
	cecilia := r.id(t, "cecilia")
	for _, person := range []store.Person{
		{AccountID: cecilia, Domain: "AMIDO", Name: "cecilia", DisplayName: "Cecilia Lind", Mail: "c.lind@amido.example", Phone: "+46701740607"},
		{AccountID: "11111111-2222-3333-4444-555555555555", Domain: "AMIDO", Name: "lindvall", DisplayName: "Åke Lindvall"},
	} {
		if err := r.Store.PutPerson(t.Context(), person); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Store.AppendEvent(t.Context(), store.Event{Kind: "login", Result: "refused", AccountID: cecilia, RequestID: "R7K2M3N4"}); err != nil {
		t.Fatal(err)
	}
	if found, err := r.Find(t.Context(), r.agent, "cecilia"); err != nil || found.Incomplete || found.Remembered || len(found.People) != 1 {
		t.Errorf("with the directory: %+v, %v", found, err)
	}
	if err := r.people.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want []string
	}{
		{"Cecilia", []string{"cecilia"}}, {`amido\CECI`, []string{"cecilia"}}, {"c.lind@", []string{"cecilia"}}, {"lind", []string{"cecilia", "lindvall"}},
		{"lind cecilia", []string{"cecilia"}}, {"LIND åke", []string{"lindvall"}}, {"cecilia åke", nil}, {"lind amido.example", []string{"cecilia"}}, {"lind 1740607", []string{"cecilia"}},
		{`AMIDO\Åke Lind`, []string{"lindvall"}}, {"06 07 70 174", nil},
		{"070-174 06 07", []string{"cecilia"}}, {"+46701740607", []string{"cecilia"}}, {"0046 70 174 06 07", []string{"cecilia"}}, {"0607", []string{"cecilia"}},
		{"r7k2 m3n4", []string{"cecilia"}}, {"nobody", nil}, {"%%", nil}, {"0000", nil}, {"__", nil},
	} {
		found, err := r.Find(t.Context(), r.agent, c.text)
		var names []string
		for _, hit := range found.People {
			names = append(names, hit.Name)
		}
		if err != nil || !found.Incomplete || found.Remembered != (len(c.want) > 0) || len(names) != len(c.want) {
			t.Errorf("%q: %v, %+v, %v; want %v", c.text, names, found, err, c.want)
			continue
		}
		for i, name := range c.want {
			if names[i] != name {
				t.Errorf("%q finds %v, want %v", c.text, names, c.want)
			}
		}
	}
	if _, err := r.Find(t.Context(), r.agent, "x"); rule(err) != "text" {
		t.Errorf("a single letter: %v", err)
	}
}

// A number that only the portal knows finds its person, in any spelling, with the
// directory and without it; and what is shown is where codes go, whatever number
// found them.
func TestFindByOwnNumber(t *testing.T) {
	r := open(t)
	server := helpdesk.Agent{Name: "cli:root", Server: true}
	for name, number := range map[string]string{"cecilia": "070-174 06 33", "henrik": "+46701740644"} {
		if _, err := r.CorrectNumber(t.Context(), server, r.id(t, name), number, "ny telefon"); err != nil {
			t.Fatal(err)
		}
	}
	cecilia := store.Person{AccountID: r.id(t, "cecilia"), Domain: "AMIDO", Name: "cecilia", Phone: "+46701740607", PhoneSource: "directory"}
	if err := r.Store.PutPerson(t.Context(), cecilia); err != nil {
		t.Fatal(err)
	}
	type search struct {
		text string
		want []string
	}
	check := func(when string, searches []search) {
		t.Helper()
		for _, c := range searches {
			found, err := r.Find(t.Context(), r.agent, c.text)
			var got []string
			for _, hit := range found.People {
				got = append(got, hit.Name+" "+hit.Phone)
			}
			slices.Sort(got)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s %q finds %q, %v; want %q", when, c.text, got, err, c.want)
			}
		}
	}
	check("with the directory", []search{
		{"070-174 06 33", []string{"cecilia ••• 0633"}}, {"+46 (0)70 174 06 33", []string{"cecilia ••• 0633"}}, {"0633", []string{"cecilia ••• 0633"}},
		{"0046701740644", []string{"henrik ••• 0644"}}, {"0701740607", []string{"cecilia ••• 0633"}}, {"cecilia", []string{"cecilia ••• 0633"}},
		{"hanna", []string{"hanna "}}, {"174 06", []string{"cecilia ••• 0633", "henrik ••• 0644"}}, {"070-174 06 99", nil},
	})
	if err := r.people.Stop(); err != nil {
		t.Fatal(err)
	}
	check("without it", []search{{"070-174 06 33", []string{"cecilia ••• 0633"}}, {"cecilia", []string{"cecilia ••• 0633"}}, {"0701740644", nil}})
}
