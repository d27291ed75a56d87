// Where countersign means to answer otherwise than kube-apiserver, and no client of Kubernetes sees it.
//
// Mostly it answers as kube-apiserver answers another question. Then that is what kube-apiserver is
// asked, and what both say to that has to be the same to the letter. The README has the reasons, under
// "Differences from kube-apiserver's API".

package cluster

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// otherwise is the question that kube-apiserver is asked in the place of this one.
type otherwise func(request) request

// asNobody: the version and what the issuer publishes are there for all, whatever token they show.
func asNobody(r request) request { r.who = "nobody"; return r }

// takingNothing: what has the quality 0 is not taken (RFC 9110, section 12.4.2), nor what has none that
// can be read.
func takingNothing(r request) request { return r.accepting("text/html") }

// takingATable: an object is answered whole, and its metadata alone are no other form of it.
func takingATable(r request) request {
	return r.accepting("application/json;as=Table;g=meta.k8s.io;v=v1")
}

// takingJSON: a list of discovery is also for those who take `application/*`.
func takingJSON(r request) request { return r.accepting("application/json") }

// takingNoList: and it is for nobody else than who takes JSON or YAML as they are, which is always said as
// kube-apiserver says it at /api. See [listsWithoutProtobuf].
func takingNoList(r request) request { r.path = "/api"; return takingNothing(r) }

// sendingNoObject: invalid UTF-8, half a surrogate pair and the merge keys of YAML are not made into
// something else than what was sent.
func sendingNoObject(r request) request { r.body = "[]"; return r }

// sendingJSON: a body of more than 3 MiB is too large, before anything else is looked at.
func sendingJSON(r request) request { r.headers = asJSON; return r }

// toNoKind: what is nowhere is said in a Status, and two slashes lead nowhere.
func toNoKind(r request) request { r.path = "/apis/authentication.k8s.io/v1/nothing"; return r }

// toNoVersion: so it is for a group that is not there as for a version.
func toNoVersion(r request) request {
	r.path = strings.Replace(r.path, "nothing.k8s.io/v1", "authentication.k8s.io/v2", 1)
	r.path = strings.Replace(r.path, "nothing.k8s.io", "authentication.k8s.io/v2", 1)
	return r
}

// toAnotherNamespace: there are no namespaces, so that none can be missing, but only what is in it.
func toAnotherNamespace(r request) request {
	r.path = strings.Replace(r.path, "/missing/", "/default/", 1)
	return r
}

// accepting is the request in which Accept is another.
func (r request) accepting(mediaType string) request {
	r.headers = acceptLine.ReplaceAllLiteralString(r.headers, "Accept: "+mediaType)
	return r
}

var acceptLine = regexp.MustCompile(`(?m)^Accept: .*$`)

// reworded changes what kube-apiserver says to what countersign says.
func reworded(pattern, text string) difference {
	words := regexp.MustCompile(pattern)
	return func(side *Side, document *yaml.Node) {
		if message := member(document, "message"); side.Kubernetes && message != nil {
			message.Value = words.ReplaceAllString(message.Value, text)
		}
	}
}

// listsWithoutProtobuf: what discovery lists is in JSON and YAML.
var listsWithoutProtobuf = reworded(`, application/vnd\.kubernetes\.protobuf\z`, "")

// noSuchKind: countersign knows none but its own kinds. To kube-apiserver some of the others are known,
// and cannot be made into what they have to be; a version that is none it finds earlier.
func noSuchKind(kind, apiVersion string) difference {
	none := fmt.Sprintf("no kind %q is registered for version %q", kind, apiVersion)
	convert := reworded(
		`\A(\w+) in version "\w+" (cannot be handled as a \w+: )`+
			`converting \(\w+\.\w+\) to \(authentication\.\w+\): unknown conversion\z`,
		`$1 in version "v1" ${2}`+none)
	find := reworded(
		`(?s)\Athe object provided is unrecognized \(must be of type (\w+)\): unexpected GroupVersion string: .*\z`,
		kind+` in version "v1" cannot be handled as a ${1}: `+none)
	return func(side *Side, document *yaml.Node) {
		convert(side, document)
		find(side, document)
	}
}

// timeInOwnWords: what is wrong with a time is said without the time, as with any other value.
var timeInOwnWords = reworded(`parsing time "yesterday" as .*\z`,
	"json: cannot unmarshal string into Go struct field ObjectMeta.metadata.creationTimestamp "+
		"of type v1.Time (RFC 3339)")

// numberBeyond64Bits: a number that is no int64 is shown as short as it can be.
var numberBeyond64Bits = reworded(`number 99999999999999999999 `, "number 1e20 ")
