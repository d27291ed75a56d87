// kubectl, as a person with a token runs it, and what it prints in the terms of Kubernetes.

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
)

// Kubectl runs kubectl as someone who has this token, and gives what it printed. The error has what
// it said on standard error.
func (s *APIServer) Kubectl(token string, arguments ...string) (string, error) {
	return s.KubectlWithInput(token, "", arguments...)
}

// KubectlWithInput does so with something on standard input.
func (s *APIServer) KubectlWithInput(token, input string, arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()

	home := filepath.Dir(s.certificate)
	var stdout, stderr strings.Builder
	command := exec.CommandContext(ctx, s.kubectl, append([]string{
		"kubectl",
		"--server=https://" + s.address,
		"--certificate-authority=" + s.certificate,
		"--token=" + token,
	}, arguments...)...)
	command.Env = environment(home)
	command.Stdin = strings.NewReader(input)
	command.Stdout = &stdout
	command.Stderr = &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(arguments, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// WhoAmI is whom the API server takes the bearer of the token for.
func (s *APIServer) WhoAmI(token string) (*authenticationv1.UserInfo, error) {
	output, err := s.Kubectl(token, "auth", "whoami", "--output=json")
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
func (s *APIServer) Review(token string, audiences ...string) (*authenticationv1.TokenReviewStatus, error) {
	review := authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: audiences},
	}
	review.SetGroupVersionKind(authenticationv1.SchemeGroupVersion.WithKind("TokenReview"))
	input, err := json.Marshal(review)
	if err != nil {
		return nil, err
	}
	output, err := s.KubectlWithInput(AdminToken, string(input), "create", "--filename=-", "--output=json")
	if err != nil {
		return nil, err
	}
	review = authenticationv1.TokenReview{}
	if err := json.Unmarshal([]byte(output), &review); err != nil {
		return nil, fmt.Errorf("kubectl create printed %q: %w", output, err)
	}
	return &review.Status, nil
}
