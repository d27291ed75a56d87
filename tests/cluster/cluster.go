// What the tests share: how it is brought up, and how it ends.
//
// Every process is on one list, from its start on. So whatever fails, all of them can be stopped.

package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Audience is what the API servers call themselves, unless a test says otherwise.
const Audience = "https://kubernetes.default.svc.cluster.local"

var webhookVersions = []string{"v1", "v1beta1"}

// Cluster is everything that the tests share, running.
type Cluster struct {
	// Provider issues the tokens of most tests.
	Provider *Provider
	// Rotating is a second provider, for tests that take its keys away.
	Rotating *Provider

	Countersign *Countersign

	// APIServers has one for each version in which they can speak to the webhook: v1 and v1beta1.
	APIServers map[string]*APIServer

	dir       string
	etcd      string
	processes []*Process // in the order of their start
}

// Start brings all of it up, in a directory of the caller's. What was started before a failure is
// stopped again.
func Start(dir string) (*Cluster, error) {
	c := &Cluster{dir: dir, APIServers: map[string]*APIServer{}}
	if err := c.start(); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) start() (err error) {
	if c.Provider, err = c.startProvider("provider"); err != nil {
		return err
	}
	if c.Rotating, err = c.startProvider("rotating"); err != nil {
		return err
	}
	if c.Countersign, err = c.StartCountersign("countersign", c.Provider.Trusted(), c.Rotating.Trusted()); err != nil {
		return err
	}
	if c.etcd, err = c.startEtcd(); err != nil {
		return err
	}
	for _, version := range webhookVersions {
		if c.APIServers[version], err = c.StartAPIServer(version, version, Audience); err != nil {
			return err
		}
		if err = c.APIServers[version].Populate(); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends what Start started, users before those whom they use. It says which process did not
// go when it was asked to.
func (c *Cluster) Stop() error {
	var all error
	for _, process := range slices.Backward(c.processes) {
		all = errors.Join(all, process.Stop())
	}
	return all
}

// Tails are the ends of all logs.
func (c *Cluster) Tails(lines int) string {
	var all string
	shown := map[Log]bool{} // a program that was started again has but one
	for _, process := range c.processes {
		if shown[process.Log] {
			continue
		}
		shown[process.Log] = true
		all += fmt.Sprintf("--- %s, its last %d lines\n%s", process.Name, lines, process.Log.Tail(lines))
	}
	return all
}

func (c *Cluster) path(name string) string { return filepath.Join(c.dir, name) }

func (c *Cluster) startProcess(name, program string, arguments ...string) (*Process, error) {
	process, err := StartProcess(name, c.dir, program, arguments...)
	if err == nil {
		c.processes = append(c.processes, process)
	}
	return process, err
}

// startComponent runs a component of Kubernetes under a name that says which of several it is.
func (c *Cluster) startComponent(name, component string, arguments ...string) (*Process, error) {
	program, err := kubernetesPath()
	if err != nil {
		return nil, err
	}
	return c.startProcess(name, program, append([]string{component}, arguments...)...)
}

// kubernetesPath is the program that is every component of Kubernetes (see kubernetes/main.go).
func kubernetesPath() (string, error) {
	return builtFile("bin/kubernetes")
}

// builtFile is the whole path of something that has to be made before the tests run.
func builtFile(path string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(whole); err != nil {
		return "", fmt.Errorf("%w (`make test-cluster` makes it)", err)
	}
	return whole, nil
}
