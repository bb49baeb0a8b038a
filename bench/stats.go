package main

import (
	"errors"
	"math"
	"slices"
)

var errNoValues = errors.New("nothing was measured")

// quantile is the value below which the share q of the values lies (nearest
// rank). The values need not be sorted.
func quantile(values []float64, q float64) (float64, error) {
	if len(values) == 0 {
		return 0, errNoValues
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)], nil
}

// median is the middle value, or between the two that are in the middle.
func median(values []float64) (float64, error) {
	if len(values) == 0 {
		return 0, errNoValues
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle], nil
	}
	return (sorted[middle-1] + sorted[middle]) / 2, nil
}

// series collects one number a round.
type series []float64

func (s *series) add(value float64) { *s = append(*s, value) }

// sum is a series as it is reported.
func (s series) sum() (figure, error) {
	middle, err := median(s)
	if err != nil {
		return figure{}, err
	}
	return figure{Median: round(middle), Least: round(slices.Min(s)), Most: round(slices.Max(s))}, nil
}

// figure is the median over the rounds, and how far they lay apart.
type figure struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

// round keeps four significant digits: no more is true of any number here.
func round(value float64) float64 {
	if value == 0 || math.IsInf(value, 0) || math.IsNaN(value) {
		return value
	}
	scale := math.Pow(10, 4-math.Ceil(math.Log10(math.Abs(value))))
	return math.Round(value*scale) / scale
}
