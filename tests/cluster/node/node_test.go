// The one node of a run, and what all its tests use.

package node

import (
	"fmt"
	"os"
	"testing"
)

// shared is up before the first test and down after the last; nil where there can be none.
var shared *Node

func TestMain(m *testing.M) {
	if reason := unavailable(); reason != "" {
		fmt.Println("the tests of a node are skipped:", reason)
		os.Exit(m.Run())
	}
	os.Exit(runInMachine(func(dir string) int { return runWithNode(m, dir) }))
}

func runWithNode(m *testing.M, dir string) (code int) {
	var err error
	if shared, err = Start(dir); err != nil {
		fmt.Fprintln(os.Stderr, "the node does not start:", err)
		fmt.Fprintln(os.Stderr, shared.Tails(10))
		return 1
	}
	code = m.Run()
	if code != 0 {
		fmt.Fprintln(os.Stderr, shared.Tails(20))
	}
	if err := shared.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "the node does not stop:", err)
		code = 1
	}
	return code
}

// sharedNode is the node, or the end of a test that cannot have one.
func sharedNode(t *testing.T) *Node {
	t.Helper()
	if shared == nil {
		t.Skip(unavailable())
	}
	return shared
}
