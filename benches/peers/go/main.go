// Goroutines as a rival: `go-peer WORK TASKS EACH` does one of the works that benches/README.md
// describes, on one processor, and prints its figures as `key CPU-time elapsed-time` in
// nanoseconds. It panics where the work was not done.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

var works = map[string]func(tasks, each int){
	"yields":            yields,
	"spawn_and_join":    spawnAndJoin,
	"park_and_kill":     parkAndKill,
	"kill_sockets":      killSockets,
	"ping_pong":         pingPong,
	"ping_pong_bounded": pingPongBounded,
	"fan_in":            fanIn,
	"mutex_free":        mutexFree,
	"mutex_held":        mutexHeld,
	"semaphore":         semaphore,
	"limit":             limit,
	"limited_yield":     limitedYield,
	"sleeps":            sleeps,
	"echo":              echo,
}

func main() {
	runtime.GOMAXPROCS(1)
	tasks, err := strconv.Atoi(os.Args[2])
	check(err)
	each, err := strconv.Atoi(os.Args[3])
	check(err)
	works[os.Args[1]](tasks, each)
}

type stopwatch struct {
	processor time.Duration
	elapsed   time.Time
}

func start() stopwatch {
	return stopwatch{processorTime(), time.Now()}
}

func (clock stopwatch) report(key string, operations int) {
	processor, elapsed := processorTime()-clock.processor, time.Since(clock.elapsed)
	each := func(span time.Duration) float64 { return float64(span) / float64(operations) }
	fmt.Printf("%s %.2f %.2f\n", key, each(processor), each(elapsed))
}

// User and system time of all threads of this process.
func processorTime() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func residentBytes() int {
	var size, resident int
	statm, err := os.ReadFile("/proc/self/statm")
	check(err)
	_, err = fmt.Sscan(string(statm), &size, &resident)
	check(err)
	return resident * os.Getpagesize()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func assert(holds bool, what string) {
	if !holds {
		panic("it does not hold: " + what)
	}
}
