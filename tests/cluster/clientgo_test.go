// client-go's typed clients, which every program in Go uses, against countersign as against
// kube-apiserver: in JSON and in protobuf, the objects that they get and the errors that they make of
// a refusal.

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
)

// contentTypes are those in which client-go can ask.
var contentTypes = map[string]string{"json": runtime.ContentTypeJSON, "protobuf": runtime.ContentTypeProtobuf}

// call is one call of a typed client by somebody.
type call struct {
	name, who string
	call      func(client kubernetes.Interface, side *Side) (runtime.Object, error)
	but       []difference
}

func askBothClients(t *testing.T, calls []call) {
	t.Helper()
	for name, contentType := range contentTypes {
		questions := make([]question, len(calls))
		for i, call := range calls {
			questions[i] = question{
				name: call.name,
				ask:  func(side *Side) (answer, error) { return call.make(side, contentType) },
				but:  call.but,
			}
		}
		t.Run(name, func(t *testing.T) { askBoth(t, questions) })
	}
}

func (c call) make(side *Side, contentType string) (answer, error) {
	seen := &seen{}
	config := side.RESTConfig(credential(side, c.who), contentType)
	config.WarningHandler = seen
	config.Wrap(seen.through)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	object, failure := c.call(client, side)
	answer := answer{{"HTTP", seen.answer}, {"warnings", strings.Join(seen.warnings, "\n")}}
	if failure != nil {
		return append(answer, failed(failure)...), nil
	}
	kinds, _, err := scheme.Scheme.ObjectKinds(object)
	if err != nil {
		return nil, err
	}
	object.GetObjectKind().SetGroupVersionKind(kinds[0])
	text, err := json.Marshal(object)
	return append(answer, part{"object", string(text)}), err
}

// seen is what a client does not tell: how it was answered, and the Warning headers.
type seen struct {
	answer   string
	warnings []string
}

func (s *seen) HandleWarningHeader(code int, agent, text string) {
	s.warnings = append(s.warnings, fmt.Sprintf("%d %s %s", code, agent, text))
}

func (s *seen) through(transport http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		response, err := transport.RoundTrip(request)
		if err == nil {
			s.answer += fmt.Sprintln(response.StatusCode, response.Header.Get("Content-Type"))
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// failed is an error as programs see it: what it says, what they ask about it, and all of its Status.
func failed(err error) answer {
	is := map[string]bool{
		"BadRequest": apierrors.IsBadRequest(err), "Unauthorized": apierrors.IsUnauthorized(err),
		"Forbidden": apierrors.IsForbidden(err), "NotFound": apierrors.IsNotFound(err),
		"Conflict": apierrors.IsConflict(err), "Invalid": apierrors.IsInvalid(err),
	}
	var kinds []string
	for kind, so := range is {
		if so {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	answer := answer{{"error", err.Error()}, {"is", strings.Join(kinds, " ")}}
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		text, _ := json.Marshal(status.Status()) // it was read from such text
		answer = append(answer, part{"status", string(text)})
	}
	return answer
}

// tokenRequest asks for a token of the builder.
func tokenRequest(change func(request *authenticationv1.TokenRequest, side *Side), options metav1.CreateOptions) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return func(client kubernetes.Interface, side *Side) (runtime.Object, error) {
		request := &authenticationv1.TokenRequest{}
		change(request, side)
		return client.CoreV1().ServiceAccounts(Namespace).CreateToken(context.Background(), "builder", request, options)
	}
}

// withSpec asks with this spec.
func withSpec(spec authenticationv1.TokenRequestSpec) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return tokenRequest(func(request *authenticationv1.TokenRequest, _ *Side) { request.Spec = spec }, metav1.CreateOptions{})
}

func withSeconds(seconds int64) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return withSpec(authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds})
}

func withAudiences(audiences ...string) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return withSpec(authenticationv1.TokenRequestSpec{Audiences: audiences})
}

// boundTo asks for a token bound to an object: apiVersion, kind and name.
func boundTo(apiVersion, kind, name string) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return withSpec(authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: apiVersion, Kind: kind, Name: name},
	})
}

