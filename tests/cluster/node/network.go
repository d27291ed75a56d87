// The network of the machine: one address, and no way out.

package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Address is the node's own, where kube-apiserver listens. 127.0.0.1 is there as well.
const Address = "10.99.0.1"

// makeNetwork gives the machine an interface. kubeadm refuses loopback addresses, and looks for one
// at the default route, which leads nowhere. A bridge without ports is the device that any kernel
// has that can run a node.
func makeNetwork() error {
	for _, arguments := range []string{
		"link set lo up",
		"link add eth0 type bridge",
		"address add " + Address + "/24 dev eth0",
		"link set eth0 up",
		"route add default dev eth0",
	} {
		if output, err := exec.Command("ip", strings.Fields(arguments)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", arguments, err, output)
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}

// writeNames has the machine know its own name, and ask nobody about others: those whom the machine
// outside asks cannot be reached, and a program would wait for them.
func writeNames() error {
	hosts := "127.0.0.1 localhost\n::1 localhost\n" + Address + " " + Name + "\n"
	return errors.Join(
		os.WriteFile("/etc/hosts", []byte(hosts), 0o644),
		os.WriteFile("/etc/resolv.conf", nil, 0o644),
	)
}
