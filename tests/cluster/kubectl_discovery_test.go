// What kubectl finds out about a server: which kinds it has, what they consist of, its version.
//
// kube-apiserver has many kinds, and describes them in its own words. So only those that both have are
// compared, and of a description only which members there are, and of which type.

package cluster

import (
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestKubectlExplainIsTheSameAsAtKubernetes(t *testing.T) {
	var commands []command
	for _, what := range []string{
		"tokenreview", "tokenreviews", "tokenreview --recursive", "tokenreview.metadata",
		"tokenreview.metadata.managedFields", "tokenreview.spec", "tokenreview.spec.audiences",
		"tokenreview.status", "tokenreview.status.user.extra", "tokenreview.nothing",
		"tokenreview --api-version=authentication.k8s.io/v1",
		"tokenreview --api-version=authentication.k8s.io/v1beta1",
		"selfsubjectreview", "selfsubjectreview --recursive", "selfsubjectreview.status.userInfo",
		"tokenrequest",
	} {
		commands = append(commands, command{name: what, who: "robot", line: "explain " + what})
	}
	askBothKubectl(t, only(structure, commands))
}

func TestKubectlAPIResourcesAreTheSameAsAtKubernetes(t *testing.T) {
	const list = "api-resources --api-group=authentication.k8s.io "
	askBothKubectl(t, []command{
		{name: "wide", who: "robot", line: list + "--output=wide"},
		{name: "by name", who: "robot", line: list + "--output=name"},
		{name: "as JSON", who: "robot", line: list + "--output=json"},
		{name: "in a namespace", who: "robot", line: list + "--namespaced=true"},
		{name: "that can be created", who: "robot", line: list + "--verbs=create"},
		{name: "that can be listed", who: "robot", line: list + "--verbs=list"},
		{name: "stranger", who: "stranger", line: list},
	})
	askBothKubectl(t, only(ofAuthentication, []command{
		{name: "all", who: "robot", line: "api-resources --no-headers --output=name"},
		{name: "versions", who: "robot", line: "api-versions"},
	}))
}

func TestKubectlVersionIsTheSameAsAtKubernetes(t *testing.T) {
	askBothKubectl(t, []command{
		{name: "as JSON", who: "robot", line: "version --output=json", but: []difference{anyVersion}},
		{name: "stranger", who: "stranger", line: "version --output=json", but: []difference{anyVersion}, instead: byRobot},
	})
	serverVersion := regexp.MustCompile(`(?m)^(Server Version: v1\.)\S+$`)
	askBothKubectl(t, only(func(_ *Side, text string) string {
		return serverVersion.ReplaceAllString(text, "$1…")
	}, []command{{name: "in short", who: "robot", line: "version"}}))
}

// byRobot: the version is there for all, whatever token they show.
func byRobot(c command) command { c.who = "robot"; return c }

// anyVersion has other values of the same members.
func anyVersion(_ *Side, document *yaml.Node) {
	version := document
	if isKind(document, "Status") {
		return
	}
	if within := member(document, "serverVersion"); within != nil { // as kubectl prints it
		version = within
	}
	for name, value := range members(version) {
		value.Value = "a " + name
	}
}

// only compares what is left of standard output.
func only(left func(side *Side, text string) string, commands []command) []command {
	for i := range commands {
		commands[i].only = left
	}
	return commands
}

// structure is what `kubectl explain` says without the descriptions, which are indented as deep as
// nothing else is but members of members.
func structure(_ *Side, text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if structureLine.MatchString(line) {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

var structureLine = regexp.MustCompile(`^([A-Z]+:|[A-Z]+: .*| +\S+\t<\S+>.*)\n$`)

// ofAuthentication is what kube-apiserver has of what countersign has, and all of what that has.
func ofAuthentication(side *Side, text string) string {
	if !side.Kubernetes {
		return text
	}
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, "authentication.k8s.io") || line == "v1\n" {
			lines.WriteString(line)
		}
	}
	return lines.String()
}
