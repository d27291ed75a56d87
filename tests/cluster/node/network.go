// The network of the machine: one address, and no way out.

package node

import (
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
