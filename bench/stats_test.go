package main

import (
	"errors"
	"math"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"one", []float64{7}, 7},
		{"odd, unsorted", []float64{9, 1, 5}, 5},
		{"even: between the two in the middle", []float64{4, 1, 3, 2}, 2.5},
		{"one far out does not count", []float64{1, 2, 1000}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := median(test.values); err != nil || got != test.want {
				t.Errorf("median(%v) = %v, %v; want %v", test.values, got, err, test.want)
			}
		})
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i) // 100 to 1
	}
	for _, test := range []struct {
		name   string
		values []float64
		q      float64
		want   float64
	}{
		{"half of a hundred", hundred, 0.5, 50},
		{"99th of a hundred", hundred, 0.99, 99},
		{"least", hundred, 0, 1},
		{"most", hundred, 1, 100},
		{"99th of three is the most", []float64{3, 1, 2}, 0.99, 3},
		{"one", []float64{4}, 0.5, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := append([]float64(nil), test.values...)
			if got, err := quantile(test.values, test.q); err != nil || got != test.want {
				t.Errorf("quantile(%v) = %v, %v; want %v", test.q, got, err, test.want)
			}
			for i := range before {
				if before[i] != test.values[i] {
					t.Fatal("the values were sorted in place")
				}
			}
		})
	}
}

// TestNothingMeasured: no values are an error, never a zero in a table.
func TestNothingMeasured(t *testing.T) {
	if _, err := median(nil); !errors.Is(err, errNoValues) {
		t.Errorf("median of nothing: %v", err)
	}
	if _, err := quantile(nil, 0.5); !errors.Is(err, errNoValues) {
		t.Errorf("quantile of nothing: %v", err)
	}
	if _, err := (series)(nil).sum(); !errors.Is(err, errNoValues) {
		t.Errorf("sum of nothing: %v", err)
	}
}

func TestSeries(t *testing.T) {
	var s series
	for _, value := range []float64{3.00049, 1, 20000.4} {
		s.add(value)
	}
	got, err := s.sum()
	if want := (figure{Median: 3, Least: 1, Most: 20000}); err != nil || got != want {
		t.Errorf("sum = %+v, %v; want %+v", got, err, want)
	}
}

func TestRound(t *testing.T) {
	for _, test := range []struct{ value, want float64 }{
		{0, 0}, {1, 1}, {0.27654321, 0.2765}, {-0.27654321, -0.2765}, {12345.678, 12350}, {999999, 1000000}, {math.Inf(1), math.Inf(1)},
	} {
		if got := round(test.value); got != test.want {
			t.Errorf("round(%v) = %v, want %v", test.value, got, test.want)
		}
	}
}
