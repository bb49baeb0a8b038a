package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cpuOf is the CPU time, user and system, that all threads of a process have
// used, those that have ended included. The clock of another process is
// clock_getcpuclockid(3); it counts in nanoseconds, where /proc/PID/stat counts
// in hundredths of a second.
func cpuOf(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED of linux/posix-timers_types.h
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// rssOf is the resident memory of a process in KiB.
func rssOf(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return rssIn(text)
}

func rssIn(status []byte) (float64, error) {
	for line := range bytes.Lines(status) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == "VmRSS:" && string(fields[2]) == "kB" {
			return strconv.ParseFloat(string(fields[1]), 64)
		}
	}
	return 0, fmt.Errorf("no VmRSS in the status of the process")
}
