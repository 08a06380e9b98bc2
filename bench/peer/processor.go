package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this process has used so far, its children that are done,
// and the process pid, if it is not 0.
func processorTime(pid int) (time.Duration, error) {
	total := time.Duration(0)
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		usage := unix.Rusage{}
		if err := unix.Getrusage(who, &usage); err != nil {
			return 0, err
		}
		total += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	if pid == 0 {
		return total, nil
	}
	other := unix.Timespec{}
	// The clock of another process, see clock_getcpuclockid(3).
	clock := int32(^pid<<3 | 2)
	if err := unix.ClockGettime(clock, &other); err != nil {
		return 0, err
	}
	return total + time.Duration(other.Nano()), nil
}
