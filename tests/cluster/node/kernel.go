// Settings of the kernel that kubelet changes, and that no namespace holds.

package node

import (
	"errors"
	"os"
	"path/filepath"
)

type kernelSettings map[string][]byte

var kubeletsSettings = []string{
	"kernel/keys/root_maxbytes",
	"kernel/keys/root_maxkeys",
	"kernel/panic",
	"kernel/panic_on_oops",
	"vm/overcommit_memory",
	"vm/panic_on_oom",
}

func readKernelSettings() (kernelSettings, error) {
	settings := kernelSettings{}
	for _, name := range kubeletsSettings {
		value, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if err != nil {
			return nil, err
		}
		settings[name] = value
	}
	return settings, nil
}

func (s kernelSettings) restore() (all error) {
	for name, value := range s {
		all = errors.Join(all, os.WriteFile(filepath.Join("/proc/sys", name), value, 0o644))
	}
	return all
}
