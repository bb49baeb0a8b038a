package webroot

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func days(n int) (labels []string) {
	for i := range n {
		labels = append(labels, fmt.Sprint("day ", i+1))
	}
	return labels
}

func TestPlot(t *testing.T) {
	got := NewPlot([]float64{0, 3, 12}, days(3), days(3))
	want := Plot{Width: 720, Height: 240,
		Bars: []PlotBar{
			{X: 48, Y: 216, Width: 168, Height: 0, Label: "day 1"},
			{X: 272, Y: 174.4, Width: 168, Height: 41.6, Label: "day 2"},
			{X: 496, Y: 49.6, Width: 168, Height: 166.4, Label: "day 3"},
		},
		Lines: []PlotLine{{216, 0}, {146.7, 5}, {77.3, 10}, {8, 15}},
		Marks: []PlotMark{{132, "day 1"}, {356, "day 2"}, {580, "day 3"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlotOfAnyLength(t *testing.T) {
	for _, n := range []int{0, 1, 7, 30, 90, 365} {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i * i)
		}
		p := NewPlot(values, days(n), days(n))
		if len(p.Bars) != n || len(p.Marks) > plotMarks || n > 0 && p.Marks[len(p.Marks)-1].Text != fmt.Sprint("day ", n) {
			t.Errorf("%d days: %d bars, marks %v", n, len(p.Bars), p.Marks)
		}
		if len(p.Lines) < 2 || len(p.Lines) > 6 {
			t.Errorf("%d days: lines %v", n, p.Lines)
		}
		for _, bar := range p.Bars {
			if bar.X < plotLeft || bar.X+bar.Width > plotWidth || bar.Y < plotTop || bar.Height < 0 || bar.Y+bar.Height > plotHeight-plotBottom+0.1 {
				t.Errorf("%d days: a bar outside: %+v", n, bar)
			}
		}
	}
}

func TestSpark(t *testing.T) {
	got := NewSpark([]float64{0, 2, 1})
	want := []PlotBar{{X: 0, Y: 32, Width: 40}, {X: 53.3, Y: 0, Width: 40, Height: 32}, {X: 106.7, Y: 16, Width: 40, Height: 16}}
	if diff := cmp.Diff(want, got.Bars); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if flat := NewSpark([]float64{0, 0}); flat.Bars[1].Height != 0 {
		t.Errorf("nothing has a height: %+v", flat)
	}
}

func TestScale(t *testing.T) {
	for highest, want := range map[float64]string{0: "1 1", 1: "1 1", 4.2: "1 5", 5.1: "2 3", 24: "5 5", 26: "10 3", 99.5: "20 5", 8760: "2000 5"} {
		if step, lines := scale([]float64{0, highest}); fmt.Sprint(step, lines) != want {
			t.Errorf("%v: %v %v, want %s", highest, step, lines, want)
		}
	}
}
