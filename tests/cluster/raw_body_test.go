// Bodies that are no object of the kind, not quite, or barely.

package cluster

import (
	"cmp"
	"strings"
	"testing"
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
			for _, request := range all {
				if validation == "" || canBeValidated(request.name) {
					request.instead, request.but = noObjects[request.name], wordedOtherwise[request.name]
					request.path = path + "?fieldValidation=" + validation
					request.headers = cmp.Or(request.headers, asJSON)
					these = append(these, request)
				}
			}
			t.Run(what+" "+validation, func(t *testing.T) { askBothRaw(t, these) })
		}
	}
}

// noObjects are bodies that countersign refuses.
var noObjects = map[string]otherwise{
	"surrogate":         sendingNoObject,
	"invalid UTF-8":     sendingNoObject,
	"YAML with a merge": sendingNoObject,
}

// wordedOtherwise are bodies that both refuse, and each for a reason of its own.
var wordedOtherwise = map[string][]difference{
	"other version":                     {noSuchKind("TokenReview", "authentication.k8s.io/v1beta1")},
	"broken version":                    {noSuchKind("TokenReview", "a/b/c")},
	"protobuf of another kind":          {noSuchKind("Pod", "v1")},
	"time is none":                      {timeInOwnWords},
	"seconds are too many for anything": {numberBeyond64Bits},
}

// canBeValidated says whether there is something in a body for fieldValidation to find.
func canBeValidated(name string) bool {
	return strings.Contains(name, "unknown") || strings.Contains(name, "duplicate") ||
		strings.Contains(name, "letters")
}
