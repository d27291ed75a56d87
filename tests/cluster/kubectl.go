// kubectl, as a person with a token runs it, and what it prints in the terms of Kubernetes.

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
)

// Said is how a run of kubectl ended, and what it printed.
type Said struct {
	Code           int
	Stdout, Stderr string
}

// Run runs kubectl as somebody, with something on standard input. It is no error if kubectl says
// that there is one.
func (e *Endpoint) Run(who Credential, input string, arguments ...string) (Said, error) {
	return runKubectl(e.home, input, slices.Concat([]string{
		"--server=https://" + e.Address,
		"--certificate-authority=" + e.Authority,
	}, who.flags(), arguments)...)
}

// RunWith runs kubectl with a kubeconfig that says all there is to say.
func (e *Endpoint) RunWith(kubeconfig string, arguments ...string) (Said, error) {
	return runKubectl(e.home, "", append([]string{"--kubeconfig=" + kubeconfig}, arguments...)...)
}

func runKubectl(home, input string, arguments ...string) (Said, error) {
	program, err := kubernetesPath()
	if err != nil {
		return Said{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()

	var stdout, stderr strings.Builder
	command := exec.CommandContext(ctx, program, append([]string{"kubectl"}, arguments...)...)
	command.Env = environment(home)
	command.Stdin = strings.NewReader(input)
	command.Stdout = &stdout
	command.Stderr = &stderr
	err = command.Run()
	said := Said{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		err = nil
	}
	return said, err
}

func (c Credential) flags() []string {
	switch {
	case c.Token != "":
		return []string{"--token=" + c.Token}
	case c.Certificate != "":
		return []string{"--client-certificate=" + c.Certificate, "--client-key=" + c.KeyFile}
	}
	return nil
}

// Kubectl runs kubectl as someone who has this token, and gives what it printed. The error has what
// it said on standard error.
func (e *Endpoint) Kubectl(token string, arguments ...string) (string, error) {
	return e.KubectlWithInput(token, "", arguments...)
}

// KubectlWithInput does so with something on standard input.
func (e *Endpoint) KubectlWithInput(token, input string, arguments ...string) (string, error) {
	said, err := e.Run(Credential{Token: token}, input, arguments...)
	if err == nil && said.Code != 0 {
		err = fmt.Errorf("exit code %d", said.Code)
	}
	if err != nil {
		return said.Stdout, fmt.Errorf("kubectl %s: %w: %s", strings.Join(arguments, " "), err, said.Stderr)
	}
	return said.Stdout, nil
}

// WhoAmI is whom the API server takes the bearer of the token for.
func (e *Endpoint) WhoAmI(token string) (*authenticationv1.UserInfo, error) {
	output, err := e.Kubectl(token, "auth", "whoami", "--output=json")
	if err != nil {
		return nil, err
	}
	var review authenticationv1.SelfSubjectReview
	if err := json.Unmarshal([]byte(output), &review); err != nil {
		return nil, fmt.Errorf("kubectl auth whoami printed %q: %w", output, err)
	}
	return &review.Status.UserInfo, nil
}

// Review has the API server review a token for other audiences than its own, as its
// administrator may.
func (e *Endpoint) Review(token string, audiences ...string) (*authenticationv1.TokenReviewStatus, error) {
	review := authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: audiences},
	}
	review.SetGroupVersionKind(authenticationv1.SchemeGroupVersion.WithKind("TokenReview"))
	input, err := json.Marshal(review)
	if err != nil {
		return nil, err
	}
	output, err := e.KubectlWithInput(AdminToken, string(input), "create", "--filename=-", "--output=json")
	if err != nil {
		return nil, err
	}
	review = authenticationv1.TokenReview{}
	if err := json.Unmarshal([]byte(output), &review); err != nil {
		return nil, fmt.Errorf("kubectl create printed %q: %w", output, err)
	}
	return &review.Status, nil
}
