package webroot

import "math"

// Plot is a chart of bars, one for each day, as the numbers of an SVG: the
// server draws it, so that it is there without a script and takes no library.
// The template part "plot" writes it.
type Plot struct {
	Width, Height float64
	Bars          []PlotBar
	Lines         []PlotLine // across, each with its value
	Marks         []PlotMark // below, some of the days
}

// PlotBar is one day's; Label is what a pointer over it is told.
type PlotBar struct {
	X, Y, Width, Height float64
	Label               string
}

// PlotLine is a line across at a value.
type PlotLine struct {
	Y     float64
	Value int
}

// PlotMark is the name of a day below its bar.
type PlotMark struct {
	X    float64
	Text string
}

const (
	plotWidth, plotHeight = 720.0, 240.0
	plotLeft, plotBottom  = 48.0, 24.0 // for the values and the days
	plotTop               = 8.0
	plotMarks             = 7 // at most, so that they do not run into each other
)

// NewPlot draws values, none of them negative. labels are what each bar is
// called, marks what stands below it; both are as long as values.
func NewPlot(values []float64, labels, marks []string) Plot {
	p := Plot{Width: plotWidth, Height: plotHeight}
	step, lines := scale(values)
	top := step * float64(lines)
	floor := plotHeight - plotBottom
	y := func(value float64) float64 { return tenth(floor - value/top*(floor-plotTop)) }
	for i := range lines + 1 {
		value := step * float64(i)
		p.Lines = append(p.Lines, PlotLine{Y: y(value), Value: int(value)})
	}
	p.Bars = bars(values, plotLeft, plotWidth-plotLeft, func(value float64) (float64, float64) { return y(value), tenth(floor - y(value)) })
	every := (len(values) + plotMarks - 1) / plotMarks
	for i := range p.Bars {
		p.Bars[i].Label = labels[i]
		// Counted from the end: the newest day always has its name.
		if (len(values)-1-i)%every == 0 {
			p.Marks = append(p.Marks, PlotMark{X: tenth(p.Bars[i].X + p.Bars[i].Width/2), Text: marks[i]})
		}
	}
	return p
}

// NewSpark draws values small and bare, to stand beside their numbers.
func NewSpark(values []float64) Plot {
	const width, height = 160.0, 32.0
	top := 0.0
	for _, value := range values {
		top = max(top, value)
	}
	p := Plot{Width: width, Height: height}
	p.Bars = bars(values, 0, width, func(value float64) (float64, float64) {
		if top == 0 {
			return height, 0
		}
		h := tenth(value / top * height)
		return tenth(height - h), h
	})
	return p
}

// bars stand side by side from left, with a gap of a quarter between them.
func bars(values []float64, left, width float64, place func(value float64) (y, height float64)) []PlotBar {
	made := make([]PlotBar, len(values))
	each := width / float64(max(len(values), 1))
	for i, value := range values {
		y, height := place(value)
		made[i] = PlotBar{X: tenth(left + float64(i)*each), Y: y, Width: max(tenth(each*0.75), 0.5), Height: height}
	}
	return made
}

// scale is how far apart the lines are, 1, 2 or 5 and zeros, and how many it
// takes: from two to five, and the highest value is below the last.
func scale(values []float64) (step float64, lines int) {
	highest := 1.0
	for _, value := range values {
		highest = max(highest, value)
	}
	for power := 1.0; ; power *= 10 {
		for _, factor := range []float64{1, 2, 5} {
			step = factor * power
			if count := int(math.Ceil(highest / step)); count <= 5 {
				return step, max(count, 1)
			}
		}
	}
}

// tenth rounds to what an eye can see, so that the page stays small.
func tenth(x float64) float64 { return math.Round(x*10) / 10 }
