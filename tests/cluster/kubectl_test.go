// Real kubectl, against countersign as against kube-apiserver: what it prints, what it complains of,
// and how it ends.

package cluster

import (
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// command is one run of kubectl by somebody, with the arguments apart from each other by a space.
type command struct {
	name, who, line, input string
	but                    []difference
	// only is what is compared of standard output; all of it if there is no such function.
	only func(side *Side, text string) string
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
	said, err := side.Run(credential(side, c.who), side.Fill(c.input), strings.Fields(side.Fill(c.line))...)
	if c.only != nil {
		said.Stdout = c.only(side, said.Stdout)
	}
	return answer{
		{"exit code", strconv.Itoa(said.Code)},
		{"stderr", said.Stderr},
		{"stdout", said.Stdout},
	}, err
}

func TestKubectlCreateTokenIsTheSameAsAtKubernetes(t *testing.T) {
	const create = "create token builder --namespace=ci "
	askBothKubectl(t, []command{
		{name: "plain", who: "caller", line: create},
		{name: "with a certificate", who: "caller with a certificate", line: create},
		{name: "as JSON", who: "caller", line: create + "--output=json"},
		{name: "as YAML", who: "caller", line: create + "--output=yaml"},
		{name: "with template", who: "caller", line: create + "--output=go-template={{.spec}}"},

		{name: "ten minutes", who: "caller", line: create + "--duration=10m --output=yaml"},
		{name: "too short", who: "caller", line: create + "--duration=9m59s"},
		{name: "negative", who: "caller", line: create + "--duration=-1s"},
		{name: "longest", who: "caller", line: create + "--duration=24h --output=yaml"},
		{name: "longer than the longest", who: "caller", line: create + "--duration=24h0m1s --output=yaml"},
		{name: "too long", who: "caller", line: create + "--duration=4294967297s"},

		{name: "one audience", who: "caller", line: create + "--audience=vault --output=yaml"},
		{name: "two audiences", who: "caller", line: create + "--audience=vault --audience=a --output=yaml"},
		{name: "an audience twice", who: "caller", line: create + "--audience=a --audience=a --output=yaml"},

		{name: "bound to a pod", who: "caller", line: create + "--bound-object-kind=Pod --bound-object-name=web --output=yaml"},
		{name: "bound to a pod, uid", who: "caller", line: create + "--bound-object-kind=Pod --bound-object-name=web --bound-object-uid={uid of Pod web} --output=yaml"},
		{name: "bound to a pod, wrong uid", who: "caller", line: create + "--bound-object-kind=Pod --bound-object-name=web --bound-object-uid={uid of Pod waiting}"},
		{name: "bound to a missing pod", who: "caller", line: create + "--bound-object-kind=Pod --bound-object-name=missing"},
		{name: "bound to a waiting pod", who: "caller", line: create + "--bound-object-kind=Pod --bound-object-name=waiting"},
		{name: "bound to a stray pod", who: "caller", line: create + "--bound-object-kind=Pod --bound-object-name=stray"},
		{name: "bound to another's pod", who: "caller", line: create + "--bound-object-kind=Pod --bound-object-name=of-the-tester"},
		{name: "bound to a secret", who: "caller", line: create + "--bound-object-kind=Secret --bound-object-name=settings --output=yaml"},
		{name: "bound to a secret, wrong uid", who: "caller", line: create + "--bound-object-kind=Secret --bound-object-name=settings --bound-object-uid=zz"},
		{name: "bound to a missing secret", who: "caller", line: create + "--bound-object-kind=Secret --bound-object-name=missing"},
		{name: "bound to a node", who: "caller", line: create + "--bound-object-kind=Node --bound-object-name=worker --output=yaml"},
		{name: "bound to a node, wrong uid", who: "caller", line: create + "--bound-object-kind=Node --bound-object-name=worker --bound-object-uid=zz"},
		{name: "bound to a missing node", who: "caller", line: create + "--bound-object-kind=Node --bound-object-name=missing"},
		{name: "bound to what it cannot be", who: "caller", line: create + "--bound-object-kind=ConfigMap --bound-object-name=web"},

		{name: "missing account", who: "caller", line: "create token missing --namespace=ci"},
		{name: "missing account and too short", who: "caller", line: "create token missing --namespace=ci --duration=1s"},
		{name: "missing namespace", who: "caller", line: "create token builder --namespace=missing"},
		{name: "no right", who: "robot", line: create},
		{name: "no right, by a token of its own", who: "token of the builder", line: create},
		{name: "no right in a missing namespace", who: "robot", line: "create token builder --namespace=missing"},
		{name: "stranger", who: "stranger", line: create},
	})
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
	forVault  = "  audiences: [vault]\n"
	forBoth   = "  audiences: [vault, " + Audience + "]\n"
	labelled  = "metadata:\n  name: mine\n  labels: {app: web}\n  annotations: {example.org/note: hello}\n"
	unknown   = "  tokn: x\nstatsu: {}\n"
	duplicate = "  audiences: []\n  audiences: [" + Audience + "]\n"
)

func TestKubectlCreateTokenReviewIsTheSameAsAtKubernetes(t *testing.T) {
	const create = "create --filename=- --output=yaml "
	commands := []command{
		{name: "empty", who: "caller", line: create, input: review("")},
		{name: "for another audience", who: "caller", line: create, input: review(RobotToken, forVault)},
		{name: "for another audience and this", who: "caller", line: create, input: review(RobotToken, forBoth)},
		{name: "with metadata", who: "caller", line: create, input: review(RobotToken, labelled)},
		{name: "as JSON", who: "caller", line: "create --filename=- --output=json", input: review(RobotToken)},
		{name: "by name", who: "caller", line: "create --filename=- --output=name", input: review(RobotToken)},
		{name: "no output", who: "caller", line: "create --filename=-", input: review(RobotToken)},
		{name: "managed fields", who: "caller", line: create + "--show-managed-fields --field-manager=me", input: review(RobotToken, forBoth, labelled)},
		{name: "dry run", who: "caller", line: create + "--dry-run=server", input: review(RobotToken)},
		{name: "dry run at home", who: "caller", line: create + "--dry-run=client", input: review(RobotToken)},
		{name: "with a certificate", who: "caller with a certificate", line: create, input: review(RobotToken)},
		{name: "no right", who: "robot", line: create, input: review(RobotToken)},
		{name: "stranger", who: "stranger", line: create, input: review(RobotToken)},
		{name: "version that is gone", who: "caller", line: create, input: strings.Replace(review(RobotToken), "/v1", "/v1beta1", 1)},
		{name: "other kind", who: "caller", line: create, input: strings.Replace(review(RobotToken), "TokenReview", "TokenRevue", 1)},
		{name: "mistyped", who: "caller", line: create, input: review(RobotToken, "  audiences: vault\n")},
		{name: "mistyped, not validated", who: "caller", line: create + "--validate=ignore", input: review(RobotToken, "  audiences: vault\n")},
	}
	for _, token := range []string{
		"alice's token", "tampered token", "elsewhere token", "opaque token", "token of the builder",
		"token of Pod web", "token of Secret settings", "token of Node worker", "token for both",
	} {
		commands = append(commands,
			command{name: token, who: "caller", line: create, input: review("{" + token + "}")},
			command{name: token + " for both", who: "caller", line: create, input: review("{"+token+"}", forBoth)},
		)
	}
	for _, validate := range []string{"strict", "warn", "ignore"} {
		commands = append(commands,
			command{name: "unknown, " + validate, who: "caller", line: create + "--validate=" + validate, input: review(RobotToken, unknown)},
			command{name: "duplicate, " + validate, who: "caller", line: create + "--validate=" + validate, input: review(RobotToken, duplicate)},
		)
	}
	askBothKubectl(t, commands)
}

// A token that is of its issuer, and not good for what it is asked for: the reasons have their own
// words in each.
func TestKubectlCreateTokenReviewOfARefusedTokenIsNearlyTheSameAsAtKubernetes(t *testing.T) {
	const create = "create --filename=- --output=yaml"
	but := []difference{reasonInOwnWords}
	askBothKubectl(t, []command{
		{name: "for another audience", who: "caller", line: create, input: review("{token of Pod web}", forVault), but: but},
		{name: "of another audience", who: "caller", line: create, input: review("{token for the vault}"), but: but},
	})
}

// reasonInOwnWords: kube-apiserver has the words of its authenticators, countersign those of its list.
func reasonInOwnWords(_ *Side, document *yaml.Node) {
	if reason := member(document, "status", "error"); reason != nil && reason.Value != "" {
		reason.Value = "a reason"
	}
}
