// Tokens that countersign issued, in the hands of others: kube-apiserver, which asks the webhook, a
// second countersign and a program that knows OpenID Connect, which both ask for the keys.

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/coreos/go-oidc"
	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// revocation is how soon a token is no good any more that is bound to what is gone.
const revocation = 2 * time.Second

func TestIssuedTokenIsGoodAtTheAPIServerUntilItsPodIsGone(t *testing.T) {
	eachAPIServer(t, func(t *testing.T, server *APIServer) {
		pod := newPod(t)
		seen, unseen := pod.token(t, Audience), pod.token(t, Audience)

		user, err := server.WhoAmI(seen)
		if err != nil {
			t.Fatal(err)
		}
		jwt, err := ReadJWT(seen)
		if err != nil {
			t.Fatal(err)
		}
		const username = "system:serviceaccount:" + Namespace + ":builder"
		expectUser(t, *user, authenticationv1.UserInfo{
			Username: IssuedPrefix + username,
			UID:      string(shared.Countersign.Objects["ServiceAccount builder"]),
			Groups: []string{
				IssuedPrefix + "system:serviceaccounts",
				IssuedPrefix + "system:serviceaccounts:" + Namespace,
				"system:authenticated",
			},
			// What it is bound to is no object of this cluster.
			Extra: map[string]authenticationv1.ExtraValue{credentialID: {"JTI=" + jwt.Claims.ID}},
		})

		pod.remove(t)
		// The API server remembers for ten seconds whom it let in, but only for the same audiences.
		asked := 0
		err = Eventually(revocation, func() error {
			asked++
			status, err := server.Review(seen, Audience, fmt.Sprintf("https://%d.test", asked))
			if err == nil && status.Authenticated {
				err = errors.New("the token is still good")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		before := mark(t, server.Log)
		expectUnauthorized(t, server, unseen)
		if _, err := server.Log.AwaitLine(before, "Unable to authenticate the request",
			shared.Countersign.Issuer+": ", "token has been invalidated"); err != nil {
			t.Error(err)
		}
	})
}

// A countersign that trusts another's keys does not know its objects: the API reference warns of that,
// and so does the README.
func TestSecondCountersignKnowsTheKeysOfTheFirstButNotItsPods(t *testing.T) {
	const audience = "https://second.test"
	first := shared.Countersign
	second, err := shared.StartCountersign("second", TrustedIssuer{
		Issuer: first.Issuer, Authority: first.Authority, Audience: audience, UsernameClaim: "sub", Prefix: "first:",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.Stop(); err != nil {
			t.Error(err)
		}
	})
	pod := newPod(t)
	seen, unseen := pod.token(t, audience), pod.token(t, audience)
	expectSubject := func(token string) {
		t.Helper()
		status := reviewAt(t, second.Side, token)
		want := "first:system:serviceaccount:" + Namespace + ":builder"
		if !status.Authenticated || status.User.Username != want || !slices.Equal(status.Audiences, []string{Audience}) {
			t.Errorf("not %s: %+v", want, status)
		}
	}

	expectSubject(seen)
	pod.remove(t)
	err = Eventually(revocation, func() error {
		if status := reviewAt(t, first.Side, seen, audience); status.Authenticated {
			return errors.New("the token is still good")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	expectSubject(seen)
	expectSubject(unseen)
}

func TestStrangersVerifyIssuedTokensByDiscovery(t *testing.T) {
	client, err := httpsClient(shared.Countersign.Authority)
	if err != nil {
		t.Fatal(err)
	}
	ctx := oidc.ClientContext(context.Background(), client)
	provider, err := oidc.NewProvider(ctx, shared.Countersign.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: "vault", SupportedSigningAlgs: []string{oidc.ES256}})

	pod := newPod(t)
	token, err := verifier.Verify(ctx, pod.token(t, "vault"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "system:serviceaccount:" + Namespace + ":builder"; token.Subject != want {
		t.Errorf("it is %q, not %q", token.Subject, want)
	}
	if _, err := verifier.Verify(ctx, pod.token(t, "elsewhere")); err == nil {
		t.Error("a token for elsewhere is accepted")
	}
}

// pod is one of the builder's that only countersign knows, for one test.
type pod struct{ name, uid string }

var podCount int

// newPod writes a manifest, and waits until tokens can be bound to what it says.
func newPod(t *testing.T) pod {
	t.Helper()
	podCount++
	pod := pod{fmt.Sprintf("passing-%d", podCount), fmt.Sprintf("00000000-0000-4000-9000-%012d", podCount)}
	manifest := fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: %s, uid: %s}
spec: {serviceAccountName: builder, nodeName: worker}
`, pod.name, Namespace, pod.uid)
	if _, err := WriteObject(shared.Countersign.ObjectsDir, manifest); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(pod.manifest()) })
	err := Eventually(revocation, func() error {
		_, err := pod.request(Audience)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

func (p pod) manifest() string { return ObjectFile(shared.Countersign.ObjectsDir, "Pod", p.name) }

func (p pod) request(audience string) (string, error) {
	client, err := shared.Countersign.Client(Credential{Token: CallerToken})
	if err != nil {
		return "", err
	}
	request, err := client.CoreV1().ServiceAccounts(Namespace).CreateToken(context.Background(), "builder",
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
			Audiences:      []string{audience},
			BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: p.name},
		}}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return request.Status.Token, nil
}

// token is a new one, bound to the pod.
func (p pod) token(t *testing.T, audience string) string {
	t.Helper()
	token, err := p.request(audience)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// remove takes the manifest away.
func (p pod) remove(t *testing.T) {
	t.Helper()
	if err := os.Remove(p.manifest()); err != nil {
		t.Fatal(err)
	}
}

// reviewAt has a token reviewed by a server itself.
func reviewAt(t *testing.T, side *Side, token string, audiences ...string) authenticationv1.TokenReviewStatus {
	t.Helper()
	client, err := side.Client(Credential{Token: CallerToken})
	if err != nil {
		t.Fatal(err)
	}
	review, err := client.AuthenticationV1().TokenReviews().Create(context.Background(),
		&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: audiences}},
		metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return review.Status
}

func expectUser(t *testing.T, user, want authenticationv1.UserInfo) {
	t.Helper()
	if difference := cmp.Diff(want, user); difference != "" {
		t.Errorf("(-expected +found)\n%s", difference)
	}
}
