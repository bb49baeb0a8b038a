package main

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestCPUOf compares the clock of this process with what getrusage says of it.
func TestCPUOf(t *testing.T) {
	before, err := cpuOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for spent := before; spent < before+50*time.Millisecond; {
		if spent, err = cpuOf(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	after, err := cpuOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	said := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	if difference := (said - after).Abs(); difference > 20*time.Millisecond {
		t.Errorf("the clock says %v, getrusage %v", after, said)
	}
	if _, err := cpuOf(1<<22 + 1); err == nil {
		t.Error("no error for a process that cannot be there")
	}
}

func TestRSSIn(t *testing.T) {
	for _, test := range []struct {
		name, status string
		want         float64
		fails        bool
	}{
		{"as Linux writes it", "Name:\tbench\nVmHWM:\t  9000 kB\nVmRSS:\t    8212 kB\nRssAnon:\t 100 kB\n", 8212, false},
		{"a zombie has none", "Name:\tbench\nState:\tZ (zombie)\n", 0, true},
		{"another unit", "VmRSS:\t 8 MB\n", 0, true},
		{"no number", "VmRSS:\t x kB\n", 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := rssIn([]byte(test.status))
			if got != test.want || (err != nil) != test.fails {
				t.Errorf("rssIn = %v, %v; want %v, failing %v", got, err, test.want, test.fails)
			}
		})
	}
	if kb, err := rssOf(os.Getpid()); err != nil || kb < 1000 {
		t.Errorf("this process has %v KiB, %v", kb, err)
	}
}
