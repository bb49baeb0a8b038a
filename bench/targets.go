package main

// target is something that the product's relay is to reach.
type target struct {
	Name     string   `json:"target"`
	Measured *float64 `json:"measured"` // null: not measured
	Limit    float64  `json:"limit"`
	AtLeast  bool     `json:"at_least"` // otherwise the limit is the most
	Verdict  string   `json:"verdict"`  // met, missed or not measured
}

const goneTarget = "stalled reader gone, s"

// targets judges the run. A ratio is the median over the rounds of the ratio
// of two relays that were measured one after the other.
func (r *tunnelRun) targets() []target {
	ours := func(key string) *float64 { return r.rounds["stagedoor"][key].median() }
	stalledMB := ours("stalled_kb")
	if stalledMB != nil {
		mb := round(*stalledMB * 1024 / 1e6)
		stalledMB = &mb
	}
	all := []target{
		{Name: "mixed CPU, stagedoor / haproxy", Measured: r.ratio("stagedoor", "haproxy", "mixed_cpu_s_per_gb"), Limit: 1.0},
		{Name: "mixed CPU, stagedoor / iocopy", Measured: r.ratio("stagedoor", "iocopy", "mixed_cpu_s_per_gb"), Limit: 1.15},
		{Name: "mixed CPU, wwtguac / stagedoor", Measured: r.ratio("wwtguac", "stagedoor", "mixed_cpu_s_per_gb"), Limit: 20, AtLeast: true},
		{Name: "mixed CPU, guacamolelite / stagedoor", Measured: r.ratio("guacamolelite", "stagedoor", "mixed_cpu_s_per_gb"), Limit: 7, AtLeast: true},
		{Name: "small CPU, wwtguac / stagedoor", Measured: r.ratio("wwtguac", "stagedoor", "small_cpu_s_per_gb"), Limit: 40, AtLeast: true},
		{Name: "idle desktop, KiB", Measured: ours("idle_kb"), Limit: 25},
		{Name: "idle desktop over TLS, KiB", Measured: ours("idle_tls_kb"), Limit: 40},
		{Name: "stalled reader, MB", Measured: stalledMB, Limit: 1},
		{Name: goneTarget, Measured: ours("stalled_gone_s"), Limit: 15},
		{Name: "added latency p50, stagedoor / haproxy", Measured: r.ratio("stagedoor", "haproxy", "latency_p50_us"), Limit: 1.3},
		{Name: "latency p50 as it is, stagedoor / haproxy", Measured: r.ratio("stagedoor", "haproxy", "through_p50_us"), Limit: 1.3},
		{Name: "2,000 idle desktops over TLS, MB", Measured: ours("many_rss_mb"), Limit: 200},
		{Name: "2,000 idle desktops over TLS, % of a core", Measured: ours("many_cpu_percent"), Limit: 15},
	}
	for i := range all {
		all[i].judge()
		// It was watched, and did not go: that is no lack of a number.
		if all[i].Name == goneTarget && all[i].Measured == nil && stalledMB != nil {
			all[i].Verdict = "missed"
		}
	}
	return all
}

func (t *target) judge() {
	switch {
	case t.Measured == nil:
		t.Verdict = "not measured"
	case t.AtLeast && *t.Measured >= t.Limit, !t.AtLeast && *t.Measured <= t.Limit:
		t.Verdict = "met"
	default:
		t.Verdict = "missed"
	}
}

// ratio is null unless both were measured in every round.
func (r *tunnelRun) ratio(over, under, key string) *float64 {
	a, b := r.rounds[over][key], r.rounds[under][key]
	if len(a) != len(b) {
		return nil
	}
	var ratios series
	for i := range a {
		ratios.add(a[i] / b[i])
	}
	return ratios.median()
}
