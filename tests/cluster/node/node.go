// The node: a cluster of one, how it comes up, and what runs in it.

package node

import (
	"errors"
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

// Start gives a node that is Ready. It has to be called in a machine of its own, and everything ends
// with that machine.
func Start(dir string) (*Node, error) {
	tools, err := filepath.Abs("../bin")
	if err != nil {
		return nil, err
	}
	// containerd looks for runc and its shim there, kubelet and kube-proxy for iptables.
	path := tools + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin"
	if err := os.Setenv("PATH", path); err != nil {
		return nil, err
	}

	n := &Node{dir: dir, tools: tools}
	return n, n.start()
}

func (n *Node) start() error {
	for _, step := range []func() error{
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

// Stop ends the workloads' keepers and the control plane, each by its id. Pods that are still there
// end with the machine.
func (n *Node) Stop() error {
	var all error
	for _, process := range slices.Backward(n.processes) {
		all = errors.Join(all, process.Stop())
	}
	return all
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
