// countersign, the program under test, as an operator would set it up: certificates and kubeconfig
// by its own `init`, a configuration in its own words, and `serve`.

package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A token of countersign's own token file, and whose it is.
const (
	RobotToken  = "token-of-the-robot"
	Robot       = "robot"
	RobotUID    = "42"
	RobotGroups = "builders,testers"
)

// Caller may have tokens reviewed and issued, here (`callers`) and, by RBAC, at the API servers. He
// has a token in the token file, and a client certificate with the same name.
const (
	Caller      = "caller"
	CallerToken = "token-of-the-caller"
	CallerUID   = "43"
)

// MaxExpiration is how long a token may be good for at most.
const MaxExpiration = 24 * time.Hour

// IssuedPrefix is what countersign puts before the names of the users of its own tokens, when it is
// asked as a webhook.
const IssuedPrefix = "countersign:"

// Countersign is the webhook under test, as its own `init` sets it up.
type Countersign struct {
	*Process
	*Side
	// WebhookKubeconfig is what an API server needs to ask it.
	WebhookKubeconfig string
	// ClientAuthority is the file with the certificate that all client certificates are signed by.
	ClientAuthority string
	// Certified is Caller with the certificate.
	Certified Credential
	// CallerKubeconfig is what Caller gives to kubectl.
	CallerKubeconfig string
	// ObjectsDir has the manifests of what its service account tokens can be of and bound to.
	ObjectsDir string

	admin string // address
	// begin runs the program.
	begin func() (*Process, error)
}

// TrustedIssuer is whose tokens a countersign accepts beside its own, and what it makes of them.
type TrustedIssuer struct {
	Issuer, Authority, Audience string
	UsernameClaim, GroupsClaim  string
	Prefix                      string
}

// configuration is what an operator would write, were the ports always the same.
var configuration = template.Must(template.New("").Parse(`
apiVersion: countersign.dev/v1alpha1
kind: Configuration
apiAudiences: ["{{.Audience}}"]
listen:
  address: {{.Listen}}
  certificateFile: tls.crt
  privateKeyFile: tls.key
  clientCAFile: client-ca.crt
  clientNames: [kube-apiserver]
admin:
  address: {{.Admin}}
jwt:
{{- range .Trusted}}
- issuer:
    url: {{.Issuer}}
    certificateAuthorityFile: {{.Authority}}
    audiences: ["{{.Audience}}"]
  claimMappings:
    username: {claim: {{.UsernameClaim}}, prefix: "{{.Prefix}}"}
{{- if .GroupsClaim}}
    groups: {claim: {{.GroupsClaim}}, prefix: "{{.Prefix}}"}
{{- end}}
{{- end}}
tokenFile:
  path: tokens.csv
serviceAccountIssuer:
  url: {{.Issuer}}
  signingKeyFiles: [service-account.key]
  objectsDir: objects
  maxExpiration: {{.MaxExpiration}}
  usernamePrefix: "{{.IssuedPrefix}}"
  groupsPrefix: "{{.IssuedPrefix}}"
callers:
- users: [{{.Caller}}]
  allow: [tokenreviews, serviceaccounts/token]
  serviceAccounts: ["*/*"]
  audiences: ["*"]
`[1:]))

