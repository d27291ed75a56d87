// The one cluster of a run, and the few words that all tests use.

package cluster

import (
	"fmt"
	"os"
	"testing"
)

// shared is what all tests use: it is up before the first and down after the last.
var shared *Cluster

func TestMain(m *testing.M) {
	os.Exit(runWithCluster(m))
}

// runWithCluster keeps the directory, and shows the ends of the logs, when anything failed.
func runWithCluster(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "countersign-cluster-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared, err = Start(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the cluster does not start:", err)
		fmt.Fprintln(os.Stderr, "all logs are in", dir)
		return 1
	}

	code = m.Run()

	if code != 0 {
		fmt.Fprintln(os.Stderr, shared.Tails(20))
	}
	if err := shared.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "the cluster does not stop:", err)
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

// token is a new one of Alice's.
func token(t *testing.T, provider *Provider, resource string) string {
	t.Helper()
	token, err := provider.Token(resource)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// mark is where the log ends now.
func mark(t *testing.T, log Log) Mark {
	t.Helper()
	mark, err := log.Mark()
	if err != nil {
		t.Fatal(err)
	}
	return mark
}

// eachAPIServer runs a test once per version of the webhook's contract.
func eachAPIServer(t *testing.T, test func(t *testing.T, server *APIServer)) {
	for _, version := range webhookVersions {
		t.Run(version, func(t *testing.T) { test(t, shared.APIServers[version]) })
	}
}
