// The life of a process: started, waited for until it is ready, stopped.

package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"time"
)

// Process is a program that was started here, and is stopped here: it, by its id, and no other.
//
// Where the system can do it (Linux), it also dies with the test binary, however that ends: a
// panic and the timeout of `go test` run no deferred function.
type Process struct {
	Name string
	// Log holds what it wrote on standard output and standard error.
	Log Log

	command *exec.Cmd
	began   Mark          // where its own lines begin in the log
	exited  chan struct{} // closed once it has been waited for
}

// StartProcess runs a program in a directory of its own choosing, with nothing of the caller's
// environment but the search path: no proxy, no kubeconfig, no setting of the person who tests.
func StartProcess(name, dir, program string, arguments ...string) (*Process, error) {
	log := Log{filepath.Join(dir, name+".log")}
	// A program that is started again goes on in the log of its first time.
	output, err := os.OpenFile(log.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close() // the process has its own descriptor
	began, err := log.Mark()
	if err != nil {
		return nil, err
	}

	command := exec.Command(program, arguments...)
	command.Dir = dir
	command.Env = environment(dir)
	command.Stdout = output
	command.Stderr = output
	command.SysProcAttr = dyingWithParent()

	started := make(chan error)
	starts <- func() { started <- command.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}

	process := &Process{Name: name, Log: log, command: command, began: began, exited: make(chan struct{})}
	go func() {
		_ = command.Wait() // how it ended is in command.ProcessState
		close(process.exited)
	}()
	return process, nil
}

func environment(home string) []string {
	return []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
}

// starts are made by one thread that lives as long as the test binary. Linux ends a child when the
// thread that made it ends, and the threads of Go come and go.
var starts = func() chan<- func() {
	queue := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range queue {
			start()
		}
	}()
	return queue
}()

// Eventually asks as the function of that name does, but gives up at once if the process ended.
func (p *Process) Eventually(what string, ask func() error) error {
	var ended error
	err := Eventually(Patience, func() error {
		select {
		case <-p.exited:
			ended = fmt.Errorf("it ended: %v", p.command.ProcessState)
			return nil
		default:
			return ask()
		}
	})
	if err = errors.Join(ended, err); err != nil {
		return fmt.Errorf("%s: %s: %w; its last lines are:\n%s", p.Name, what, err, p.Log.Tail(20))
	}
	return nil
}

var announcement = regexp.MustCompile(`(?m)^https?://127\.0\.0\.1:[0-9]+$`)

// announcedURL waits for the line in which the process says where it listens.
func (p *Process) announcedURL() (string, error) {
	var url string
	err := p.Eventually("a line with its URL", func() error {
		text, err := p.Log.Since(p.began)
		if err != nil {
			return err
		}
		if url = announcement.FindString(text); url == "" {
			return errors.New("there is none yet")
		}
		return nil
	})
	return url, err
}

// Stop ends the process and waits until it is gone: first politely, then not.
func (p *Process) Stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(Patience):
	}
	p.Kill()
	return fmt.Errorf("%s did not end within %v of SIGTERM", p.Name, Patience)
}

// Kill ends the process without asking it, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // it may just have ended
	<-p.exited
}
