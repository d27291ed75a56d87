//go:build !linux

// Ending with the test binary, where there is no such thing.

package cluster

import "syscall"

// dyingWithParent can do nothing here: after a panic the processes must be ended by hand.
func dyingWithParent() *syscall.SysProcAttr { return nil }
