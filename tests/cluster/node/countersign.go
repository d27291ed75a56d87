// countersign as an operator brings it to a cluster: certificates by its own `init`, Secrets made of
// them, its chart, and the flags of kube-apiserver.

package node

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"countersign.dev/tests/cluster"
)

// Namespace is where the chart is installed.
const Namespace = "countersign"

// webhookDirectory is where the API server finds its side of the webhook. kubeadm's static pod has
// what is below /etc/kubernetes/pki mounted anyway.
const webhookDirectory = "/etc/kubernetes/pki/countersign"

const webhookKubeconfig = webhookDirectory + "/webhook.kubeconfig"

// webhookFlags is what kubeadm has to be told for countersign to be asked, every time.
const webhookFlags = `
apiServer:
  extraArgs:
  - {name: authentication-token-webhook-config-file, value: ` + webhookKubeconfig + `}
  - {name: authentication-token-webhook-version, value: v1}
  - {name: authentication-token-webhook-cache-ttl, value: 0s}
`

// Mode is one of the chart's two.
type Mode struct {
	Name string
	// Server is where the API server finds the webhook.
	Server string
	// PodSecurity is the strictest standard that the pods meet.
	PodSecurity string
	// Replicas is how many pods there are.
	Replicas int
	// Values are those that only this mode has.
	Values string
}

var (
	daemonSet = Mode{
		Name:        "daemonset",
		Server:      "https://127.0.0.1:8443/authenticate",
		PodSecurity: "privileged", // for the host's network
		Replicas:    1,
		Values:      "admin: {host: 0.0.0.0}\n",
	}
	deployment = Mode{
		Name:        "deployment",
		Server:      "https://10.96.0.44/authenticate",
		PodSecurity: "restricted",
		Replicas:    2,
		Values:      "service: {clusterIP: 10.96.0.44}\nreplicas: 2\n",
	}
)

// values are those of a release whose users get a prefix, by which one configuration is told from
// another.
var values = template.Must(template.New("").Parse(`
mode: {{.Mode.Name}}
image: {repository: {{.Repository}}, tag: {{.Tag}}, pullPolicy: Never}
config:
  apiAudiences: [{{.Audience}}]
  jwt:
  - issuer:
      url: {{.Issuer}}
      audiences: [{{.IssuerAudience}}]
      jwksFile: keys.json
    claimMappings:
      username: {claim: sub, prefix: "{{.Prefix}}"}
      groups: {claim: groups, prefix: "{{.Prefix}}"}
files:
  keys.json: '{{.Keys}}'
tls: {secretName: countersign-tls}
clientCA: {secretName: countersign-client-ca}
test: {tokenSecretName: countersign-test-token, clientSecretName: countersign-test-client}
podAnnotations:
  prometheus.io/scrape: "true"
  prometheus.io/port: "9443"
{{.Mode.Values}}`[1:]))

// Repository is the image's name without its tag. Both tags are of the same image: what a new tag
// does to a release does not depend on what is in it.
const (
	Repository = "localhost/countersign"
	FirstTag   = "first"
	SecondTag  = "second"
)

// Installation is countersign in the cluster, or on its way there.
type Installation struct {
	*Release
	Issuer *Issuer

	mode Mode
}

// Prepare does all that comes before Helm: images, certificates, Secrets, and an API server that
// asks countersign before there is one.
func (n *Node) Prepare(mode Mode) (*Installation, error) {
	issuer, err := NewIssuer()
	if err != nil {
		return nil, err
	}
	release, err := n.CountersignRelease()
	if err != nil {
		return nil, err
	}
	installation := &Installation{release, issuer, mode}
	for _, step := range []func() error{
		n.importCountersign,
		func() error { return n.initCountersign(mode) },
		func() error { return n.makeSecrets(mode) },
		func() error { return n.StartAPIServer(webhookFlags) },
	} {
		if err := step(); err != nil {
			return installation, err
		}
	}
	return installation, nil
}

// CountersignRelease is the chart under its name here.
func (n *Node) CountersignRelease() (*Release, error) {
	chart, err := filepath.Abs("../../../deploy/chart")
	return n.Release("countersign", Namespace, chart), err
}

// importCountersign gives the image the names that the values have for it.
func (n *Node) importCountersign() error {
	archive, err := imageArchive()
	if err != nil {
		return err
	}
	return n.ImportImage(archive, Repository+":"+FirstTag, Repository+":"+SecondTag)
}

// initCountersign makes the certificates where the API server will look for them.
func (n *Node) initCountersign(mode Mode) error {
	program, err := countersignPath()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(webhookDirectory); err != nil { // of the other mode
		return err
	}
	// The chart's own test, and who reads NOTES.txt, asks for the Service by its name.
	host := "countersign." + Namespace + ".svc"
	_, err = n.run(program, "init", "--dir", webhookDirectory, "--server", mode.Server, "--host", host)
	return err
}

