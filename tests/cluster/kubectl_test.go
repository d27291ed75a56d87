// Real kubectl, against countersign as against kube-apiserver: what it prints, what it complains of,
// and how it ends.

package cluster

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// command is one run of kubectl by somebody, the caller unless it says who. Its arguments are apart from each
// other by spaces.
type command struct {
	name, who, line, input string
	but                    []difference
	// only is what is compared of standard output; all of it if there is no such function.
	only func(side *Side, text string) string
	// instead is what is asked of kube-apiserver, if it is not the same.
	instead func(command) command
	// complaint is what is compared of standard error; all of it if there is no such function.
	complaint func(side *Side, text string) string
}

func askBothKubectl(t *testing.T, commands []command) {
	t.Helper()
	questions := make([]question, len(commands))
	for i, command := range commands {
		questions[i] = question{command.name, command.run, command.but}
	}
	askBoth(t, questions)
}

func (c command) run(side *Side) (answer, error) {
	if side.Kubernetes && c.instead != nil {
		c = c.instead(c)
	}
	who := credential(side, cmp.Or(c.who, "caller"))
	said, err := side.Run(who, side.Fill(c.input), strings.Fields(side.Fill(c.line))...)
	if c.only != nil {
		said.Stdout = c.only(side, said.Stdout)
	}
	if c.complaint != nil {
		said.Stderr = c.complaint(side, said.Stderr)
	}
	return answer{
		{"exit code", strconv.Itoa(said.Code)},
		{"stderr", said.Stderr},
		{"stdout", said.Stdout},
	}, err
}

func TestKubectlCreateTokenIsTheSameAsAtKubernetes(t *testing.T) {
	const create = "create token builder --namespace=ci "
	var commands []command
	for _, arguments := range []string{
		"", "--output=json", "--output=yaml", "--output=go-template={{.spec}}",

		"--duration=10m --output=yaml", "--duration=9m59s", "--duration=0s", "--duration=-1s",
		"--duration=24h --output=yaml", "--duration=24h0m1s --output=yaml", "--duration=4294967297s",

		"--audience=vault --output=yaml", "--audience=vault --audience=a --output=yaml",
		"--audience=a --audience=a --output=yaml",

		bound("Pod", "web"), bound("Pod", "web") + " --output=yaml", bound("Pod", "missing"),
		bound("Pod", "waiting"), bound("Pod", "stray"), bound("Pod", "of-the-tester"),
		boundByUID("Pod", "web", "{uid of Pod web}"), boundByUID("Pod", "web", "{uid of Pod waiting}"),
		bound("Secret", "settings") + " --output=yaml", bound("Secret", "missing"),
		boundByUID("Secret", "settings", "{uid of Secret settings}"), boundByUID("Secret", "settings", "zz"),
		bound("Node", "worker") + " --output=yaml", bound("Node", "missing"),
		boundByUID("Node", "worker", "{uid of Node worker}"), boundByUID("Node", "worker", "zz"),
		bound("ConfigMap", "web"), "--bound-object-kind=Pod", "--bound-object-name=web",
	} {
		commands = append(commands, command{name: "with " + arguments, line: create + arguments})
	}
	const elsewhere = "create token builder --namespace=missing"
	askBothKubectl(t, append(commands,
		command{name: "with a certificate", who: "caller with a certificate", line: create},
		command{name: "missing account", line: "create token missing --namespace=ci"},
		command{name: "missing account, too short", line: "create token missing --namespace=ci --duration=1s"},
		command{name: "missing namespace", line: elsewhere, instead: inAnotherNamespace},
		command{name: "no right", who: "robot", line: create},
		command{name: "no right, by an issued token", who: "token of the builder", line: create},
		command{name: "no right in a missing namespace", who: "robot", line: elsewhere},
		command{name: "stranger", who: "stranger", line: create},
	))
}

// inAnotherNamespace: countersign has no namespaces, so that none can be missing, but only what is in it.
func inAnotherNamespace(c command) command {
	c.line = strings.Replace(c.line, "--namespace=missing", "--namespace=default", 1)
	return c
}

