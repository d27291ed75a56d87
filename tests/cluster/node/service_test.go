// That the node is one: pods, Services and evictions work before countersign comes to it.

package node

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"countersign.dev/tests/cluster"
)

const echo = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo}
spec:
  replicas: 2
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: echo
        image: ` + PauseImage + `
        args: [":8080"]
        readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: echo}
spec:
  clusterIP: 10.96.0.77
  selector: {app: echo}
  ports: [{port: 80, targetPort: 8080}]
`

func TestServiceReachesThePodsOfADeployment(t *testing.T) {
	node := sharedNode(t)
	if _, err := node.KubectlWithInput(echo, "apply", "--filename=-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := node.KubectlWithInput(echo, "delete", "--filename=-", "--ignore-not-found"); err != nil {
			t.Error(err)
		}
	})
	if _, err := node.Kubectl("rollout", "status", "deployment/echo", "--timeout=60s"); err != nil {
		t.Fatal(err)
	}

	answered := map[string]bool{}
	err := cluster.Eventually(cluster.Patience, func() error {
		pod, err := readFrom("10.96.0.77:80")
		if err != nil {
			return err
		}
		answered[pod] = true
		if len(answered) < 2 {
			return fmt.Errorf("only %v answered", answered)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	t.Run("until the node is drained", func(t *testing.T) {
		t.Cleanup(func() {
			if _, err := node.Kubectl("uncordon", Name); err != nil {
				t.Error(err)
			}
		})
		if _, err := node.Kubectl("drain", Name, "--ignore-daemonsets", "--timeout=60s"); err != nil {
			t.Fatal(err)
		}
		err := cluster.Eventually(cluster.Patience, func() error {
			pods, err := node.Kubectl("get", "pods", "--selector=app=echo", "--output=jsonpath={.items[*].status.phase}")
			if err == nil && strings.Contains(pods, "Running") {
				err = fmt.Errorf("the pods are %s", pods)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// readFrom is what a server says without being asked, in a line.
func readFrom(address string) (string, error) {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	text, err := io.ReadAll(connection)
	return strings.TrimSpace(string(text)), err
}
