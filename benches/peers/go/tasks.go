// Yields, lives and sleeps of goroutines.
package main

import (
	"fmt"
	"math/rand"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const longestPause = time.Second

// Starts `tasks` goroutines and waits until all have returned.
func spawnAllAndJoin(tasks int, body func()) {
	var all sync.WaitGroup
	all.Add(tasks)
	for i := 0; i < tasks; i++ {
		go func() {
			defer all.Done()
			body()
		}()
	}
	all.Wait()
}

func yields(tasks, each int) {
	var clock stopwatch
	var once sync.Once
	spawnAllAndJoin(tasks, func() {
		runtime.Gosched()
		// All goroutines have started.
		once.Do(func() { clock = start() })
		for i := 0; i < each; i++ {
			runtime.Gosched()
		}
	})
	clock.report("time", tasks*each)
}

// Does a round, and then as many as are asked for.
func rounds(tasks, each int, round func()) {
	cold := start()
	round()
	cold.report("cold", tasks)
	warm := start()
	for i := 0; i < each; i++ {
		round()
	}
	warm.report("warm", tasks*each)
}

func spawnAndJoin(tasks, each int) {
	rounds(tasks, each, func() { spawnAllAndJoin(tasks, func() {}) })
}

// There is no kill: each goroutine ends itself when the channel is closed that it waits for.
func parkAndKill(tasks, _ int) {
	alarm, never := make(chan struct{}), make(chan struct{})
	var alive, awake int64
	residentBefore := residentBytes()

	clock := start()
	for i := 0; i < tasks; i++ {
		go func() {
			atomic.AddInt64(&alive, 1)
			defer atomic.AddInt64(&alive, -1)
			<-alarm
			atomic.AddInt64(&awake, 1)
			<-never
		}()
	}
	yieldUntil(&alive, tasks)
	clock.report("spawn", tasks)
	fmt.Printf("resident %.2f\n", float64(residentBytes()-residentBefore)/float64(tasks))

	clock = start()
	close(alarm)
	yieldUntil(&awake, tasks)
	clock.report("wake", tasks)

	clock = start()
	close(never)
	yieldUntil(&alive, 0)
	clock.report("kill", tasks)
}

func yieldUntil(counter *int64, value int) {
	for atomic.LoadInt64(counter) != int64(value) {
		runtime.Gosched()
	}
}

func sleeps(tasks, each int) {
	var slept int64
	sleep := func() {
		time.Sleep(time.Duration(rand.Int63n(int64(longestPause))))
		atomic.AddInt64(&slept, 1)
	}
	rounds(tasks, each, func() { spawnAllAndJoin(tasks, sleep) })
	assert(slept == int64(tasks*(each+1)), "all slept")
}
