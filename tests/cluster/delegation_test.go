// Delegated authentication, as aggregated API servers, kube-rbac-proxy and kubelets do it: their
// authenticator has tokens reviewed, by countersign as by kube-apiserver.

package cluster

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
)

func TestDelegatedAuthenticationIsTheSameAsAtKubernetes(t *testing.T) {
	var questions []question
	for _, token := range []string{
		"alice's token", "tampered token", "elsewhere token", "opaque token", "token of the builder",
		"token of Pod web", "token of Secret settings", "token of Node worker", "token for both",
	} {
		questions = append(questions, question{
			name: token,
			ask:  func(side *Side) (answer, error) { return delegate(side, side.Fill("{"+token+"}")) },
		})
	}
	questions = append(questions,
		question{name: "robot", ask: func(side *Side) (answer, error) { return delegate(side, RobotToken) }},
		question{
			name: "token for the vault",
			ask:  func(side *Side) (answer, error) { return delegate(side, side.Fill("{token for the vault}")) },
			but:  []difference{reasonInOwnWords},
		},
	)
	askBoth(t, questions)
}

// delegate authenticates a request with this token. The answer is written as a TokenReview would be
// that says the same.
func delegate(side *Side, token string) (answer, error) {
	client, err := side.Client(credential(side, "caller"))
	if err != nil {
		return nil, err
	}
	delegated, _, err := authenticatorfactory.DelegatingAuthenticatorConfig{
		TokenAccessReviewClient:  client.AuthenticationV1(),
		TokenAccessReviewTimeout: Patience,
		WebhookRetryBackoff:      &wait.Backoff{Steps: 1},
		CacheTTL:                 time.Second,
		APIAudiences:             authenticator.Audiences{Audience},
	}.New()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodGet, "https://aggregated.test", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, authenticated, failure := delegated.AuthenticateRequest(request)

	said := authenticationv1.TokenReview{Status: authenticationv1.TokenReviewStatus{Authenticated: authenticated}}
	said.Kind = "TokenReview"
	if failure != nil {
		said.Status.Error = failure.Error()
	}
	if response != nil {
		said.Status.Audiences = response.Audiences
		said.Status.User.Username = response.User.GetName()
		said.Status.User.UID = response.User.GetUID()
		said.Status.User.Groups = response.User.GetGroups()
		said.Status.User.Extra = map[string]authenticationv1.ExtraValue{}
		for key, values := range response.User.GetExtra() {
			said.Status.User.Extra[key] = values
		}
	}
	text, err := json.Marshal(said)
	return answer{{"authenticated", string(text)}}, err
}
