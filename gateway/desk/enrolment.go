package desk

import (
	"fmt"
	"net/http"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
	"stagedoor/store"
)

type enrolmentPage struct {
	deskPage
	Domains []factor.DomainEnrolment
	Domain  string // of the list below; empty: all
	Days    int    // what lately means
	People  []withoutRow
	Most    int  // that the page shows
	Cut     bool // there are more
}

type withoutRow struct {
	store.Person
	Must     bool // have one already
	MustFrom time.Time
}

const (
	latelyDays      = 30
	enrolmentShown  = 200
	enrolmentExport = 100_000
)

// enrolment shows how far each domain has come with second factors, and
// who has none.
func (p *Pages) enrolment(w http.ResponseWriter, v *portal.Visit) error {
	data := enrolmentPage{deskPage: p.deskPage(v, "title.admin.enrolment", "enrolment"), Days: latelyDays, Most: enrolmentShown,
		Domain: portal.Printable(v.URL.Query().Get("domain"), 64)}
	now := p.Now()
	var err error
	if data.Domains, err = p.Factors.EnrolmentByDomain(v.Context(), now.AddDate(0, 0, -latelyDays)); err != nil {
		return fmt.Errorf("enrolment: %w", err)
	}
	people, err := p.Factors.PeopleWithout(v.Context(), data.Domain, enrolmentShown+1)
	if err != nil {
		return fmt.Errorf("enrolment: %w", err)
	}
	if data.Cut = len(people) > enrolmentShown; data.Cut {
		people = people[:enrolmentShown]
	}
	for _, person := range people {
		data.People = append(data.People, without(person))
	}
	return p.Render(w, v, http.StatusOK, "admin-enrolment", data)
}

func without(person store.Person) withoutRow {
	row := withoutRow{Person: person, MustFrom: person.PolicyFrom}
	row.Must = person.Policy == string(factor.Required) && person.PolicyFrom.IsZero()
	return row
}

// exportEnrolment is who has no second factor, as a file.
func (p *Pages) exportEnrolment(w http.ResponseWriter, v *portal.Visit) error {
	people, err := p.Factors.PeopleWithout(v.Context(), portal.Printable(v.URL.Query().Get("domain"), 64), enrolmentExport)
	if err != nil {
		return fmt.Errorf("export enrolment: %w", err)
	}
	if err := p.AuditExport(v, "enrolment", len(people)); err != nil {
		return err
	}
	rows := [][]string{{"domain", "name", "display_name", "mail", "last_login", "policy", "required_from"}}
	for _, person := range people {
		rows = append(rows, []string{person.Domain, person.Name, person.DisplayName, person.Mail,
			dayOrNothing(person.LastLogin), person.Policy, dayOrNothing(person.PolicyFrom)})
	}
	return p.SendCSV(w, "without-second-factor-"+p.Now().Local().Format(time.DateOnly)+".csv", rows)
}

func dayOrNothing(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format(time.DateOnly)
}
