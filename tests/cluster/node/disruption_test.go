// Pods that go: of a sudden, and because the node is to be emptied.

package node

import (
	"strings"
	"testing"
)

func testKilledPod(t *testing.T, installation *Installation) {
	pods, err := installation.Pods()
	if err != nil {
		t.Fatal(err)
	}
	if len(pods) != installation.mode.Replicas {
		t.Fatalf("the pods are %v", pods)
	}
	if err := installation.node.KillContainer(Namespace, pods[0]); err != nil {
		t.Fatal(err)
	}
	if err := installation.AwaitRestart(pods[0]); err != nil {
		t.Fatal(err)
	}
	if err := installation.ExpectAlice(firstPrefix); err != nil {
		t.Error(err)
	}
}

// There is no other node to go to, so one pod has to stay.
func testDrain(t *testing.T, installation *Installation) {
	node := installation.node
	expectNoFailure := reviewAllTheTime(t, installation)
	t.Cleanup(func() {
		if _, err := node.Kubectl("uncordon", Name); err != nil {
			t.Error(err)
		}
		if err := installation.AwaitPods(installation.mode.Replicas); err != nil {
			t.Error(err)
		}
	})

	_, err := node.Kubectl("drain", Name, "--ignore-daemonsets", "--timeout=30s",
		"--pod-selector=app.kubernetes.io/instance="+installation.Name)
	if err == nil {
		t.Fatal("it is drained to the last pod")
	}
	if words := "violate the pod's disruption budget"; !strings.Contains(err.Error(), words) {
		t.Fatalf("it does not say %q: %v", words, err)
	}
	if err := installation.AwaitPods(1); err != nil {
		t.Error(err)
	}
	if err := installation.ExpectAlice(firstPrefix); err != nil {
		t.Error(err)
	}

	expectNoFailure()
}
