// An upgrade with another configuration and another image, and the way back, while tokens are
// reviewed all the time.

package node

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const reviewsPerSecond = 50

func testUpgrade(t *testing.T, installation *Installation) {
	expectNoFailure := reviewAllTheTime(t, installation)

	if err := installation.Upgrade(valuesOf(t, installation, SecondTag, secondPrefix)); err != nil {
		t.Fatal(err)
	}
	if err := installation.ExpectAlice(secondPrefix); err != nil {
		t.Error(err)
	}
	if err := installation.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := installation.ExpectAlice(firstPrefix); err != nil {
		t.Error(err)
	}

	expectNoFailure()
}

// reviewAllTheTime begins to ask, in each of the ways in which someone could notice that a pod goes:
// through kube-apiserver, and as it does, and on ever new connections. What it gives stops them, and
// expects that every review was answered well.
func reviewAllTheTime(t *testing.T, installation *Installation) (expectNoFailure func()) {
	t.Helper()
	kubeAPIServer, err := NewAPIServerReviewer()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := NewWebhookReviewer(webhookKubeconfig, KeptConnection)
	if err != nil {
		t.Fatal(err)
	}
	new, err := NewWebhookReviewer(webhookKubeconfig, NewConnections)
	if err != nil {
		t.Fatal(err)
	}
	loads := []*Load{
		StartLoad("through kube-apiserver", reviewsPerSecond, kubeAPIServer, installation.Issuer),
		StartLoad("on one connection", reviewsPerSecond, kept, installation.Issuer),
		StartLoad("on new connections", reviewsPerSecond, new, installation.Issuer),
	}
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		for _, load := range loads {
			asked, failed := load.Stop()
			t.Logf("%s: %d reviews, %d failed", load.Name, asked, len(failed))
			if len(failed) > 0 {
				t.Errorf("%s: %s", load.Name, moments(failed))
			}
		}
	}
	t.Cleanup(stop) // where the test ends before its time
	return stop
}

// moments says when reviews failed, and why the first did of those that failed together.
func moments(failed []Failure) string {
	const together = 100 * time.Millisecond
	var all strings.Builder
	for len(failed) > 0 {
		count := 1
		for count < len(failed) && failed[count].At.Sub(failed[count-1].At) < together {
			count++
		}
		fmt.Fprintf(&all, "\n%d at %s, the first %v", count, failed[0].At.Format("15:04:05.000"), failed[0].Err)
		failed = failed[count:]
	}
	return all.String()
}
