// client-go's typed clients, which every program in Go uses, against countersign as against
// kube-apiserver: in JSON and in protobuf, the objects that they get and the errors that they make of
// a refusal.

package cluster

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
)

// contentTypes are those in which client-go can ask.
var contentTypes = map[string]string{"json": runtime.ContentTypeJSON, "protobuf": runtime.ContentTypeProtobuf}

// call is one call of a typed client by somebody, the caller unless it says who.
type call struct {
	name, who string
	call      asking
	but       []difference
}

// asking is what a program would do with its client.
type asking func(client kubernetes.Interface, side *Side) (runtime.Object, error)

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
	config := side.RESTConfig(credential(side, cmp.Or(c.who, "caller")), contentType)
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

var longAgo = metav1.Unix(1e9, 0)

var metaLongAgo = metav1.ObjectMeta{
	CreationTimestamp: longAgo,
	DeletionTimestamp: &longAgo,
	SelfLink:          "/there",
}

var managedLongAgo = []metav1.ManagedFieldsEntry{{
	Manager: "other", Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "authentication.k8s.io/v1",
	Time: &longAgo, FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{}}`)},
}}
