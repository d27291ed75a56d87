// Ending with the test binary, on Linux.

package cluster

import "syscall"

// dyingWithParent has the kernel end the process when the thread that started it ends.
func dyingWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
