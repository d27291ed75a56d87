// What a request may say about the form of both bodies and about the options of a create, where it may
// go, and which of its mistakes is found first.

package cluster

import (
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
)

func TestRawContentTypesAreTheSameAsAtKubernetes(t *testing.T) {
	var all []request
	for _, contentType := range []string{
		"application/json", "Application/JSON; charset=utf-8", "application/json; foo=bar", "json", "*/*",
		"application/json, application/yaml", "text/plain", "application/x-www-form-urlencoded",
		"application/cbor", "application/apply-patch+yaml", "application/xml;", "",
	} {
		all = append(all, ofRobot(contentType, "Content-Type: "+contentType))
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
		answered := ofRobot("answered as "+accept, asJSON+"\nAccept: "+accept)
		answered.instead = notTaken[accept]
		refused := answered
		refused.name, refused.body = "refused as "+accept, "{}"
		all = append(all, answered, refused)
	}
	for _, agent := range []string{
		"curl/8.1", "Wget/1.2", "Mozilla/5.0 (X11)", "kubectl/v1.37 (linux/amd64)", "/", "ä", "",
	} {
		all = append(all, ofRobot("to "+agent, asJSON+"\nUser-Agent: "+agent))
	}
	askBothRaw(t, all)
}

// notTaken is what kube-apiserver takes for more than it says.
var notTaken = map[string]otherwise{
	"application/json;q=0": takingNothing,
	"application/json;q=x": takingNothing,
	"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1": takingATable,
}

func TestRawOptionsAreTheSameAsAtKubernetes(t *testing.T) {
	var all []request
	for _, query := range []string{
		"pretty", "pretty=true", "pretty=1", "pretty=T", "pretty=false", "pretty=junk",
		"timeout=5s", "timeout=0", "timeout=junk", "timeout=-1s", "timeout=1h", "timeout=",
		"dryRun=", "dryRun=All", "dryRun=all", "dryRun=All&dryRun=All", "dryRun=All&dryRun=x",
		"fieldManager=", "fieldManager=a%0Ab", "fieldManager=a&fieldManager=b", "fieldManager=%FF",
		"fieldManager=" + strings.Repeat("%C3%A4", 64), "fieldManager=" + strings.Repeat("%C3%A4", 65),
		"fieldValidation=Warn", "fieldValidation=warn", "fieldValidation=Ignore&fieldValidation=x",
		"foo=bar&limit=x&resourceVersion=y", "FIELDMANAGER=a%0Ab", "a=%zz", "a;b",
	} {
		request := ofRobot("?"+query, asJSON)
		request.path += "?" + query
		all = append(all, request)
	}
	askBothRaw(t, all)
}

func TestRawPlacesAreTheSameAsAtKubernetes(t *testing.T) {
	const group, inNamespace = "/apis/authentication.k8s.io", "/api/v1/namespaces/" + Namespace + "/serviceaccounts"
	var all []request
	for _, path := range []string{
		reviews, reviews + "/", reviews + "//", reviews + "/name",
		group + "/v1/namespaces/ci/tokenreviews", group + "/v1/TokenReviews",
		group + "/v1beta1/tokenreviews", group + "/v2/tokenreviews", "/apis/nothing.k8s.io/v1/tokenreviews",
		selfReviews, selfReviews + "/", requests, requests + "/",
		inNamespace + "/missing/token", inNamespace + "/Bad%20Name/token",
		inNamespace + "/%2e%2e/token", inNamespace + "/a%2Fb/token", "/api/v1/serviceaccounts/builder/token",
		"/api/v1/namespaces/missing/serviceaccounts/builder/token", "/nothing",
	} {
		all = append(all, request{name: path, path: path, headers: asJSON, body: "{}", instead: nowhere[path]})
	}
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, "BREW",
	} {
		for _, path := range []string{reviews, requests, selfReviews, "/version"} {
			request := request{name: method + " " + path, method: method, path: path, headers: asJSON}
			if path == "/version" {
				request.but = []difference{anyVersion}
			}
			all = append(all, request)
		}
	}
	askBothRaw(t, all)
}

// nowhere are places that are none here.
var nowhere = map[string]otherwise{
	reviews + "//":                         toNoKind,
	"/nothing":                             toNoKind,
	"/apis/nothing.k8s.io/v1/tokenreviews": toNoVersion,
	"/api/v1/namespaces/missing/serviceaccounts/builder/token": toAnotherNamespace,
}

