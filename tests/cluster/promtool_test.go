// Prometheus' own judgement of /metrics: names, units, help.

package cluster

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestPromtoolFindsNothingWrong needs promtool, from Debian's package prometheus. CI installs it, and
// so fails without it.
func TestPromtoolFindsNothingWrong(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("promtool is not installed: apt-get install prometheus")
	} else if err != nil {
		t.Fatal(err)
	}
	metrics, err := shared.Countersign.get("/metrics")
	if err != nil {
		t.Fatal(err)
	}
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(metrics)
	if said, err := check.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, said)
	}
}
