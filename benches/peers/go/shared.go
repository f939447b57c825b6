// What goroutines do with each other: channels, locks, time limits.
package main

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const permits = 10
const unreached = 10 * time.Second

func pingPong(_, each int) {
	play(each, each)
}

func pingPongBounded(_, each int) {
	play(each, 1)
}

func play(each, room int) {
	served, returned := make(chan int, room), make(chan int, room)
	go func() {
		for ball := range served {
			returned <- ball
		}
	}()
	clock := start()
	for ball := 0; ball < each; ball++ {
		served <- ball
		assert(<-returned == ball, "the ball came back")
	}
	clock.report("time", each)
}

func fanIn(tasks, each int) {
	messages := make(chan int, tasks*each)
	clock := start()
	for i := 0; i < tasks; i++ {
		go func() {
			for number := 0; number < each; number++ {
				messages <- number
			}
		}()
	}
	sum := 0
	for i := 0; i < tasks*each; i++ {
		sum += <-messages
	}
	assert(sum == tasks*each*(each-1)/2, "all arrived")
	clock.report("time", tasks*each)
}

func mutexFree(tasks, each int) {
	lockOften(tasks, each, func() {})
}

func mutexHeld(tasks, each int) {
	lockOften(tasks, each, runtime.Gosched)
}

func lockOften(tasks, each int, hold func()) {
	var mutex sync.Mutex
	counter := 0
	clock := start()
	spawnAllAndJoin(tasks, func() {
		for i := 0; i < each; i++ {
			mutex.Lock()
			count := counter
			hold()
			counter = count + 1
			mutex.Unlock()
		}
	})
	assert(counter == tasks*each, "all was done")
	clock.report("time", tasks*each)
}

func semaphore(tasks, each int) {
	tokens := make(chan struct{}, permits)
	var visitors, done int64
	clock := start()
	spawnAllAndJoin(tasks, func() {
		for i := 0; i < each; i++ {
			tokens <- struct{}{}
			assert(atomic.AddInt64(&visitors, 1) <= permits, "as many holders as permits")
			runtime.Gosched()
			atomic.AddInt64(&visitors, -1)
			atomic.AddInt64(&done, 1)
			<-tokens
		}
	})
	assert(done == int64(tasks*each), "all was done")
	clock.report("time", tasks*each)
}

func limit(_, each int) {
	limitOften(each, func() {})
}

func limitedYield(_, each int) {
	limitOften(each, runtime.Gosched)
}

func limitOften(each int, work func()) {
	clock := start()
	for i := 0; i < each; i++ {
		limited, cancel := context.WithTimeout(context.Background(), unreached)
		work()
		assert(limited.Err() == nil, "it is in time")
		cancel()
	}
	clock.report("time", each)
}
