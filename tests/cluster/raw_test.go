// Requests as no client of Kubernetes makes them, against countersign as against kube-apiserver: how
// what is asked and what is answered is agreed upon, and what is no request at all.

package cluster

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// request is one of HTTP, by somebody: a POST of the caller's unless it says otherwise. Its headers are
// one to a line.
type request struct {
	name, who, method, path, headers, body string
	but                                    []difference
	// instead is what kube-apiserver is asked; the same if there is no such function.
	instead otherwise
}

func askBothRaw(t *testing.T, requests []request) {
	t.Helper()
	questions := make([]question, len(requests))
	for i, request := range requests {
		questions[i] = question{request.name, request.send, append(request.but, parsersOwnWords)}
	}
	askBoth(t, questions)
}

func (r request) send(side *Side) (answer, error) {
	if side.Kubernetes && r.instead != nil {
		r = r.instead(r)
	}
	transport, err := rest.TransportFor(side.RESTConfig(credential(side, cmp.Or(r.who, "caller")), ""))
	if err != nil {
		return nil, err
	}
	method, url := cmp.Or(r.method, http.MethodPost), "https://"+side.Address+side.Fill(r.path)
	request, err := http.NewRequest(method, url, strings.NewReader(side.Fill(r.body)))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "tests/1.0")
	for line := range strings.Lines(r.headers) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		request.Header.Set(name, strings.TrimPrefix(value, " "))
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.Header.Get("Content-Type") == runtime.ContentTypeProtobuf {
		body = inJSON(body)
	}
	return answer{
		{"status", response.Status},
		{"headers", headers(side, response.Header)},
		{"body", string(body)},
	}, err
}

// inJSON is an object that was in protobuf, or its bytes if client-go does not know it.
func inJSON(protobuf []byte) []byte {
	object, kind, err := scheme.Codecs.UniversalDeserializer().Decode(protobuf, nil, nil)
	if err != nil {
		return fmt.Appendf(nil, "%v: %q", err, protobuf)
	}
	object.GetObjectKind().SetGroupVersionKind(*kind)
	text, err := json.Marshal(object)
	if err != nil {
		return fmt.Append(nil, err)
	}
	return text
}

// parsersOwnWords: why a body is no object at all, each says in the words of its parser; and where the
// kinds are listed in the source, only kube-apiserver.
func parsersOwnWords(_ *Side, document *yaml.Node) {
	if message := member(document, "message"); message != nil {
		message.Value = noObject.ReplaceAllString(message.Value, "$1…")
		message.Value = inScheme.ReplaceAllString(message.Value, "")
	}
}

var (
	noObject = regexp.MustCompile(`(?s)\A(the object provided is unrecognized \(must be of type \w+\): ).*`)
	inScheme = regexp.MustCompile(` in scheme "[^"]*"`)
)

// unlike are headers that say nothing of the answer, or that name what only kube-apiserver has.
var unlike = []string{
	"Audit-Id", "Content-Length", "Date",
	"X-Kubernetes-Pf-Flowschema-Uid", "X-Kubernetes-Pf-Prioritylevel-Uid",
}

func headers(side *Side, header http.Header) string {
	neverSniffed(side, header)
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if !slices.Contains(unlike, name) {
			fmt.Fprintf(&lines, "%s: %q\n", name, header[name])
		}
	}
	return lines.String()
}

// neverSniffed: kube-apiserver says so with some of its answers, countersign with each.
func neverSniffed(side *Side, header http.Header) {
	if side.Kubernetes {
		header.Set("X-Content-Type-Options", "nosniff")
	}
}

const (
	reviews     = "/apis/authentication.k8s.io/v1/tokenreviews"
	requests    = "/api/v1/namespaces/" + Namespace + "/serviceaccounts/builder/token"
	selfReviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

	asJSON     = "Content-Type: application/json"
	asYAML     = "Content-Type: application/yaml"
	asProtobuf = "Content-Type: application/vnd.kubernetes.protobuf"

	robotsReview = `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","spec":{"token":"` + RobotToken + `"}}`
	anyRequest   = `{"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1","spec":{}}`
)
