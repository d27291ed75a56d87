// Programs that are run to their end, such as kubectl and Helm.

package node

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"

	"countersign.dev/tests/cluster"
)

// commandPatience is how long a program may take that waits for something itself, and has a limit
// of its own for that.
const commandPatience = 5 * time.Minute

// run gives what a program printed on standard output. The error has what it said on standard
// error.
func (n *Node) run(program string, arguments ...string) (string, error) {
	return n.runWithInput("", program, arguments...)
}

func (n *Node) runWithInput(input, program string, arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandPatience)
	defer cancel()

	var stdout, stderr strings.Builder
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = n.dir
	command.Env = []string{"HOME=" + n.dir, "PATH=" + os.Getenv("PATH")}
	command.Stdin = strings.NewReader(input)
	command.Stdout = &stdout
	command.Stderr = &stderr
	if err := command.Run(); err != nil {
		what := filepath.Base(program) + " " + strings.Join(arguments, " ")
		return stdout.String(), fmt.Errorf("%s: %w: %s%s", what, err, stderr.String(), stdout.String())
	}
	return stdout.String(), nil
}

// Kubectl runs kubectl as the administrator.
func (n *Node) Kubectl(arguments ...string) (string, error) {
	return n.KubectlWithInput("", arguments...)
}

// KubectlWithInput does so with something on standard input.
func (n *Node) KubectlWithInput(input string, arguments ...string) (string, error) {
	arguments = append([]string{"kubectl", "--kubeconfig=" + adminKubeconfig}, arguments...)
	return n.runWithInput(input, n.tool("kubernetes"), arguments...)
}

// KubectlAs runs kubectl as someone who has this token, and nothing else.
func (n *Node) KubectlAs(token string, arguments ...string) (string, error) {
	return n.run(n.tool("kubernetes"), append([]string{
		"kubectl",
		"--server=https://" + Address + ":6443",
		"--certificate-authority=/etc/kubernetes/pki/ca.crt",
		"--token=" + token,
	}, arguments...)...)
}

// WhoAmI is whom the API server takes the bearer of the token for.
func (n *Node) WhoAmI(token string) (*authenticationv1.UserInfo, error) {
	output, err := n.KubectlAs(token, "auth", "whoami", "--output=json")
	if err != nil {
		return nil, err
	}
	var review authenticationv1.SelfSubjectReview
	if err := json.Unmarshal([]byte(output), &review); err != nil {
		return nil, fmt.Errorf("kubectl auth whoami printed %q: %w", output, err)
	}
	return &review.Status.UserInfo, nil
}

// ExpectUser asks who the bearer of a token is until it is this one, each time with a new token.
func (n *Node) ExpectUser(name string, newToken func() (string, error)) error {
	return cluster.Eventually(cluster.Patience, func() error {
		token, err := newToken()
		if err != nil {
			return err
		}
		user, err := n.WhoAmI(token)
		if err == nil && user.Username != name {
			err = fmt.Errorf("it is %q, not %q", user.Username, name)
		}
		return err
	})
}