func bound(kind, name string) string {
	return "--bound-object-kind=" + kind + " --bound-object-name=" + name
}

func boundByUID(kind, name, uid string) string {
	return bound(kind, name) + " --bound-object-uid=" + uid
}

// The README's first five minutes.
func TestKubectlCreatesATokenWithTheKubeconfigOfInit(t *testing.T) {
	server := shared.Countersign
	said, err := server.RunWith(server.CallerKubeconfig, "create", "token", "builder", "--namespace="+Namespace)
	if err != nil || said.Code != 0 {
		t.Fatal(err, said)
	}
	user, err := server.WhoAmI(strings.TrimSpace(said.Stdout))
	if err != nil {
		t.Fatal(err)
	}
	if want := "system:serviceaccount:" + Namespace + ":builder"; user.Username != want {
		t.Errorf("it is %q, not %q", user.Username, want)
	}
}

func TestKubectlWhoAmIIsTheSameAsAtKubernetes(t *testing.T) {
	var commands []command
	for _, who := range []string{
		"caller", "caller with a certificate", "robot", "alice's token",
		"token of the builder", "token of Pod web", "token of Pod waiting", "token of Pod stray",
		"token of Secret settings", "token of Node worker", "token for both", "token for the vault",
		"tampered token", "stranger",
	} {
		commands = append(commands, command{name: who, who: who, line: "auth whoami --output=json"})
	}
	askBothKubectl(t, append(commands,
		command{name: "as YAML", who: "robot", line: "auth whoami --output=yaml"},
		command{name: "as YAML, a pod", who: "token of Pod web", line: "auth whoami --output=yaml"},
		command{name: "as a table", who: "robot", line: "auth whoami"},
	))
}

// review is a manifest of a TokenReview, with more members of its spec and others.
func review(token string, more ...string) string {
	return "apiVersion: authentication.k8s.io/v1\nkind: TokenReview\nspec:\n  token: '" +
		strings.ReplaceAll(token, "'", "''") + "'\n" + strings.Join(more, "")
}

const (
	forVault = "  audiences: [vault]\n"
	forBoth  = "  audiences: [vault, " + Audience + "]\n"
	labelled = "metadata:\n  name: mine\n  labels: {app: web}\n  annotations: {example.org/note: hello}\n"
)

func TestKubectlCreateTokenReviewIsTheSameAsAtKubernetes(t *testing.T) {
	const create = "create --filename=- --output=yaml "
	robots := review(RobotToken)
	commands := []command{
		{name: "empty", line: create, input: review("")},
		{name: "for another audience", line: create, input: review(RobotToken, forVault)},
		{name: "for another audience and this", line: create, input: review(RobotToken, forBoth)},
		{name: "with metadata", line: create, input: review(RobotToken, labelled)},
		{name: "as JSON", line: "create --filename=- --output=json", input: robots},
		{name: "by name", line: "create --filename=- --output=name", input: robots},
		{name: "no output", line: "create --filename=-", input: robots},
		{name: "raw", line: "create --filename=- --raw=" + reviews, input: robotsReview},
		{name: "managed fields", line: create + "--show-managed-fields", input: robots},
		{name: "field manager", line: create + "--show-managed-fields --field-manager=me", input: robots},
		{name: "dry run", line: create + "--dry-run=server", input: robots},
		{name: "dry run at home", line: "create --filename=- --dry-run=client --output=name", input: robots},
		{name: "gone version", line: create, input: strings.Replace(robots, "/v1", "/v1beta1", 1)},
		{name: "other kind", line: create, input: strings.Replace(robots, "TokenReview", "TokenRevue", 1)},
		{name: "with a certificate", who: "caller with a certificate", line: create, input: robots},
		{name: "no right", who: "robot", line: create, input: robots},
		{name: "stranger", who: "stranger", line: create, input: robots},
	}
	for _, token := range []string{
		"alice's token", "tampered token", "elsewhere token", "opaque token", "token of the builder",
		"token of Pod web", "token of Secret settings", "token of Node worker", "token for both",
	} {
		commands = append(commands,
			command{name: token, line: create, input: review("{" + token + "}")},
			command{name: token + " for both", line: create, input: review("{"+token+"}", forBoth)},
		)
	}
	for name, wrong := range map[string]string{
		"unknown":   "  tokn: x\nstatsu: {}\n",
		"duplicate": "  audiences: []\n  audiences: [" + Audience + "]\n",
		"mistyped":  "  audiences: vault\n",
	} {
		for _, validate := range []string{"strict", "warn", "ignore"} {
			commands = append(commands, command{
				name:  name + ", " + validate,
				line:  create + "--validate=" + validate,
				input: review(RobotToken, wrong),
			})
		}
	}
	for i := range commands {
		commands[i].complaint = leftToTheServer[commands[i].name]
	}
	askBothKubectl(t, commands)
}

