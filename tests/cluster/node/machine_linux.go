// A machine inside the machine: namespaces of its own, and the test binary once more as the first
// process in them.
//
// That nothing is left is the kernel's promise, and no matter of order: with the first process of a
// PID namespace, however it ends, end all the others in it, and with the last of them its network
// and its mounts. What namespaces do not cover, the outer process puts back: cgroups, a few
// settings of the kernel, a directory.

package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
)

// directoryVariable tells the inner process that it is one, and where its directory is.
const directoryVariable = "COUNTERSIGN_NODE_DIRECTORY"

// unavailable says why there can be no machine here; nothing if there can.
func unavailable() string {
	switch {
	case os.Getenv("NODE") == "off":
		return "NODE=off"
	case os.Geteuid() != 0:
		return "a node needs root"
	}
	return ""
}

// runInMachine gives the exit code of a function that runs in a new machine, with a directory of
// its own that both machines know by the same path. It is kept when the code is not 0.
func runInMachine(run func(dir string) int) int {
	if dir := os.Getenv(directoryVariable); dir != "" {
		if err := furnish(dir); err != nil {
			fmt.Fprintln(os.Stderr, "the machine cannot be set up:", err)
			return 1
		}
		return run(dir)
	}

	dir, err := os.MkdirTemp("", "countersign-node-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code, err := runAgain(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the machine:", err)
		code = 1
	}
	if code != 0 {
		fmt.Fprintln(os.Stderr, "all logs are in", dir)
		return code
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

// runAgain runs the same program with the same arguments as the first process of new namespaces.
func runAgain(dir string) (code int, err error) {
	settings, err := readKernelSettings()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, settings.restore()) }()
	if err := makeCgroups(filepath.Base(dir)); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, removeCgroups(filepath.Base(dir))) }()

	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	defer signal.Stop(interrupts)

	command := exec.Command("/proc/self/exe", os.Args[1:]...)
	command.Env = append(os.Environ(), directoryVariable+"="+dir)
	command.Stdout = os.Stdout
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS |
			syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig: syscall.SIGKILL,
	}
	runtime.LockOSThread() // whose end Pdeathsig waits for
	if err := command.Start(); err != nil {
		return 1, err
	}

	ended := make(chan error)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case interrupt := <-interrupts:
			fmt.Fprintln(os.Stderr, "the machine ends:", interrupt)
			_ = command.Process.Kill() // it may just have ended
		case err := <-ended:
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				return max(1, exit.ExitCode()), nil // -1 after a signal
			}
			return 0, err
		}
	}
}

// furnish makes the namespaces look like a freshly installed machine. What is written below /etc,
// /usr, /var and /run from now on is written into the directory, or gone with the namespaces.
func furnish(dir string) error {
	for _, name := range []string{"etc", "etc.work", "usr", "usr.work", "var", "var.work", "containerd", "kubelet"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	mounts := []struct {
		source, target, filesystem string
		flags                      uintptr
		options                    string
	}{
		{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE, ""},
		{"proc", "/proc", "proc", 0, ""},
		{"run", "/run", "tmpfs", 0, "mode=755"},
		{"etc", "/etc", "overlay", 0, overlay("/etc", dir)},
		{"usr", "/usr", "overlay", 0, overlay("/usr", dir)}, // for controllers that make plugin directories
		{"var", "/var", "overlay", 0, overlay("/var", dir)},
		// The layers of containers are overlays themselves, which cannot lie on another.
		{filepath.Join(dir, "containerd"), "/var/lib/containerd", "", syscall.MS_BIND, ""},
		{filepath.Join(dir, "kubelet"), "/var/lib/kubelet", "", syscall.MS_BIND, ""},
		// Volumes that ask for it see what is mounted later.
		{"", "/", "", syscall.MS_REC | syscall.MS_SHARED, ""},
	}
	for _, mount := range mounts {
		if mount.flags == syscall.MS_BIND {
			if err := os.MkdirAll(mount.target, 0o755); err != nil {
				return err
			}
		}
		err := syscall.Mount(mount.source, mount.target, mount.filesystem, mount.flags, mount.options)
		if err != nil {
			return fmt.Errorf("mount %s: %w", mount.target, err)
		}
	}
	if err := syscall.Sethostname([]byte(Name)); err != nil {
		return err
	}
	return errors.Join(makeNetwork(), writeNames())
}

func overlay(lower, dir string) string {
	upper := filepath.Join(dir, filepath.Base(lower))
	return fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s.work", lower, upper, upper)
}

// bindMount shows a file or directory of the machine at another path too.
func bindMount(source, target string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	return syscall.Mount(source, target, "", syscall.MS_BIND, "")
}

// unmount takes that away again.
func unmount(target string) error { return syscall.Unmount(target, 0) }