// boundToUID says also which uid it expects, one of the side's or another.
func boundToUID(kind, name, uid string) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return tokenRequest(func(request *authenticationv1.TokenRequest, side *Side) {
		request.Spec.BoundObjectRef = &authenticationv1.BoundObjectReference{
			APIVersion: "v1", Kind: kind, Name: name, UID: types.UID(side.Fill(uid)),
		}
	}, metav1.CreateOptions{})
}

func withMeta(meta metav1.ObjectMeta) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return tokenRequest(func(request *authenticationv1.TokenRequest, side *Side) {
		request.ObjectMeta = meta
		request.UID = types.UID(side.Fill(string(meta.UID)))
	}, metav1.CreateOptions{})
}

func withOptions(options metav1.CreateOptions) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return tokenRequest(func(*authenticationv1.TokenRequest, *Side) {}, options)
}

// someMeta has every member that a client can send, but those that a server compares with its own.
var someMeta = metav1.ObjectMeta{
	GenerateName:               "some-",
	Generation:                 3,
	DeletionGracePeriodSeconds: pointer(int64(30)),
	Labels:                     map[string]string{"app": "web", "example.org/tier": "front"},
	Annotations:                map[string]string{"example.org/note": "<b>&\n"},
	Finalizers:                 []string{"example.org/finalizer"},
	OwnerReferences: []metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: "StatefulSet", Name: "web", UID: "owner",
		Controller: pointer(true), BlockOwnerDeletion: pointer(false),
	}},
}

func pointer[T any](value T) *T { return &value }

var everyOption = []struct {
	name    string
	options metav1.CreateOptions
}{
	{"field manager", metav1.CreateOptions{FieldManager: "me"}},
	{"field manager of a space", metav1.CreateOptions{FieldManager: "me and you"}},
	{"field manager with a newline", metav1.CreateOptions{FieldManager: "me\nyou\t"}},
	{"field manager too long", metav1.CreateOptions{FieldManager: strings.Repeat("m", 129)}},
	{"field validation strict", metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}},
	{"field validation unknown", metav1.CreateOptions{FieldValidation: "strict"}},
	{"dry run unknown", metav1.CreateOptions{DryRun: []string{"Some"}}},
	{"dry run twice", metav1.CreateOptions{DryRun: []string{"All", "Some"}}},
	{"all options wrong", metav1.CreateOptions{DryRun: []string{"no"}, FieldManager: "\x01", FieldValidation: "no"}},
}

