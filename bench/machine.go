package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine is what the numbers were measured on.
type machine struct {
	CPU    string  `json:"cpu"`
	Cores  int     `json:"cores"`
	Go     string  `json:"go"`
	Kernel string  `json:"kernel"`
	Date   string  `json:"date"`
	Load   float64 `json:"load_at_start"` // of others: runnable processes, mean of a minute
	SyncMS float64 `json:"disk_sync_ms"`  // to write 4 KiB and sync it, where the database lies
}

func thisMachine(dir string) (machine, error) {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), Date: time.Now().UTC().Format(time.RFC3339)}
	var system unix.Utsname
	if err := unix.Uname(&system); err != nil {
		return m, fmt.Errorf("uname: %w", err)
	}
	m.Kernel = unix.ByteSliceToString(system.Sysname[:]) + " " + unix.ByteSliceToString(system.Release[:])
	cpus, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m, err
	}
	m.CPU = modelName(cpus)
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return m, err
	}
	if _, err := fmt.Sscan(string(load), &m.Load); err != nil {
		return m, fmt.Errorf("/proc/loadavg: %w", err)
	}
	m.SyncMS, err = syncTime(dir)
	return m, err
}

// busy says that others take enough of the machine to be seen in the numbers.
func (m machine) busy() bool { return m.Load > float64(m.Cores)/4 }

func modelName(cpuinfo []byte) string {
	for line := range bytes.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH // not every architecture names its model
}

// syncTime is the median of writing a page and syncing it: a login commits
// several times, and each commit waits for the disk.
func syncTime(dir string) (ms float64, err error) {
	file, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	var times series
	for range 25 {
		started := time.Now()
		if _, err := file.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		times.add(milliseconds(time.Since(started)))
	}
	ms, err = median(times)
	return round(ms), err
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
