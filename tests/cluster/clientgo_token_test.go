// client-go's CreateToken, with all that a TokenRequest can ask for.

package cluster

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

func TestClientGoCreateTokenIsTheSameAsAtKubernetes(t *testing.T) {
	calls := []call{
		{name: "empty", call: withAudiences()},
		{name: "one audience", call: withAudiences("vault")},
		{name: "odd audiences", call: withAudiences("vault", "vault", "", "<&>", Audience)},
		{name: "-1 s", call: withSeconds(-1)},
		{name: "0 s", call: withSeconds(0)},
		{name: "599 s", call: withSeconds(599)},
		{name: "600 s", call: withSeconds(600)},
		{name: "3607 s", call: withSeconds(3607)},
		{name: "86400 s", call: withSeconds(86400)},
		{name: "86401 s", call: withSeconds(86401)},
		{name: "2^32 s", call: withSeconds(1 << 32)},
		{name: "2^32+1 s", call: withSeconds(1<<32 + 1)},
		{name: "an hour, as a kubelet", call: asKubelet, but: []difference{nothingIsExtended}},

		{name: "pod", call: boundTo("v1", "Pod", "web")},
		{name: "pod of no version", call: boundTo("", "Pod", "web")},
		{name: "pod of an odd version", call: boundTo("v7", "Pod", "web")},
		{name: "pod of a broken version", call: boundTo("a/b/c", "Pod", "web")},
		{name: "pod of another group", call: boundTo("apps/v1", "Pod", "web")},
		{name: "pod in small letters", call: boundTo("v1", "pod", "web")},
		{name: "pod of no name", call: ofNoName("Pod")},
		{name: "pod of a bad name", call: boundTo("v1", "Pod", "../web")},
		{name: "pod of a name with %", call: boundTo("v1", "Pod", "50%")},
		{name: "waiting pod", call: boundTo("v1", "Pod", "waiting")},
		{name: "stray pod", call: boundTo("v1", "Pod", "stray")},
		{name: "another's pod", call: boundTo("v1", "Pod", "of-the-tester")},
		{name: "missing pod", call: boundTo("v1", "Pod", "missing")},
		{name: "secret", call: boundTo("v1", "Secret", "settings")},
		{name: "secret of no name", call: ofNoName("Secret")},
		{name: "missing secret", call: boundTo("v1", "Secret", "missing")},
		{name: "node", call: boundTo("v1", "Node", "worker")},
		{name: "node of no name", call: ofNoName("Node")},
		{name: "missing node", call: boundTo("v1", "Node", "missing")},
		{name: "nothing", call: boundTo("", "", "")},
		{name: "what it cannot be", call: boundTo("v1", "ConfigMap", "web")},
		{name: "pod, uid", call: boundToUID("Pod", "web", "{uid of Pod web}")},
		{name: "pod, wrong uid", call: boundToUID("Pod", "web", "zz")},
		{name: "another's pod, wrong uid", call: boundToUID("Pod", "of-the-tester", "zz")},
		{name: "missing pod, uid", call: boundToUID("Pod", "missing", "zz")},
		{name: "secret, uid", call: boundToUID("Secret", "settings", "{uid of Secret settings}")},
		{name: "secret, wrong uid", call: boundToUID("Secret", "settings", "zz")},
		{name: "node, uid", call: boundToUID("Node", "worker", "{uid of Node worker}")},
		{name: "node, wrong uid", call: boundToUID("Node", "worker", "zz")},

		{name: "metadata", call: withMeta(someMeta)},
		{name: "name", call: withMeta(metav1.ObjectMeta{Name: "builder", Namespace: Namespace})},
		{name: "wrong name", call: withMeta(metav1.ObjectMeta{Name: "zz"})},
		{name: "wrong namespace", call: withMeta(metav1.ObjectMeta{Namespace: "zz"})},
		{name: "uid", call: withMeta(metav1.ObjectMeta{UID: "{uid of ServiceAccount builder}"})},
		{name: "wrong uid", call: withMeta(metav1.ObjectMeta{UID: "zz"})},
		{name: "resource version", call: withMeta(metav1.ObjectMeta{ResourceVersion: "7"})},
		{name: "times", call: withMeta(metaLongAgo)},
		{name: "managed fields", call: withMeta(metav1.ObjectMeta{ManagedFields: managedLongAgo})},
		{name: "status that was sent", call: withStatus, but: []difference{sentStatusIsNobodys}},

		{
			name: "dry run",
			call: withOptions(metav1.CreateOptions{DryRun: []string{"All"}}),
			but:  []difference{nothingIsIssued},
		},
		{name: "missing account", call: forMissing},
		{name: "with a certificate", who: "caller with a certificate", call: withAudiences()},
		{name: "no right", who: "robot", call: withAudiences()},
		{name: "no right, wrong", who: "robot", call: withSeconds(0)},
		{name: "no right, by an issued token", who: "token of Pod web", call: withAudiences()},
		{name: "stranger", who: "stranger", call: withAudiences()},
		{name: "nobody", who: "nobody", call: withAudiences()},
	}
	for name, options := range wrongAndRightOptions {
		calls = append(calls, call{name: name, call: withOptions(options)})
	}
	askBothClients(t, calls)
}

