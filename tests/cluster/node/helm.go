// Helm, and what it says about a release.

package node

import (
	"os"
	"path/filepath"
)

// Release is a chart, installed or to be installed under a name.
type Release struct {
	Name, Namespace string
	Chart           string // directory

	node *Node
}

// Release gives one that is not yet installed.
func (n *Node) Release(name, namespace, chart string) *Release {
	return &Release{name, namespace, chart, n}
}

// Install installs the chart with these values (YAML), and waits until all of it is ready.
func (r *Release) Install(values string, arguments ...string) error {
	return r.apply("install", values, append(arguments, "--create-namespace")...)
}

// Upgrade does so with a release that is already installed. Values that are not given are the
// chart's.
func (r *Release) Upgrade(values string, arguments ...string) error {
	return r.apply("upgrade", values, append(arguments, "--reset-values")...)
}

func (r *Release) apply(verb, values string, arguments ...string) error {
	file, err := r.writeValues(values)
	if err != nil {
		return err
	}
	arguments = append([]string{verb, r.Name, r.Chart, "--values=" + file, "--wait", "--timeout=2m"}, arguments...)
	_, err = r.helm(arguments...)
	return err
}

// Template is what a template of the chart makes of these values.
func (r *Release) Template(template, values string) (string, error) {
	file, err := r.writeValues(values)
	if err != nil {
		return "", err
	}
	return r.helm("template", r.Name, r.Chart, "--values="+file, "--show-only="+template)
}

func (r *Release) writeValues(values string) (string, error) {
	file := filepath.Join(r.node.dir, r.Name+".values.yaml")
	return file, os.WriteFile(file, []byte(values), 0o600)
}

// Rollback goes back to the revision before this one.
func (r *Release) Rollback() error {
	_, err := r.helm("rollback", r.Name, "--wait", "--timeout=2m")
	return err
}

// Test runs the chart's own tests.
func (r *Release) Test() (string, error) {
	return r.helm("test", r.Name, "--timeout=2m", "--logs")
}

// Notes are what Helm tells the person who installed it.
func (r *Release) Notes() (string, error) { return r.helm("get", "notes", r.Name) }

// Manifest is what Helm applied.
func (r *Release) Manifest() (string, error) { return r.helm("get", "manifest", r.Name) }

// Uninstall waits until all of it is gone.
func (r *Release) Uninstall() error {
	_, err := r.helm("uninstall", r.Name, "--wait", "--timeout=2m")
	return err
}

func (r *Release) helm(arguments ...string) (string, error) {
	arguments = append(arguments, "--kubeconfig="+adminKubeconfig, "--namespace="+r.Namespace)
	return r.node.run(r.node.tool("helm"), arguments...)
}
