// The etcd of the tests: one member, with the server's own packages.

package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
)

// etcd is a single member for a test: no TLS, and no fsync, because its data never outlives it.
//
// Its address may have port 0. The first line on standard output is the URL at which clients find
// it, written once it is ready for them.
func etcd() int {
	flags := flag.NewFlagSet("etcd", flag.ExitOnError)
	dir := flags.String("data", "", "directory for its data")
	address := flags.String("listen", "127.0.0.1:0", "address for clients")
	_ = flags.Parse(os.Args[1:]) // ExitOnError

	config := embed.NewConfig()
	config.Dir = *dir
	config.LogLevel = "warn"
	config.UnsafeNoFsync = true
	config.ListenClientUrls = []url.URL{{Scheme: "http", Host: *address}}
	config.AdvertiseClientUrls = config.ListenClientUrls
	config.ListenPeerUrls = nil // it has no peers

	server, err := embed.StartEtcd(config)
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
	defer server.Close()

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	select {
	case <-server.Server.ReadyNotify():
		fmt.Printf("http://%s\n", server.Clients[0].Addr())
	case <-stop:
		return 0
	}

	select {
	case err := <-server.Err():
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	case <-stop:
		return 0
	}
}
