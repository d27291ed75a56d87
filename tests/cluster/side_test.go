// Asking two servers the same, and comparing all that they answer.
//
// The differences that are meant are the ones of the README, each a function here. Everything else
// that differs is a mistake.
//
//	SUBJECT=kube-apiserver go test -run SameAs .
//
// puts a second kube-apiserver in the place of countersign: what fails then is wrong in the comparison.

package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// question is asked of both.
type question struct {
	name string
	ask  func(side *Side) (answer, error)
	// but has the differences that are meant in the answers to this question.
	but []difference
}

// answer is what a server said, in parts.
type answer []part

type part struct{ name, text string }

// difference changes the answer of one side to what it were, did the side not differ.
type difference func(side *Side, document *yaml.Node)

// everywhere are the differences that are meant in every answer.
var everywhere = []difference{tokenIsNotEchoed, audiencesBesideAnError, oneReason}

// askBoth asks each question of both, and expects the same answers.
func askBoth(t *testing.T, questions []question) {
	t.Helper()
	sides, err := bothSides()
	if err != nil {
		t.Fatal(err)
	}
	for _, question := range questions {
		t.Run(question.name, func(t *testing.T) {
			t.Parallel()
			var said [2]string
			for i, side := range sides {
				asked := time.Now()
				answer, err := question.ask(side)
				if err != nil {
					t.Fatalf("%s: %v", side.Address, err)
				}
				said[i] = normal(side, answer, asked, question.but)
			}
			oracle, subject := said[0], said[1]
			if oracle != subject {
				t.Errorf("(-kube-apiserver +countersign)\n%s\nkube-apiserver says\n%s\ncountersign says\n%s",
					cmp.Diff(strings.Split(oracle, "\n"), strings.Split(subject, "\n")), oracle, subject)
			}
		})
	}
}

func normal(side *Side, answer answer, asked time.Time, but []difference) string {
	var all strings.Builder
	for _, part := range answer {
		fmt.Fprintf(&all, "--- %s\n%s\n", part.name, side.Normal(part.text, asked, func(document *yaml.Node) {
			for _, difference := range append(everywhere, but...) {
				difference(side, document)
			}
		}))
	}
	return all.String()
}

// tokenIsNotEchoed: countersign answers a TokenReview with the spec, but without the token in it.
func tokenIsNotEchoed(side *Side, document *yaml.Node) {
	if side.Kubernetes && isKind(document, "TokenReview") {
		drop(member(document, "spec"), "token")
	}
}

// audiencesBesideAnError: countersign gives the audiences that were wanted, so that an API server
// that asks it keeps the error.
func audiencesBesideAnError(side *Side, document *yaml.Node) {
	if !side.Kubernetes && isKind(document, "TokenReview") && member(document, "status", "error") != nil {
		drop(member(document, "status"), "audiences")
	}
}

// oneReason: kube-apiserver joins what all of its authenticators have to say. One is countersign, and
// the others do not know its tokens.
func oneReason(side *Side, document *yaml.Node) {
	if !side.Kubernetes || !isKind(document, "TokenReview") {
		return
	}
	if reason := member(document, "status", "error"); reason != nil {
		if last, joined := strings.CutPrefix(reason.Value, "[invalid bearer token, "); joined {
			reason.Value = strings.TrimSuffix(last, "]")
		}
	}
}

func isKind(document *yaml.Node, kind string) bool {
	found := member(document, "kind")
	return found != nil && found.Value == kind
}

// bothSides are kube-apiserver and then countersign, each with the tokens that questions can name.
var bothSides = sync.OnceValues(func() ([]*Side, error) {
	sides := []*Side{shared.APIServers["v1"].Side, shared.Countersign.Side}
	if os.Getenv("SUBJECT") == "kube-apiserver" {
		sides[1] = shared.APIServers["v1beta1"].Side
	}
	alice, err := shared.Provider.Token(Kubernetes)
	if err != nil {
		return nil, err
	}
	tampered, err := WithClaim(alice, "groups", []string{"system:masters"})
	if err != nil {
		return nil, err
	}
	elsewhere, err := shared.Provider.Token(Elsewhere)
	if err != nil {
		return nil, err
	}
	opaque, err := shared.Provider.Token(Nowhere)
	if err != nil {
		return nil, err
	}
	for _, side := range sides {
		side.Tokens = map[string]string{
			"alice's token":   alice,
			"tampered token":  tampered,
			"elsewhere token": elsewhere,
			"opaque token":    opaque,
		}
		if err := issueTokens(side); err != nil {
			return nil, err
		}
	}
	return sides, nil
})

// issueTokens adds the side's own: of the builder, as such and bound to each kind of object, and one
// for another audience.
func issueTokens(side *Side) error {
	client, err := side.Client(credential(side, "caller"))
	if err != nil {
		return err
	}
	accounts := client.CoreV1().ServiceAccounts(Namespace)
	specs := map[string]authenticationv1.TokenRequestSpec{
		"token of the builder": {},
		"token for the vault":  {Audiences: []string{"vault"}},
		"token for both":       {Audiences: []string{"vault", Audience}},
	}
	for _, object := range []string{"Pod web", "Pod waiting", "Pod stray", "Secret settings", "Node worker"} {
		kind, name, _ := strings.Cut(object, " ")
		specs["token of "+object] = authenticationv1.TokenRequestSpec{
			BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: kind, Name: name},
		}
	}
	for name, spec := range specs {
		request := &authenticationv1.TokenRequest{Spec: spec}
		answer, err := accounts.CreateToken(context.Background(), "builder", request, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("%s: %s: %w", side.Address, name, err)
		}
		side.Tokens[name] = answer.Status.Token
	}
	return nil
}

// credential is what somebody shows at a side: a person's name, or that of a token.
func credential(side *Side, who string) Credential {
	switch who {
	case "caller":
		return Credential{Token: CallerToken}
	case "caller with a certificate":
		return shared.Countersign.Certified
	case "robot":
		return Credential{Token: RobotToken}
	case "stranger":
		return Credential{Token: "c3RyYW5nZXIgdGhhbiBmaWN0aW9u"}
	case "nobody":
		return Credential{}
	}
	token, known := side.Tokens[who]
	if !known {
		panic("nobody is called " + who)
	}
	return Credential{Token: token}
}
