// Addresses of 127.0.0.1 for the processes that cannot choose a port themselves.

package cluster

import (
	"net"
	"strings"
)

// freeAddresses are ports of 127.0.0.1 on which nobody listens, each another. The system hands
// out a port again only after many others, so that it is still free when its process asks for it.
func freeAddresses(count int) ([]string, error) {
	addresses := make([]string, count)
	for i := range addresses {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() // all of them at the end, or the same might come twice
		addresses[i] = listener.Addr().String()
	}
	return addresses, nil
}

func portOf(address string) string {
	return address[strings.LastIndexByte(address, ':')+1:]
}