// leftToTheServer are the complaints about reviews that kubectl validates itself, by an OpenAPI v2, where
// the v3 does not say that the server does: at a PATCH, which no review has. countersign has no v2, and its
// v3 says so. Then kubectl tells what the server complains of, and sooner that it does not know a kind.
var leftToTheServer = map[string]func(side *Side, complaint string) string{
	"unknown, warn":   nobodyIsWarned,
	"duplicate, warn": nobodyIsWarned,
	"mistyped, warn":  nobodyIsWarned,
	"unknown, strict": complaintFor(
		validating+"[ValidationError(TokenReview.spec): unknown field \"tokn\" in ",
		atTheServer+"strict decoding error: unknown field \"spec.tokn\", unknown field \"statsu\"\n"),
	"mistyped, strict": complaintFor(
		validating+"ValidationError(TokenReview.spec.audiences): invalid type for ",
		atTheServer+"json: cannot unmarshal string into Go struct field TokenReviewSpec.spec.audiences of type []string\n"),
	"gone version": complaintFor(
		noMapping+`no matches for kind "TokenReview" in version "authentication.k8s.io/v1beta1"`,
		validating+"the server could not find the requested resource; "+turnItOff),
	"other kind": complaintFor(
		noMapping+`no matches for kind "TokenRevue" in version "authentication.k8s.io/v1"`,
		validating+"failed to download openapi: the server could not find the requested resource; "+turnItOff),
}

const (
	validating  = `error: error validating "STDIN": error validating data: `
	noMapping   = `error: resource mapping not found for name: "" namespace: "" from "STDIN": `
	atTheServer = `Error from server (BadRequest): error when creating "STDIN": ` +
		`TokenReview in version "v1" cannot be handled as a TokenReview: `
	turnItOff = "if you choose to ignore these errors, turn validation off with --validate=false\n"
)

// complaintFor is what kubectl says of countersign for what it begins to say of kube-apiserver.
func complaintFor(beginning, text string) func(side *Side, complaint string) string {
	return func(side *Side, complaint string) string {
		if side.Kubernetes && strings.HasPrefix(complaint, beginning) {
			return text
		}
		return complaint
	}
}

// nobodyIsWarned: by itself kubectl cannot only warn, and says that.
func nobodyIsWarned(side *Side, complaint string) string {
	if side.Kubernetes {
		return warnIsUnsupported.ReplaceAllString(complaint, "")
	}
	return complaint
}

var warnIsUnsupported = regexp.MustCompile(
	`(?m)^W.*\] cannot perform warn validation if server-side field validation is unsupported, skipping validation\n`)

// A token that is of its issuer, and not good for what it is asked for: the reasons have their own
// words in each.
func TestKubectlCreateTokenReviewOfARefusedTokenIsNearlyTheSameAsAtKubernetes(t *testing.T) {
	const create = "create --filename=- --output=yaml"
	but := []difference{reasonInOwnWords}
	askBothKubectl(t, []command{
		{name: "for another audience", line: create, input: review("{token of Pod web}", forVault), but: but},
		{name: "of another audience", line: create, input: review("{token for the vault}"), but: but},
	})
}

// reasonInOwnWords: kube-apiserver has the words of its authenticators, countersign those of its list.
func reasonInOwnWords(_ *Side, document *yaml.Node) {
	if reason := member(document, "status", "error"); reason != nil && reason.Value != "" {
		reason.Value = "a reason"
	}
}
