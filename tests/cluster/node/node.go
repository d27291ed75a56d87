// The node: a cluster of one, how it comes up, and what runs in it.

package node

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"countersign.dev/tests/cluster"
)

// Name is what the node is called, and the machine in which it runs.
const Name = "node"

// Node is a control plane and the one node that belongs to it.
type Node struct {
	APIServer *cluster.Process

	dir       string
	tools     string // directory with what `make node` builds
	processes []*cluster.Process
}

// Start gives a node that is Ready, or as far as it came. It has to be called in a machine of its
// own, with which everything ends at the latest.
func Start(dir string) (*Node, error) {
	n := &Node{dir: dir}
	return n, n.start()
}

func (n *Node) start() error {
	for _, step := range []func() error{
		n.findTools,
		n.startEtcd,
		n.makeCertificates,
		func() error { return n.StartAPIServer("") },
		n.bindKubeletClient,
		n.startControllers,
		n.startContainerd,
		n.startKubelet,
		n.startProxy,
		n.awaitReadiness,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) findTools() (err error) {
	if n.tools, err = filepath.Abs("../bin"); err != nil {
		return err
	}
	// containerd looks for runc and its shim there, kubelet and kube-proxy for iptables.
	return os.Setenv("PATH", n.tools+":"+os.Getenv("PATH")+":/usr/sbin:/sbin")
}

// awaitReadiness also labels the node, as kubeadm would. Of the controllers it waits for a work of
// theirs: until all are there, they do not survive a restart of kube-apiserver.
func (n *Node) awaitReadiness() error {
	err := cluster.Eventually(cluster.Patience, func() error {
		_, err := n.Kubectl("label", "node", Name, "node-role.kubernetes.io/control-plane=")
		return err
	})
	if err != nil {
		return err
	}
	if _, err = n.Kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s"); err != nil {
		return err
	}
	_, err = n.Kubectl("wait", "--for=condition=Ready", "node/"+Name, "--timeout=60s")
	return err
}

// Kill ends what was started, each by its id, users before those whom they use. Asked to end,
// kube-apiserver would wait for whoever still watches. Pods that are left end with the machine.
func (n *Node) Kill() {
	for _, process := range slices.Backward(n.processes) {
		process.Kill()
	}
}

// Tails are the ends of all logs.
func (n *Node) Tails(lines int) string {
	var all string
	shown := map[cluster.Log]bool{}
	for _, process := range n.processes {
		if !shown[process.Log] {
			all += fmt.Sprintf("--- %s, its last %d lines\n%s", process.Name, lines, process.Log.Tail(lines))
		}
		shown[process.Log] = true
	}
	return all
}

func (n *Node) startProcess(name, program string, arguments ...string) (*cluster.Process, error) {
	process, err := cluster.StartProcess(name, n.dir, program, arguments...)
	if err == nil {
		n.processes = append(n.processes, process)
	}
	return process, err
}

// startComponent runs a component of Kubernetes.
func (n *Node) startComponent(name string, arguments ...string) (*cluster.Process, error) {
	return n.startProcess(name, n.tool("kubernetes"), append([]string{name}, arguments...)...)
}

// tool is a program that `make node` built.
func (n *Node) tool(name string) string { return filepath.Join(n.tools, name) }

func (n *Node) path(name string) string { return filepath.Join(n.dir, name) }