func TestClientGoCreateTokenIsTheSameAsAtKubernetes(t *testing.T) {
	calls := []call{
		{name: "empty", who: "caller", call: withAudiences()},
		{name: "with a certificate", who: "caller with a certificate", call: withAudiences()},
		{name: "one audience", who: "caller", call: withAudiences("vault")},
		{name: "odd audiences", who: "caller", call: withAudiences("vault", "vault", "", "<&>", Audience)},
		{name: "-1 s", who: "caller", call: withSeconds(-1)},
		{name: "0 s", who: "caller", call: withSeconds(0)},
		{name: "599 s", who: "caller", call: withSeconds(599)},
		{name: "600 s", who: "caller", call: withSeconds(600)},
		{name: "3607 s", who: "caller", call: withSeconds(3607)},
		{name: "3607 s, bound to a pod", who: "caller", call: tokenRequest(func(request *authenticationv1.TokenRequest, _ *Side) {
			request.Spec.ExpirationSeconds = pointer(int64(3607))
			request.Spec.BoundObjectRef = &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: "web"}
		}, metav1.CreateOptions{}), but: []difference{nothingIsExtended}},
		{name: "86400 s", who: "caller", call: withSeconds(86400)},
		{name: "86401 s", who: "caller", call: withSeconds(86401)},
		{name: "2^32 s", who: "caller", call: withSeconds(1 << 32)},
		{name: "2^32+1 s", who: "caller", call: withSeconds(1<<32 + 1)},

		{name: "bound to a pod", who: "caller", call: boundTo("v1", "Pod", "web")},
		{name: "bound to a pod of no version", who: "caller", call: boundTo("", "Pod", "web")},
		{name: "bound to a pod of an odd version", who: "caller", call: boundTo("v7", "Pod", "web")},
		{name: "bound to a pod of a broken version", who: "caller", call: boundTo("a/b/c", "Pod", "web")},
		{name: "bound to a pod of another group", who: "caller", call: boundTo("apps/v1", "Pod", "web")},
		{name: "bound to a pod in small letters", who: "caller", call: boundTo("v1", "pod", "web")},
		{name: "bound to a pod of no name", who: "caller", call: boundTo("v1", "Pod", "")},
		{name: "bound to a pod of a bad name", who: "caller", call: boundTo("v1", "Pod", "../web")},
		{name: "bound to a waiting pod", who: "caller", call: boundTo("v1", "Pod", "waiting")},
		{name: "bound to a stray pod", who: "caller", call: boundTo("v1", "Pod", "stray")},
		{name: "bound to another's pod", who: "caller", call: boundTo("v1", "Pod", "of-the-tester")},
		{name: "bound to a missing pod", who: "caller", call: boundTo("v1", "Pod", "missing")},
		{name: "bound to a secret", who: "caller", call: boundTo("v1", "Secret", "settings")},
		{name: "bound to a secret of no name", who: "caller", call: boundTo("v1", "Secret", "")},
		{name: "bound to a node", who: "caller", call: boundTo("v1", "Node", "worker")},
		{name: "bound to a node of no name", who: "caller", call: boundTo("v1", "Node", "")},
		{name: "bound to nothing", who: "caller", call: boundTo("", "", "")},
		{name: "bound to what it cannot be", who: "caller", call: boundTo("v1", "ConfigMap", "web")},
		{name: "bound to a pod, uid", who: "caller", call: boundToUID("Pod", "web", "{uid of Pod web}")},
		{name: "bound to a pod, wrong uid", who: "caller", call: boundToUID("Pod", "web", "zz")},
		{name: "bound to another's pod, wrong uid", who: "caller", call: boundToUID("Pod", "of-the-tester", "zz")},
		{name: "bound to a missing pod, uid", who: "caller", call: boundToUID("Pod", "missing", "zz")},
		{name: "bound to a secret, uid", who: "caller", call: boundToUID("Secret", "settings", "{uid of Secret settings}")},
		{name: "bound to a node, wrong uid", who: "caller", call: boundToUID("Node", "worker", "zz")},

		{name: "metadata", who: "caller", call: withMeta(someMeta)},
		{name: "name", who: "caller", call: withMeta(metav1.ObjectMeta{Name: "builder", Namespace: Namespace})},
		{name: "wrong name", who: "caller", call: withMeta(metav1.ObjectMeta{Name: "zz"})},
		{name: "wrong namespace", who: "caller", call: withMeta(metav1.ObjectMeta{Namespace: "zz"})},
		{name: "uid", who: "caller", call: withMeta(metav1.ObjectMeta{UID: "{uid of ServiceAccount builder}"})},
		{name: "wrong uid", who: "caller", call: withMeta(metav1.ObjectMeta{UID: "zz"})},
		{name: "resource version", who: "caller", call: withMeta(metav1.ObjectMeta{ResourceVersion: "7"})},
		{name: "times", who: "caller", call: withMeta(metav1.ObjectMeta{CreationTimestamp: longAgo, DeletionTimestamp: &longAgo, SelfLink: "/there"})},
		{name: "managed fields", who: "caller", call: withMeta(metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{managedLongAgo}})},

		{name: "status that was sent", who: "caller", call: tokenRequest(func(request *authenticationv1.TokenRequest, _ *Side) {
			request.Status = authenticationv1.TokenRequestStatus{Token: "mine", ExpirationTimestamp: longAgo}
		}, metav1.CreateOptions{})},
		{name: "dry run", who: "caller", call: withOptions(metav1.CreateOptions{DryRun: []string{"All"}}), but: []difference{nothingIsIssued}},
		{name: "dry run, wrong", who: "caller", call: tokenRequest(func(request *authenticationv1.TokenRequest, _ *Side) {
			request.Spec.ExpirationSeconds = pointer(int64(1))
		}, metav1.CreateOptions{DryRun: []string{"All"}})},

		{name: "missing account", who: "caller", call: func(client kubernetes.Interface, _ *Side) (runtime.Object, error) {
			return client.CoreV1().ServiceAccounts(Namespace).CreateToken(context.Background(), "missing", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
		}},
		{name: "no right", who: "robot", call: withAudiences()},
		{name: "no right, wrong", who: "robot", call: withSeconds(0)},
		{name: "no right, by a token of its own", who: "token of Pod web", call: withAudiences()},
		{name: "stranger", who: "stranger", call: withAudiences()},
		{name: "nobody", who: "nobody", call: withAudiences()},
	}
	for _, option := range everyOption {
		calls = append(calls, call{name: option.name, who: "caller", call: withOptions(option.options)})
	}
	askBothClients(t, calls)
}

