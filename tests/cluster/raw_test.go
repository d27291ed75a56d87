// Requests as no client of Kubernetes makes them, against countersign as against kube-apiserver: how
// what is asked and what is answered is agreed upon, and what is no request at all.

package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// request is one of HTTP, by somebody. Its headers are one to a line.
type request struct {
	name, who, method, path, headers, body string
	but                                    []difference
}

func askBothRaw(t *testing.T, requests []request) {
	t.Helper()
	questions := make([]question, len(requests))
	for i, request := range requests {
		questions[i] = question{request.name, request.send, request.but}
	}
	askBoth(t, questions)
}

func (r request) send(side *Side) (answer, error) {
	transport, err := rest.TransportFor(side.RESTConfig(credential(side, r.who), ""))
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(r.method, "https://"+side.Address+side.Fill(r.path), strings.NewReader(side.Fill(r.body)))
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
		{"headers", headers(response.Header)},
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

// unlike are headers that say nothing of the answer, or that name what only kube-apiserver has.
var unlike = []string{
	"Audit-Id", "Content-Length", "Date", "X-Kubernetes-Pf-Flowschema-Uid", "X-Kubernetes-Pf-Prioritylevel-Uid",
}

func headers(header http.Header) string {
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if !slices.Contains(unlike, name) {
			fmt.Fprintf(&lines, "%s: %q\n", name, header[name])
		}
	}
	return lines.String()
}

const (
	reviews     = "/apis/authentication.k8s.io/v1/tokenreviews"
	requests    = "/api/v1/namespaces/" + Namespace + "/serviceaccounts/builder/token"
	selfReviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

	asJSON = "Content-Type: application/json"
	asYAML = "Content-Type: application/yaml"

	robotsReview = `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","spec":{"token":"` + RobotToken + `"}}`
	anyRequest   = `{"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1","spec":{}}`
)

func TestRawBodiesAreTheSameAsAtKubernetes(t *testing.T) {
	all := []request{
		{name: "empty", body: ""},
		{name: "null", body: "null"},
		{name: "empty object", body: "{}"},
		{name: "list", body: "[]"},
		{name: "not JSON", body: "hello"},
		{name: "not JSON, long", body: strings.Repeat("hello ", 20)},
		{name: "broken JSON", body: `{"kind":"TokenReview","spec":{`},
		{name: "two objects", body: robotsReview + "{}"},
		{name: "other kind", body: `{"kind":"Foo","apiVersion":"authentication.k8s.io/v1"}`},
		{name: "other kind that is known", body: `{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}`},
		{name: "other version", body: `{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1beta1","spec":{"token":"x"}}`},
		{name: "other group", body: `{"kind":"TokenReview","apiVersion":"foo/v1","spec":{"token":"x"}}`},
		{name: "no group", body: `{"kind":"TokenRequest","apiVersion":"v1"}`},
		{name: "broken version", body: `{"kind":"TokenReview","apiVersion":"a/b/c"}`},
		{name: "no version", body: `{"kind":"TokenReview","spec":{"token":"` + RobotToken + `"}}`},
		{name: "no kind", body: `{"apiVersion":"authentication.k8s.io/v1","spec":{"token":"` + RobotToken + `"}}`},
		{name: "kind is a number", body: `{"kind":1}`},
		{name: "token is a number", body: `{"spec":{"token":1}}`},
		{name: "spec is null", body: `{"spec":null}`},
		{name: "spec is a list", body: `{"spec":[]}`},
		{name: "metadata is a string", body: `{"metadata":"x"}`},
		{name: "labels of numbers", body: `{"metadata":{"labels":{"a":1}},"spec":{"token":"x"}}`},
		{name: "seconds are a fraction", body: `{"spec":{"token":"x","expirationSeconds":600.5}}`},
		{name: "seconds are too many for anything", body: `{"spec":{"token":"x","expirationSeconds":99999999999999999999}}`},
		{name: "seconds are a string", body: `{"spec":{"token":"x","expirationSeconds":"600"}}`},
		{name: "time is none", body: `{"metadata":{"creationTimestamp":"yesterday"},"spec":{"token":"x"}}`},
		{name: "surrogate", body: `{"spec":{"token":"\ud800"}}`},
		{name: "invalid UTF-8", body: "{\"spec\":{\"token\":\"\xff\"}}"},
		{name: "unknown members", body: `{"a":1,"spec":{"token":"` + RobotToken + `","b":{"c":[1]},"audiences":null},"metadata":{"d":0}}`},
		{name: "members of other letters", body: `{"Spec":{"token":"x"},"spec":{"Token":"x","token":"` + RobotToken + `"}}`},
		{name: "duplicate members", body: `{"spec":{"token":"x","token":"` + RobotToken + `"},"metadata":{"labels":{"a":"1","a":"2"}}}`},
		{name: "duplicate and unknown members", body: `{"x":1,"x":2,"spec":{"y":1,"token":"x","token":"` + RobotToken + `"}}`},
		{name: "deep", body: strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)},

		{name: "YAML", headers: asYAML, body: "spec:\n  token: " + RobotToken + "\n"},
		{name: "YAML of two documents", headers: asYAML, body: "spec:\n  token: " + RobotToken + "\n---\nnothing\n"},
		{name: "YAML with an unknown member", headers: asYAML, body: "spec: {token: " + RobotToken + ", x: 1}\n"},
		{name: "YAML with a duplicate member", headers: asYAML, body: "spec:\n  token: a\n  token: " + RobotToken + "\n"},
		{name: "YAML with an alias", headers: asYAML, body: "spec: {token: &t " + RobotToken + ", audiences: [*t]}\n"},
		{name: "YAML with a merge", headers: asYAML, body: "x: &x {token: " + RobotToken + "}\nspec: {<<: *x}\n"},
		{name: "YAML with a number", headers: asYAML, body: "spec: {token: 1}\n"},
		{name: "YAML that is broken", headers: asYAML, body: "spec: [\n"},
		{name: "YAML that is a word", headers: asYAML, body: "hello\n"},
		{name: "YAML that is empty", headers: asYAML, body: ""},
		{name: "YAML that is JSON", headers: asYAML, body: robotsReview},
		{name: "JSON that is YAML", headers: asJSON, body: "spec: {token: x}\n"},

		{name: "protobuf that is JSON", headers: asProtobuf, body: robotsReview},
		{name: "protobuf that is empty", headers: asProtobuf, body: ""},
		{name: "protobuf of nothing", headers: asProtobuf, body: "k8s\x00"},
		{name: "protobuf that is cut", headers: asProtobuf, body: "k8s\x00\n\x28\n\x18auth"},
		{name: "protobuf of no kind", headers: asProtobuf, body: "k8s\x00\n\x00\x12\x00"},
		{name: "protobuf of another kind", headers: asProtobuf, body: "k8s\x00\n\x09\n\x02v1\x12\x03Pod\x12\x00"},
		{name: "JSON that is protobuf", headers: asJSON, body: "k8s\x00\n\x00"},
	}
	for what, path := range map[string]string{"review": reviews, "request": requests, "self": selfReviews} {
		for _, validation := range []string{"", "Strict", "Ignore"} {
			var these []request
			for _, r := range all {
				if validation != "" && !saysMoreThanOnce(r.name) {
					continue
				}
				r.who, r.method, r.path = "caller", http.MethodPost, path+"?fieldValidation="+validation
				if r.headers == "" {
					r.headers = asJSON
				}
				these = append(these, r)
			}
			t.Run(what+" "+validation, func(t *testing.T) { askBothRaw(t, these) })
		}
	}
}