// createToken asks for a token of the builder.
func createToken(options metav1.CreateOptions, fill func(*authenticationv1.TokenRequest, *Side)) asking {
	return func(client kubernetes.Interface, side *Side) (runtime.Object, error) {
		request := &authenticationv1.TokenRequest{}
		fill(request, side)
		accounts := client.CoreV1().ServiceAccounts(Namespace)
		return accounts.CreateToken(context.Background(), "builder", request, options)
	}
}

func withSpec(spec authenticationv1.TokenRequestSpec) asking {
	return createToken(metav1.CreateOptions{}, func(request *authenticationv1.TokenRequest, _ *Side) {
		request.Spec = spec
	})
}

func withSeconds(seconds int64) asking {
	return withSpec(authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds})
}

func withAudiences(audiences ...string) asking {
	return withSpec(authenticationv1.TokenRequestSpec{Audiences: audiences})
}

func boundTo(apiVersion, kind, name string) asking {
	return withSpec(authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: apiVersion, Kind: kind, Name: name},
	})
}

// ofNoName: an object without a name is to countersign one that is missing, and so called.
func ofNoName(kind string) asking {
	const missing = "missing"
	return func(client kubernetes.Interface, side *Side) (runtime.Object, error) {
		if !side.Kubernetes {
			return boundTo("v1", kind, "")(client, side)
		}
		object, err := boundTo("v1", kind, missing)(client, side)
		if failure := (*apierrors.StatusError)(nil); errors.As(err, &failure) {
			status := &failure.ErrStatus
			status.Message = strings.Replace(status.Message, strconv.Quote(missing), `""`, 1)
			if status.Details != nil && status.Details.Name == missing {
				status.Details.Name = ""
			}
		}
		return object, err
	}
}

// boundToUID says also which uid it expects.
func boundToUID(kind, name, uid string) asking {
	return createToken(metav1.CreateOptions{}, func(request *authenticationv1.TokenRequest, side *Side) {
		request.Spec.BoundObjectRef = &authenticationv1.BoundObjectReference{
			APIVersion: "v1", Kind: kind, Name: name, UID: types.UID(side.Fill(uid)),
		}
	})
}

func withMeta(meta metav1.ObjectMeta) asking {
	return createToken(metav1.CreateOptions{}, func(request *authenticationv1.TokenRequest, side *Side) {
		request.ObjectMeta = meta
		request.UID = types.UID(side.Fill(string(meta.UID)))
	})
}

func withOptions(options metav1.CreateOptions) asking {
	return createToken(options, func(*authenticationv1.TokenRequest, *Side) {})
}

var withStatus = createToken(metav1.CreateOptions{}, func(request *authenticationv1.TokenRequest, _ *Side) {
	request.Status = authenticationv1.TokenRequestStatus{Token: "mine", ExpirationTimestamp: longAgo}
})

func forMissing(client kubernetes.Interface, _ *Side) (runtime.Object, error) {
	accounts := client.CoreV1().ServiceAccounts(Namespace)
	return accounts.CreateToken(context.Background(), "missing", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
}

// asKubelet asks as one does for a pod's volume.
var asKubelet = withSpec(authenticationv1.TokenRequestSpec{
	ExpirationSeconds: pointer(int64(3607)),
	BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: "web"},
})

// nothingIsExtended: kube-apiserver makes a token for a year of one that is asked for as by a kubelet,
// and says so in the token only.
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

// sentStatusIsNobodys: the status is the server's, so nobody manages it who sent one.
func sentStatusIsNobodys(side *Side, document *yaml.Node) {
	managed := member(document, "metadata", "managedFields")
	if side.Kubernetes && managed != nil && len(managed.Content) == 1 {
		drop(member(managed.Content[0], "fieldsV1"), "f:status")
	}
}

// nothingIsIssued: kube-apiserver gives a good token to one who asks for a dry run.
func nothingIsIssued(side *Side, document *yaml.Node) {
	if token := member(document, "status", "token"); side.Kubernetes && token != nil {
		token.Value = ""
	}
}

// wrongAndRightOptions of a create.
var wrongAndRightOptions = map[string]metav1.CreateOptions{
	"field manager":                {FieldManager: "me"},
	"field manager with a space":   {FieldManager: "me and you"},
	"field manager with a newline": {FieldManager: "me\nyou\t"},
	"field manager too long":       {FieldManager: strings.Repeat("m", 129)},
	"field validation strict":      {FieldValidation: metav1.FieldValidationStrict},
	"field validation unknown":     {FieldValidation: "strict"},
	"dry run unknown":              {DryRun: []string{"Some"}},
	"dry run twice":                {DryRun: []string{"All", "Some"}},
	"all options wrong":            {DryRun: []string{"no"}, FieldManager: "\x01", FieldValidation: "no"},
}