var longAgo = metav1.Unix(1e9, 0)

var managedLongAgo = metav1.ManagedFieldsEntry{
	Manager: "other", Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "authentication.k8s.io/v1",
	Time: &longAgo, FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{}}`)},
}

// nothingIsIssued: kube-apiserver gives a token that is good even if it was asked for a dry run.
func nothingIsIssued(side *Side, document *yaml.Node) {
	if token := member(document, "status", "token"); side.Kubernetes && token != nil {
		token.Value = ""
	}
}

// nothingIsExtended: kube-apiserver makes a token of a year of one that a kubelet asked for in a pod's
// name, and says so only in the token.
func nothingIsExtended(side *Side, document *yaml.Node) {
	token := member(document, "status", "token")
	if !side.Kubernetes || token == nil {
		return
	}
	changed, err := WithClaims(token.Value, func(claims map[string]any) {
		claims["exp"] = claims["iat"].(float64) + 3607
		delete(claims["kubernetes.io"].(map[string]any), "warnafter")
	})
	if err == nil {
		token.Value = changed
	}
}

// tokenReview has a token reviewed that the side knows by a name, or one that is written out.
func tokenReview(token string, change func(review *authenticationv1.TokenReview), options metav1.CreateOptions) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return func(client kubernetes.Interface, side *Side) (runtime.Object, error) {
		review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: side.Fill(token)}}
		change(review)
		return client.AuthenticationV1().TokenReviews().Create(context.Background(), review, options)
	}
}

func reviewFor(token string, audiences ...string) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return tokenReview(token, func(review *authenticationv1.TokenReview) {
		review.Spec.Audiences = audiences
	}, metav1.CreateOptions{})
}

func reviewWith(meta metav1.ObjectMeta) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return tokenReview(RobotToken, func(review *authenticationv1.TokenReview) { review.ObjectMeta = meta }, metav1.CreateOptions{})
}

func TestClientGoTokenReviewIsTheSameAsAtKubernetes(t *testing.T) {
	calls := []call{
		{name: "robot", who: "caller", call: reviewFor(RobotToken)},
		{name: "robot, for this", who: "caller", call: reviewFor(RobotToken, Audience)},
		{name: "robot, for both", who: "caller", call: reviewFor(RobotToken, "vault", Audience, "vault")},
		{name: "robot, for another", who: "caller", call: reviewFor(RobotToken, "vault")},
		{name: "empty", who: "caller", call: reviewFor("")},
		{name: "stranger's", who: "caller", call: reviewFor("c3RyYW5nZXIgdGhhbiBmaWN0aW9u")},
		{name: "three dots", who: "caller", call: reviewFor("a.b.c.d")},
		{name: "with a certificate", who: "caller with a certificate", call: reviewFor(RobotToken)},
		{name: "own token for another", who: "caller", call: reviewFor("{token of Pod web}", "vault"), but: []difference{reasonInOwnWords}},
		{name: "own token for the vault", who: "caller", call: reviewFor("{token for the vault}"), but: []difference{reasonInOwnWords}},
		{name: "own token for the vault, for that", who: "caller", call: reviewFor("{token for the vault}", "a", "vault")},

		{name: "metadata", who: "caller", call: reviewWith(someMeta)},
		{name: "name", who: "caller", call: reviewWith(metav1.ObjectMeta{Name: "Not A Name!"})},
		{name: "namespace", who: "caller", call: reviewWith(metav1.ObjectMeta{Namespace: "zz"})},
		{name: "uid", who: "caller", call: reviewWith(metav1.ObjectMeta{UID: "zz"})},
		{name: "resource version", who: "caller", call: reviewWith(metav1.ObjectMeta{ResourceVersion: "7"})},
		{name: "times", who: "caller", call: reviewWith(metav1.ObjectMeta{CreationTimestamp: longAgo, DeletionTimestamp: &longAgo, SelfLink: "/there"})},
		{name: "managed fields", who: "caller", call: reviewWith(metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{managedLongAgo}})},
		{name: "dry run", who: "caller", call: tokenReview(RobotToken, func(*authenticationv1.TokenReview) {}, metav1.CreateOptions{DryRun: []string{"All"}})},

		{name: "no right", who: "robot", call: reviewFor(RobotToken)},
		{name: "no right, empty", who: "robot", call: reviewFor("")},
		{name: "stranger", who: "stranger", call: reviewFor(RobotToken)},
		{name: "nobody", who: "nobody", call: reviewFor(RobotToken)},
	}
	for _, token := range []string{
		"alice's token", "tampered token", "elsewhere token", "opaque token", "token of the builder",
		"token of Pod web", "token of Pod waiting", "token of Pod stray", "token of Secret settings", "token of Node worker", "token for both",
	} {
		calls = append(calls,
			call{name: token, who: "caller", call: reviewFor("{" + token + "}")},
			call{name: token + " for both", who: "caller", call: reviewFor("{"+token+"}", "vault", Audience)},
		)
	}
	for _, option := range everyOption {
		calls = append(calls, call{name: option.name, who: "caller", call: tokenReview(RobotToken, func(*authenticationv1.TokenReview) {}, option.options)})
	}
	askBothClients(t, calls)
}

// selfReview asks who one is.
func selfReview(meta metav1.ObjectMeta, options metav1.CreateOptions) func(kubernetes.Interface, *Side) (runtime.Object, error) {
	return func(client kubernetes.Interface, _ *Side) (runtime.Object, error) {
		review := &authenticationv1.SelfSubjectReview{
			ObjectMeta: meta,
			Status: authenticationv1.SelfSubjectReviewStatus{
				UserInfo: authenticationv1.UserInfo{Username: "somebody else"}, // which is not asked
			},
		}
		return client.AuthenticationV1().SelfSubjectReviews().Create(context.Background(), review, options)
	}
}

func TestClientGoSelfSubjectReviewIsTheSameAsAtKubernetes(t *testing.T) {
	var calls []call
	for _, who := range []string{
		"caller", "caller with a certificate", "robot", "alice's token", "token of the builder",
		"token of Pod web", "token of Secret settings", "token of Node worker", "token for both", "token for the vault",
		"tampered token", "stranger", "nobody",
	} {
		calls = append(calls, call{name: who, who: who, call: selfReview(metav1.ObjectMeta{}, metav1.CreateOptions{})})
	}
	for _, option := range everyOption {
		calls = append(calls, call{name: option.name, who: "robot", call: selfReview(metav1.ObjectMeta{}, option.options)})
	}
	calls = append(calls,
		call{name: "metadata", who: "robot", call: selfReview(someMeta, metav1.CreateOptions{})},
		call{name: "name and namespace", who: "robot", call: selfReview(metav1.ObjectMeta{Name: "n", Namespace: "zz", UID: "u"}, metav1.CreateOptions{})},
		call{name: "dry run", who: "robot", call: selfReview(metav1.ObjectMeta{}, metav1.CreateOptions{DryRun: []string{"All"}})},
	)
	askBothClients(t, calls)
}