func (n *Node) makeSecrets(mode Mode) error {
	file := func(name string) string { return filepath.Join(webhookDirectory, name) }
	for _, arguments := range [][]string{
		{"create", "namespace", Namespace},
		{"label", "namespace", Namespace, "pod-security.kubernetes.io/enforce=" + mode.PodSecurity},
		{
			"create", "secret", "generic", "countersign-tls", "--type=kubernetes.io/tls",
			"--from-file=" + file("tls.crt"), "--from-file=" + file("tls.key"), "--from-file=" + file("ca.crt"),
		},
		{"create", "secret", "generic", "countersign-client-ca", "--from-file=ca.crt=" + file("client-ca.crt")},
		// For the chart's own test.
		{"create", "secret", "generic", testTokenSecret, "--from-literal=token="},
		{
			"create", "secret", "tls", "countersign-test-client",
			"--cert=" + file("kube-apiserver.crt"), "--key=" + file("kube-apiserver.key"),
		},
	} {
		if _, err := n.Kubectl(append(arguments, "--namespace="+Namespace)...); err != nil {
			return err
		}
	}
	return nil
}

// testTokenSecret has the token that the chart's test has reviewed.
const testTokenSecret = "countersign-test-token"

// SetTestToken has it review this one from now on.
func (i *Installation) SetTestToken(token string) error {
	patch := fmt.Sprintf(`{"stringData": {"token": %q}}`, token)
	_, err := i.node.Kubectl("patch", "secret", testTokenSecret, "--namespace="+Namespace, "--patch="+patch)
	return err
}

// Remove takes away what Prepare did, and whatever is left of the release. The API server no longer
// asks.
func (i *Installation) Remove() error {
	if _, err := i.node.Kubectl("delete", "namespace", Namespace, "--timeout=2m"); err != nil {
		return err
	}
	return i.node.StartAPIServer("")
}

// Values are those of a release with an image and a prefix.
func (i *Installation) Values(tag, prefix string) (string, error) {
	keys, err := i.Issuer.Keys()
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = values.Execute(&text, map[string]any{
		"Mode": i.mode, "Repository": Repository, "Tag": tag, "Prefix": prefix,
		"Audience": cluster.Audience, "Issuer": IssuerURL, "IssuerAudience": IssuerAudience, "Keys": keys,
	})
	return text.String(), err
}

// ExpectAlice has kubectl ask the API server who the bearer of a new token is, until it is Alice
// with this prefix.
func (i *Installation) ExpectAlice(prefix string) error {
	return i.node.ExpectUser(prefix+Alice, i.Issuer.Token)
}

// Pods are the names of those that serve, and are not about to end.
func (i *Installation) Pods() ([]string, error) {
	output, err := i.node.Kubectl("get", "pods", "--namespace="+Namespace,
		"--selector=app.kubernetes.io/component=webhook",
		`--output=go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}} {{end}}{{end}}`)
	return strings.Fields(output), err
}

// AwaitPods waits until so many of them are ready.
func (i *Installation) AwaitPods(count int) error {
	return cluster.Eventually(cluster.Patience, func() error {
		output, err := i.node.Kubectl("get", "pods", "--namespace="+Namespace,
			"--selector=app.kubernetes.io/component=webhook",
			`--output=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}`)
		if err == nil && strings.Count(output, "True") != count {
			err = fmt.Errorf("readiness of the pods is %q; %d should be ready", output, count)
		}
		return err
	})
}

// AwaitRestart waits until a pod is ready that has restarted once.
func (i *Installation) AwaitRestart(pod string) error {
	return cluster.Eventually(cluster.Patience, func() error {
		output, err := i.node.Kubectl("get", "pod", pod, "--namespace="+Namespace,
			"--output=jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}")
		if err == nil && output != "1 true" {
			err = fmt.Errorf("restarts and readiness are %s", output)
		}
		return err
	})
}

// ExpectNothing waits until there is no object any more that has the release's label, of whatever
// kind, and none of Helm's own.
func (i *Installation) ExpectNothing() error {
	kinds, err := i.node.Kubectl("api-resources", "--verbs=list", "--output=name")
	if err != nil {
		return err
	}
	return cluster.Eventually(cluster.Patience, func() error {
		labelled, err := i.node.Kubectl("get", strings.Join(strings.Fields(kinds), ","), "--all-namespaces",
			"--selector=app.kubernetes.io/instance="+i.Name, "--output=name")
		if err != nil {
			return err
		}
		helms, err := i.node.Kubectl("get", "secrets,configmaps", "--all-namespaces",
			"--selector=owner=helm,name="+i.Name, "--output=name")
		if err == nil && labelled+helms != "" {
			err = fmt.Errorf("there are still %q", strings.Fields(labelled+helms))
		}
		return err
	})
}

// Situation is what someone would want to know first when it does not work.
func (i *Installation) Situation() string {
	var all string
	for _, command := range []string{
		"get all --output=wide", "get events --sort-by=.lastTimestamp",
		"logs --selector=app.kubernetes.io/component=webhook --tail=20 --prefix",
	} {
		output, err := i.node.Kubectl(append(strings.Fields(command), "--namespace="+Namespace)...)
		if err != nil {
			output += err.Error()
		}
		all += fmt.Sprintf("--- kubectl %s\n%s\n", command, output)
	}
	return all
}

// imageArchive is what `make image` made, or IMAGE names.
func imageArchive() (string, error) {
	return built("make image", cmp.Or(os.Getenv("IMAGE"), "../../../target/image.tar"))
}

// countersignPath is the program as it runs on a machine, for `init`.
func countersignPath() (string, error) {
	return built("make release", cmp.Or(os.Getenv("COUNTERSIGN"), "../../../target/release/countersign"))
}

func built(command, path string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(whole); err != nil {
		return "", fmt.Errorf("%w (`%s` makes it)", err, command)
	}
	return whole, nil
}
