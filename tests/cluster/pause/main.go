// The container that holds the namespaces of a pod: it does nothing until it is told to end. With an
// address for an argument it also answers there, with the name of its host.
//
// It reaps no orphans, as none come here: pods of the tests share no process namespace.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	if len(os.Args) > 1 {
		go answer(os.Args[1])
	}
	<-end
}

func answer(address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	host, _ := os.Hostname() // it is only ever empty
	for {
		connection, err := listener.Accept()
		if err != nil {
			continue
		}
		fmt.Fprintln(connection, host)
		connection.Close()
	}
}
