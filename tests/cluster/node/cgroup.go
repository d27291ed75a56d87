// The cgroups of the node, below one of its own in every hierarchy: the one thing that the pods
// share with the machine outside, which can have no hierarchies of its own.

package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"countersign.dev/tests/cluster"
)

const cgroups = "/sys/fs/cgroup"

// hierarchies are all of version 1, or else the one of version 2.
func hierarchies() ([]string, error) {
	if isCgroup(cgroups) {
		return []string{cgroups}, nil
	}
	entries, err := os.ReadDir(cgroups)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		// A link is a second name, such as cpu for cpu,cpuacct.
		if path := filepath.Join(cgroups, entry.Name()); entry.IsDir() && isCgroup(path) {
			found = append(found, path)
		}
	}
	return found, nil
}

func isCgroup(path string) bool {
	_, err := os.Stat(filepath.Join(path, "cgroup.procs"))
	return err == nil
}

func makeCgroups(name string) error {
	all, err := hierarchies()
	for _, hierarchy := range all {
		err = errors.Join(err, os.Mkdir(filepath.Join(hierarchy, name), 0o755))
	}
	return err
}

// removeCgroups waits for those who are just ending.
func removeCgroups(name string) error {
	all, err := hierarchies()
	for _, hierarchy := range all {
		err = errors.Join(err, cluster.Eventually(cluster.Patience, func() error {
			return removeCgroup(filepath.Join(hierarchy, name))
		}))
	}
	return err
}

func removeCgroup(path string) error {
	var directories []string
	err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			directories = append(directories, path)
		}
		return err
	})
	// The files of a cgroup go with it, and cannot be removed by themselves.
	for _, directory := range slices.Backward(directories) {
		err = errors.Join(err, os.Remove(directory))
	}
	return err
}
