// Goroutines that read sockets.
package main

import (
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

const address = "127.0.0.1:0"
const bufferBytes = 4096

// There is no kill: a goroutine ends itself when its socket is closed under it.
func killSockets(tasks, _ int) {
	farEnds, nearEnds := connectPairs(tasks)
	var alive int64
	var all sync.WaitGroup
	all.Add(tasks)
	for _, near := range nearEnds {
		go func(near net.Conn) {
			defer all.Done()
			atomic.AddInt64(&alive, 1)
			_, err := near.Read(make([]byte, 1))
			assert(err != nil, "nobody writes")
		}(near)
	}
	yieldUntil(&alive, tasks)

	clock := start()
	for _, near := range nearEnds {
		check(near.Close())
	}
	all.Wait()
	clock.report("time", tasks)

	for _, far := range farEnds {
		_, err := far.Read(make([]byte, 1))
		assert(err == io.EOF, "the near end was closed")
	}
}

func connectPairs(count int) (farEnds, nearEnds []net.Conn) {
	listener, err := net.Listen("tcp", address)
	check(err)
	for i := 0; i < count; i++ {
		far, err := net.Dial("tcp", listener.Addr().String())
		check(err)
		near, err := listener.Accept()
		check(err)
		farEnds, nearEnds = append(farEnds, far), append(nearEnds, near)
	}
	return farEnds, nearEnds
}

// Serves until it is ended from outside.
func echo(_, _ int) {
	listener, err := net.Listen("tcp", address)
	check(err)
	fmt.Println(listener.Addr())
	for {
		connection, err := listener.Accept()
		check(err)
		go echoOne(connection)
	}
}

func echoOne(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, bufferBytes)
	for {
		count, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:count]); err != nil {
			return
		}
	}
}
