// client-go's reviews: of tokens, and of oneself.

package cluster

import (
	"context"
	"testing"

	"go.yaml.in/yaml/v3"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
)

func TestClientGoTokenReviewIsTheSameAsAtKubernetes(t *testing.T) {
	inOwnWords := []difference{reasonInOwnWords}
	calls := []call{
		{name: "robot", call: reviewFor(RobotToken)},
		{name: "robot, for this", call: reviewFor(RobotToken, Audience)},
		{name: "robot, for both", call: reviewFor(RobotToken, "vault", Audience, "vault")},
		{name: "robot, for another", call: reviewFor(RobotToken, "vault")},
		{name: "empty", call: reviewFor("")},
		{name: "stranger's", call: reviewFor("c3RyYW5nZXIgdGhhbiBmaWN0aW9u")},
		{name: "dots", call: reviewFor("a.b.c.d")},
		{name: "issued, for another", call: reviewFor("{token of Pod web}", "vault"), but: inOwnWords},
		{name: "issued for another", call: reviewFor("{token for the vault}"), but: inOwnWords},
		{name: "issued for another, for that", call: reviewFor("{token for the vault}", "a", "vault")},

		{name: "metadata", call: reviewWith(someMeta)},
		{name: "name", call: reviewWith(metav1.ObjectMeta{Name: "Not A Name!"})},
		{name: "namespace", call: reviewWith(metav1.ObjectMeta{Namespace: "zz"})},
		{name: "uid", call: reviewWith(metav1.ObjectMeta{UID: "zz"})},
		{name: "resource version", call: reviewWith(metav1.ObjectMeta{ResourceVersion: "7"})},
		{name: "times", call: reviewWith(metaLongAgo)},
		{
			name: "managed fields",
			call: reviewWith(metav1.ObjectMeta{ManagedFields: managedLongAgo}),
			but:  []difference{managedByNobodyBefore},
		},
		{name: "dry run", call: reviewUnder(metav1.CreateOptions{DryRun: []string{"All"}})},

		{name: "with a certificate", who: "caller with a certificate", call: reviewFor(RobotToken)},
		{name: "no right", who: "robot", call: reviewFor(RobotToken)},
		{name: "no right, empty", who: "robot", call: reviewFor("")},
		{name: "stranger", who: "stranger", call: reviewFor(RobotToken)},
		{name: "nobody", who: "nobody", call: reviewFor(RobotToken)},
	}
	for _, token := range []string{
		"alice's token", "tampered token", "elsewhere token", "opaque token", "token of the builder",
		"token of Pod web", "token of Pod waiting", "token of Pod stray", "token of Secret settings",
		"token of Node worker", "token for both",
	} {
		calls = append(calls,
			call{name: token, call: reviewFor("{" + token + "}")},
			call{name: token + " for both", call: reviewFor("{"+token+"}", "vault", Audience)},
		)
	}
	for name, options := range wrongAndRightOptions {
		calls = append(calls, call{name: name, call: reviewUnder(options)})
	}
	askBothClients(t, calls)
}

func TestClientGoSelfSubjectReviewIsTheSameAsAtKubernetes(t *testing.T) {
	calls := []call{
		{name: "metadata", call: selfReview(someMeta, metav1.CreateOptions{})},
		{name: "name", call: selfReview(metav1.ObjectMeta{Name: "n", Namespace: "zz", UID: "u"}, metav1.CreateOptions{})},
		{name: "dry run", call: selfReview(metav1.ObjectMeta{}, metav1.CreateOptions{DryRun: []string{"All"}})},
	}
	for _, who := range []string{
		"caller", "caller with a certificate", "robot", "alice's token", "token of the builder",
		"token of Pod web", "token of Secret settings", "token of Node worker", "token for both",
		"token for the vault", "tampered token", "stranger", "nobody",
	} {
		calls = append(calls, call{name: who, who: who, call: selfReview(metav1.ObjectMeta{}, metav1.CreateOptions{})})
	}
	for name, options := range wrongAndRightOptions {
		calls = append(calls, call{name: name, who: "robot", call: selfReview(metav1.ObjectMeta{}, options)})
	}
	askBothClients(t, calls)
}

// managedByNobodyBefore: a review is new, so countersign has nobody in managedFields but who sends it.
func managedByNobodyBefore(side *Side, document *yaml.Node) {
	managed := member(document, "metadata", "managedFields")
	if side.Kubernetes && managed != nil && len(managed.Content) == 2 {
		managed.Content = managed.Content[1:]
	}
}

// createReview has a token reviewed; it may be one that a side knows by a name.
func createReview(token string, options metav1.CreateOptions, fill func(*authenticationv1.TokenReview)) asking {
	return func(client kubernetes.Interface, side *Side) (runtime.Object, error) {
		review := &authenticationv1.TokenReview{}
		review.Spec.Token = side.Fill(token)
		fill(review)
		return client.AuthenticationV1().TokenReviews().Create(context.Background(), review, options)
	}
}

func reviewFor(token string, audiences ...string) asking {
	return createReview(token, metav1.CreateOptions{}, func(review *authenticationv1.TokenReview) {
		review.Spec.Audiences = audiences
	})
}

func reviewWith(meta metav1.ObjectMeta) asking {
	return createReview(RobotToken, metav1.CreateOptions{}, func(review *authenticationv1.TokenReview) {
		review.ObjectMeta = meta
	})
}

func reviewUnder(options metav1.CreateOptions) asking {
	return createReview(RobotToken, options, func(*authenticationv1.TokenReview) {})
}

// selfReview asks who one is, and says who one is not.
func selfReview(meta metav1.ObjectMeta, options metav1.CreateOptions) asking {
	return func(client kubernetes.Interface, _ *Side) (runtime.Object, error) {
		review := &authenticationv1.SelfSubjectReview{ObjectMeta: meta}
		review.Status.UserInfo.Username = "somebody else"
		return client.AuthenticationV1().SelfSubjectReviews().Create(context.Background(), review, options)
	}
}