const asProtobuf = "Content-Type: application/vnd.kubernetes.protobuf"

// saysMoreThanOnce: whether the fields of a body can be validated in more than one way.
func saysMoreThanOnce(name string) bool {
	return strings.Contains(name, "unknown") || strings.Contains(name, "duplicate") || strings.Contains(name, "letters")
}

func TestRawNegotiationIsTheSameAsAtKubernetes(t *testing.T) {
	var all []request
	for _, contentType := range []string{
		"application/json", "Application/JSON; charset=utf-8", "application/json; foo=bar", "json", "*/*",
		"application/json, application/yaml", "text/plain", "application/x-www-form-urlencoded", "application/cbor",
		"application/apply-patch+yaml", "application/xml;", "",
	} {
		all = append(all, request{name: "Content-Type " + contentType, path: reviews, headers: "Content-Type: " + contentType, body: robotsReview})
	}
	for _, accept := range []string{
		"*/*", "application/*", "*", "application/json", "APPLICATION/JSON", "application/yaml", "text/html",
		"application/json;pretty=1", "application/json;pretty=0", "application/json;foo=bar;charset=utf-8",
		"text/html, application/json;q=0.5", "application/yaml;q=0.2,application/json;q=0.1",
		"application/json;q=0.1,application/yaml;q=0.2", "application/json;q=0", "application/json;q=x",
		"application/yaml, */*", "application/json;as=Table;g=meta.k8s.io;v=v1",
		"application/json;as=Table;g=meta.k8s.io;v=v1,application/json",
		"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", "application/json;stream=watch",
		"application/vnd.kubernetes.protobuf, application/json", "application/cbor", ",", "",
	} {
		all = append(all,
			request{name: "Accept " + accept, path: reviews, headers: asJSON + "\nAccept: " + accept, body: robotsReview},
			request{name: "Accept, error " + accept, path: reviews, headers: asJSON + "\nAccept: " + accept, body: "{}"},
		)
	}
	for _, query := range []string{
		"pretty", "pretty=true", "pretty=1", "pretty=T", "pretty=false", "pretty=junk", "timeout=5s", "timeout=0", "timeout=junk", "timeout=-1s",
		"timeout=1h", "dryRun=", "dryRun=All", "dryRun=all", "dryRun=All&dryRun=All", "dryRun=All&dryRun=x", "fieldManager=", "fieldManager=a%0Ab",
		"fieldManager=a&fieldManager=b", "fieldManager=" + strings.Repeat("%C3%A4", 65), "fieldManager=%FF", "fieldValidation=Warn", "fieldValidation=warn",
		"fieldValidation=Ignore&fieldValidation=x", "foo=bar&limit=x&resourceVersion=y", "FIELDMANAGER=a%0Ab", "a=%zz", "a;b",
	} {
		all = append(all, request{name: "?" + query, path: reviews + "?" + query, headers: asJSON, body: robotsReview})
	}
	for _, agent := range []string{"curl/8.1", "Wget/1.2", "Mozilla/5.0 (X11)", "kubectl/v1.37 (linux/amd64)", "/", "ä", ""} {
		all = append(all, request{name: "User-Agent " + agent, path: reviews, headers: asJSON + "\nUser-Agent: " + agent, body: robotsReview})
	}
	for _, path := range []string{
		reviews, reviews + "/", reviews + "/name", reviews + "//", "/apis/authentication.k8s.io/v1/namespaces/ci/tokenreviews",
		"/apis/authentication.k8s.io/v1/TokenReviews", "/apis/authentication.k8s.io/v1beta1/tokenreviews", "/apis/authentication.k8s.io/v2/tokenreviews",
		selfReviews, selfReviews + "/", requests, requests + "/", strings.TrimSuffix(requests, "/token"),
		"/api/v1/namespaces/ci/serviceaccounts/missing/token", "/api/v1/namespaces/ci/serviceaccounts/Bad%20Name/token", "/api/v1/namespaces/ci/serviceaccounts/%2e%2e/token",
		"/api/v1/serviceaccounts/builder/token", "/nothing", "/", "/apis/nothing.k8s.io/v1/tokenreviews",
	} {
		all = append(all, request{name: "POST " + path, path: path, headers: asJSON, body: "{}"})
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} {
		for what, path := range map[string]string{"reviews": reviews, "requests": requests, "selfReviews": selfReviews, "version": "/version"} {
			all = append(all, request{name: method + " " + what, method: method, path: path, headers: asJSON})
		}
	}
	all = append(all,
		request{name: "too large", path: reviews, headers: asJSON, body: robotsReview + strings.Repeat(" ", 3<<20)},
		request{name: "just not too large", path: reviews, headers: asJSON, body: robotsReview + strings.Repeat(" ", 3<<20-len(robotsReview))},
		request{name: "too large, of no type", path: reviews, headers: "Content-Type: text/plain", body: strings.Repeat(" ", 4<<20)},
		request{name: "wrong type before wrong option", path: reviews + "?dryRun=x", headers: "Content-Type: text/plain", body: "hello"},
		request{name: "wrong option before wrong body", path: reviews + "?dryRun=x", headers: asJSON, body: "hello"},
		request{name: "wrong method, by nobody", who: "nobody", method: "GET", path: reviews},
		request{name: "nowhere, by nobody", who: "nobody", method: "GET", path: "/nothing"},
		request{name: "nowhere, by a stranger", who: "stranger", method: "GET", path: "/nothing"},
		request{name: "wrong type, by nobody", who: "nobody", path: reviews, headers: "Content-Type: text/plain", body: "hello"},
		request{name: "YAML, by nobody", who: "nobody", path: reviews, headers: "Accept: application/yaml", body: "hello"},
		request{name: "YAML, no right", who: "robot", path: reviews, headers: "Accept: application/yaml", body: "hello"},
		request{name: "Basic", who: "nobody", path: selfReviews, headers: asJSON + "\nAuthorization: Basic cm9ib3Q6cm9ib3Q=", body: "{}"},
		request{name: "bearer in small letters", who: "nobody", path: selfReviews, headers: asJSON + "\nAuthorization: bearer " + RobotToken, body: "{}"},
		request{name: "bearer with two spaces", who: "nobody", path: selfReviews, headers: asJSON + "\nAuthorization: Bearer  " + RobotToken, body: "{}"},
		request{name: "bearer of nothing", who: "nobody", path: selfReviews, headers: asJSON + "\nAuthorization: Bearer ", body: "{}"},
	)
	for i := range all {
		if all[i].who == "" {
			all[i].who = "caller"
		}
		if all[i].method == "" {
			all[i].method = http.MethodPost
		}
	}
	askBothRaw(t, all)
}

func TestRawDiscoveryIsTheSameAsAtKubernetes(t *testing.T) {
	var all []request
	for _, path := range []string{
		"/apis/authentication.k8s.io", "/apis/authentication.k8s.io/", "/apis/authentication.k8s.io/v1", "/apis/authentication.k8s.io/v1/", "/apis/nothing.k8s.io",
		"/apis/authentication.k8s.io/v1beta1", "/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/api", "/api/",
	} {
		for _, who := range []string{"robot", "nobody", "stranger"} {
			all = append(all, request{name: path + " by " + who, who: who, method: "GET", path: path})
		}
		for _, accept := range []string{"application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/jwk-set+json", "text/html", "application/*", "*/*"} {
			all = append(all, request{name: path + " as " + accept, who: "robot", method: "GET", path: path, headers: "Accept: " + accept})
		}
	}
	askBothRaw(t, all)
}
