package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/store"
	"stagedoor/webroot"
)

type usagePage struct {
	adminPage
	Days    int
	Choices []int
	Target  string // id; empty: all
	Name    string // of the target
	Over    useWords
	Plot    webroot.Plot
	Table   []useRow // by day, the newest first
	Targets []useRow // by target, the most used first
	Export  string   // address of the file
}

// useRow is the use of a day or of a target.
type useRow struct {
	Day       time.Time
	ID, Name  string
	Use       useWords
	Spark     *webroot.Plot
	NoLonger  bool // the target is not on the list
	FilterURL string
}

// useWords is a use with its time as people read it.
type useWords struct {
	store.Use
	Hours, Minutes int
}

func words(u store.Use) useWords {
	minutes := (u.Seconds + 30) / 60
	return useWords{u, minutes / 60, minutes % 60}
}

// sparks is how many targets get a small chart: those that are used most.
const sparks = 12

func usageChoices() []int { return []int{7, 30, 90, 365} }

// period is what of the usage is asked for: days that end today, all targets or
// one. What is none of the choices is the usual one.
type period struct {
	days        int
	first, last time.Time // noon, so that no change of the clock moves a day
	target      string
}

func (p *Pages) period(query url.Values) period {
	asked := period{days: 30, target: portal.Printable(query.Get("target"), 64)}
	for _, choice := range usageChoices() {
		if query.Get("days") == strconv.Itoa(choice) {
			asked.days = choice
		}
	}
	y, m, d := p.Now().Local().Date()
	asked.last = time.Date(y, m, d, 12, 0, 0, 0, time.Local)
	asked.first = asked.last.AddDate(0, 0, 1-asked.days)
	return asked
}

func (a period) from() string { return a.first.Format(time.DateOnly) }
func (a period) to() string   { return a.last.Format(time.DateOnly) }

func (a period) query() string {
	return url.Values{"days": {strconv.Itoa(a.days)}, "target": {a.target}}.Encode()
}

// adminUsage shows how much the targets are used.
func (p *Pages) adminUsage(w http.ResponseWriter, v *portal.Visit) error {
	asked := p.period(v.URL.Query())
	data := usagePage{adminPage: p.adminPage(v, "usage", "title.admin.usage"), Days: asked.days, Choices: usageChoices(),
		Target: asked.target, Name: p.nameOf(asked.target), Export: "/admin/usage.csv?" + asked.query()}
	over, err := p.Store.UsageOver(v.Context(), asked.from(), asked.to(), asked.target)
	if err != nil {
		return fmt.Errorf("usage: %w", err)
	}
	data.Over = words(over)
	days, err := p.Store.UsageByDay(v.Context(), asked.from(), asked.to(), asked.target)
	if err != nil {
		return fmt.Errorf("usage: %w", err)
	}
	data.Plot, data.Table = p.plotted(v.Lang, asked, days)
	if data.Targets, err = p.usedTargets(v, asked); err != nil {
		return fmt.Errorf("usage: %w", err)
	}
	return p.Render(w, v, http.StatusOK, "admin-usage", data)
}

// plotted draws the hours of each day, also of those without any, and lists
// them, the newest first.
func (p *Pages) plotted(lang string, asked period, days []store.DayUse) (webroot.Plot, []useRow) {
	found := map[string]store.Use{}
	for _, d := range days {
		found[d.Day] = d.Use
	}
	hours := make([]float64, asked.days)
	labels, marks := make([]string, asked.days), make([]string, asked.days)
	table := make([]useRow, asked.days)
	for i := range asked.days {
		day := asked.first.AddDate(0, 0, i)
		use := found[day.Format(time.DateOnly)]
		hours[i] = float64(use.Seconds) / 3600
		row := useRow{Day: day, Use: words(use)}
		labels[i] = p.Site.Date(lang, day) + ": " + p.Site.T(lang, "span.worked", "hours", row.Use.Hours, "minutes", row.Use.Minutes)
		marks[i] = fmt.Sprintf("%d/%d", day.Day(), day.Month())
		table[asked.days-1-i] = row
	}
	return webroot.NewPlot(hours, labels, marks), table
}

// usedTargets are the targets that were used at all; those used most have a
// small chart of the days.
func (p *Pages) usedTargets(v *portal.Visit, asked period) ([]useRow, error) {
	used, err := p.Store.UsageByTarget(v.Context(), asked.from(), asked.to())
	if err != nil {
		return nil, err
	}
	rows := make([]useRow, len(used))
	for i, u := range used {
		row := useRow{ID: u.Target, Name: p.nameOf(u.Target), Use: words(u.Use)}
		if row.NoLonger = row.Name == ""; row.NoLonger {
			row.Name = u.Target
		}
		only := asked
		only.target = u.Target
		row.FilterURL = "/admin/usage?" + only.query()
		if i < sparks {
			days, err := p.Store.UsageByDay(v.Context(), asked.from(), asked.to(), u.Target)
			if err != nil {
				return nil, err
			}
			row.Spark = sparkOf(asked, days)
		}
		rows[i] = row
	}
	return rows, nil
}

func sparkOf(asked period, days []store.DayUse) *webroot.Plot {
	seconds := map[string]int{}
	for _, d := range days {
		seconds[d.Day] = d.Seconds
	}
	values := make([]float64, asked.days)
	for i := range values {
		values[i] = float64(seconds[asked.first.AddDate(0, 0, i).Format(time.DateOnly)])
	}
	spark := webroot.NewSpark(values)
	return &spark
}

// nameOf is what people call a target; "" when it is not on the list.
func (p *Pages) nameOf(id string) string {
	t, _ := p.Targets.List().Named(id)
	return t.Name
}

// exportUsage is the usage by target and day, as a file.
func (p *Pages) exportUsage(w http.ResponseWriter, v *portal.Visit) error {
	asked := p.period(v.URL.Query())
	uses, err := p.Store.UsageByTargetAndDay(v.Context(), asked.from(), asked.to(), asked.target)
	if err != nil {
		return fmt.Errorf("export usage: %w", err)
	}
	if err := p.AuditExport(v, "usage", len(uses)); err != nil {
		return err
	}
	rows := [][]string{{"day", "target", "name", "desktops", "seconds", "people"}}
	for _, u := range uses {
		rows = append(rows, []string{u.Day, u.Target, p.nameOf(u.Target), strconv.Itoa(u.Desktops), strconv.Itoa(u.Seconds), strconv.Itoa(u.People)})
	}
	return p.SendCSV(w, "usage-"+asked.from()+"-"+asked.to()+".csv", rows)
}