func TestRawMistakesAreTheSameAsAtKubernetes(t *testing.T) {
	const (
		asText = "Content-Type: text/plain"
		mib    = 1 << 20
	)
	padding := strings.Repeat(" ", 4*mib)
	askBothRaw(t, []request{
		{name: "too large", path: reviews, headers: asJSON, body: robotsReview + padding[:3*mib]},
		{name: "just small enough", path: reviews, headers: asJSON, body: robotsReview + padding[:3*mib-len(robotsReview)]},
		{name: "size before type", path: reviews, headers: asText, body: padding, instead: sendingJSON},
		{name: "type before options", path: reviews + "?dryRun=x", headers: asText, body: "hello"},
		{name: "options before size", path: reviews + "?dryRun=x", headers: asJSON, body: padding},
		{name: "options before body", path: reviews + "?dryRun=x", headers: asJSON, body: "hello"},
		{name: "accept before type", path: reviews, headers: asText + "\nAccept: text/html", body: "hello"},
		{name: "nobody before method", who: "nobody", method: "GET", path: reviews},
		{name: "nobody before place", who: "nobody", method: "GET", path: "/nothing"},
		{name: "nobody before type", who: "nobody", path: reviews, headers: asText, body: "hello"},
		{name: "nobody, in YAML", who: "nobody", path: reviews, headers: "Accept: application/yaml", body: "hello"},
		{name: "stranger before place", who: "stranger", method: "GET", path: "/nothing"},
		{name: "timeout before stranger", who: "stranger", path: reviews + "?timeout=x", headers: asJSON},
		{name: "right before type", who: "robot", path: reviews, headers: asText, body: "hello"},
		{name: "right, in YAML", who: "robot", path: reviews, headers: "Accept: application/yaml", body: "hello"},
		{name: "right before account", who: "robot", path: strings.Replace(requests, "builder", "missing", 1), headers: asJSON, body: "{}"},
	})
}

func TestRawCredentialsAreTheSameAsAtKubernetes(t *testing.T) {
	var all []request
	for _, authorization := range []string{
		"Basic cm9ib3Q6cm9ib3Q=", "bearer " + RobotToken, "BEARER " + RobotToken, "Bearer  " + RobotToken,
		"Bearer ", "Bearer", "Bearer " + RobotToken + " more", "Token " + RobotToken, "", "  Bearer " + RobotToken,
	} {
		all = append(all, request{
			name: authorization, who: "nobody", path: selfReviews,
			headers: asJSON + "\nAuthorization: " + authorization, body: "{}",
		})
	}
	askBothRaw(t, all)
}

func TestRawDiscoveryIsTheSameAsAtKubernetes(t *testing.T) {
	const group = "/apis/authentication.k8s.io"
	var all []request
	for _, path := range []string{
		"/api", "/api/", group, group + "/", group + "/v1", group + "/v1/", group + "/v1beta1", "/apis/nothing.k8s.io",
		"/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks",
	} {
		for _, who := range []string{"robot", "nobody", "stranger"} {
			request := request{name: path + " by " + who, who: who, method: "GET", path: path}
			switch {
			case who == "stranger" && (strings.HasPrefix(path, "/.well-known/") || path == "/openid/v1/jwks"):
				request.instead = asNobody
			case who == "robot" && path == "/apis/nothing.k8s.io":
				request.instead = toNoVersion
			}
			all = append(all, request)
		}
	}
	for who, instead := range map[string]otherwise{"robot": nil, "nobody": nil, "stranger": asNobody} {
		all = append(all, request{
			name: "/version by " + who, who: who, method: "GET", path: "/version",
			but: []difference{anyVersion}, instead: instead,
		})
	}
	// Who asks for the issuer's keys as JSON gets them here, so only what finds kinds is in the list.
	for _, path := range []string{"/api", group, group + "/v1", group + "/v1beta1", "/apis/nothing.k8s.io"} {
		for _, accept := range []string{
			"application/json", "application/json;as=Table;g=meta.k8s.io;v=v1", "application/yaml",
			"application/vnd.kubernetes.protobuf", "text/html", "application/*", "*/*",
		} {
			if accept == runtime.ContentTypeProtobuf && path != group+"/v1beta1" && path != "/apis/nothing.k8s.io" {
				continue // see TestRawDiscoveryIsNotInProtobuf
			}
			request := request{
				name: path + " as " + accept, who: "robot", method: "GET", path: path,
				headers: "Accept: " + accept,
			}
			switch {
			case path == "/apis/nothing.k8s.io":
				request.instead = toNoVersion
			case path != group+"/v1beta1":
				request.instead, request.but = listsInstead[accept], []difference{listsWithoutProtobuf}
			}
			all = append(all, request)
		}
	}
	askBothRaw(t, all)
}

// listsInstead is what kube-apiserver is to be said to take where it has a list of discovery.
var listsInstead = map[string]otherwise{
	"application/*": takingJSON,
	"text/html":     takingNoList,
	"application/json;as=Table;g=meta.k8s.io;v=v1": takingNoList,
}

// kube-apiserver has its lists in protobuf too. Clients take JSON as well.
func TestRawDiscoveryIsNotInProtobuf(t *testing.T) {
	const group = "/apis/authentication.k8s.io"
	for _, path := range []string{"/api", "/api/v1", "/apis", group, group + "/v1"} {
		request := request{who: "robot", method: "GET", path: path, headers: "Accept: " + runtime.ContentTypeProtobuf}
		answer, err := request.send(shared.Countersign.Side)
		if err != nil {
			t.Fatal(err)
		}
		const want = "Available representations: application/json, application/yaml\""
		if answer[0].text != "406 Not Acceptable" || !strings.Contains(answer[2].text, want) {
			t.Errorf("%s: %v", path, answer)
		}
	}
}

// ofRobot has the robot's token reviewed.
func ofRobot(name, headers string) request {
	return request{name: name, path: reviews, headers: headers, body: robotsReview}
}