// StartCountersign gives a countersign that trusts these issuers and has tried each of them.
func (c *Cluster) StartCountersign(name string, trusted ...TrustedIssuer) (*Countersign, error) {
	addresses, err := freeAddresses(2)
	if err != nil {
		return nil, err
	}
	listen, admin := addresses[0], addresses[1]
	dir := c.path(name)
	in := func(name string) string { return filepath.Join(dir, name) }
	countersign := &Countersign{
		Side: &Side{
			Endpoint: &Endpoint{Address: listen, Authority: in("ca.crt"), home: dir},
			Issuer:   "https://" + listen,
		},
		WebhookKubeconfig: in("webhook.kubeconfig"),
		ClientAuthority:   in("client-ca.crt"),
		Certified:         Credential{Certificate: in(Caller + ".crt"), KeyFile: in(Caller + ".key")},
		CallerKubeconfig:  in(Caller + ".kubeconfig"),
		ObjectsDir:        in("objects"),
		admin:             admin,
	}
	if err := c.initCertificates(dir, "--server", "https://"+listen+"/authenticate", "--client", Caller); err != nil {
		return nil, err
	}
	if err := writeNewKey(in("service-account.key")); err != nil {
		return nil, err
	}
	if countersign.Objects, err = writeObjects(countersign.ObjectsDir); err != nil {
		return nil, err
	}

	tokens := fmt.Sprintf("%s,%s,%s,%q\n", RobotToken, Robot, RobotUID, RobotGroups) +
		fmt.Sprintf("%s,%s,%s\n", CallerToken, Caller, CallerUID)
	if err := os.WriteFile(in("tokens.csv"), []byte(tokens), 0o600); err != nil {
		return nil, err
	}
	var text strings.Builder
	err = configuration.Execute(&text, map[string]any{
		"Audience": Audience, "Listen": listen, "Admin": admin, "Trusted": trusted,
		"Issuer": countersign.Issuer, "MaxExpiration": MaxExpiration, "IssuedPrefix": IssuedPrefix,
		"Caller": Caller,
	})
	if err != nil {
		return nil, err
	}
	file := in("countersign.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}

	program, err := countersignPath()
	if err != nil {
		return nil, err
	}
	countersign.begin = func() (*Process, error) {
		return c.startProcess(name, program, "serve", "--config", file)
	}
	if countersign.Process, err = countersign.begin(); err != nil {
		return nil, err
	}
	return countersign, countersign.Eventually("readiness", func() error {
		_, err := countersign.get("/readyz")
		return err
	})
}

// Replace runs another countersign in the place of this one, as a rollout does: on the same addresses,
// and the one before it is told to end when the next serves.
func (c *Countersign) Replace() error {
	old := c.Process
	next, err := c.begin()
	if err != nil {
		return err
	}
	c.Process = next
	if _, err := next.Log.AwaitLine(next.began, `"message":"serving"`); err != nil {
		return err
	}
	if err := old.Stop(); err != nil {
		return err
	}
	if state := old.command.ProcessState; !state.Success() {
		return fmt.Errorf("%s: it ended: %v", old.Name, state)
	}
	return nil
}

// initCertificates has countersign make a certificate authority, and what it signs, in a directory.
func (c *Cluster) initCertificates(dir string, arguments ...string) error {
	program, err := countersignPath()
	if err != nil {
		return err
	}
	command := exec.Command(program, append([]string{"init", "--dir", dir}, arguments...)...)
	command.Env = environment(c.dir)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, output)
	}
	return nil
}

func countersignPath() (string, error) {
	return builtFile(cmp.Or(os.Getenv("COUNTERSIGN"), "../../target/release/countersign"))
}

// Counter reads a counter of /metrics: the sum of all its children that have these labels. It is 0 until there
// is one.
func (c *Countersign) Counter(name string, labels map[string]string) (float64, error) {
	text, err := c.get("/metrics")
	if err != nil {
		return 0, err
	}
	return counterIn(text, name, labels)
}

func counterIn(text, name string, labels map[string]string) (float64, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return 0, fmt.Errorf("metrics: %w", err)
	}
	var sum float64
	for _, child := range families[name].GetMetric() {
		if hasLabels(child, labels) {
			sum += child.GetCounter().GetValue()
		}
	}
	return sum, nil
}

func hasLabels(child *dto.Metric, labels map[string]string) bool {
	found := 0
	for _, label := range child.Label {
		if value, wanted := labels[label.GetName()]; wanted && value == label.GetValue() {
			found++
		}
	}
	return found == len(labels)
}

func (c *Countersign) get(path string) (string, error) {
	response, err := plainClient.Get("http://" + c.admin + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status + ": " + string(body))
	}
	return string(body), err
}

var plainClient = &http.Client{Timeout: Patience, Transport: &http.Transport{}}
