// Webhook kubeconfigs that are wrong, each in one way, and what kube-apiserver's own client says of
// them, behind the words with which kube-apiserver logs it: so the README finds the row with the
// remedy.

package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/util/webhook"
	tokenwebhook "k8s.io/apiserver/plugin/pkg/authenticator/token/webhook"
)

// brokenSetup is a webhook kubeconfig with an edit, and what is said of it.
type brokenSetup struct {
	name string
	// edit are pairs of what is replaced in the kubeconfig and by what; {other} is a directory with
	// the certificates of another `init`.
	edit []string
	// says is what kube-apiserver logs after "Failed to make webhook authenticator request:".
	says string
}

var brokenSetups = []brokenSetup{
	{"nothing listens there", []string{"https://{address}", "https://127.0.0.1:1"}, "connect: connection refused"},
	{"the authority is another", []string{`"ca.crt"`, `"{other}/ca.crt"`}, "x509: certificate signed by unknown authority"},
	{"the certificate is for another name", []string{"    certificate-authority:", "    tls-server-name: elsewhere.test\n    certificate-authority:"}, "x509: certificate is valid for"},
	{"no client certificate", []string{"    client-certificate: \"kube-apiserver.crt\"\n    client-key: \"kube-apiserver.key\"\n", "    {}\n"}, "a client certificate is required"},
	{"a client certificate of another authority", []string{`"kube-apiserver.`, `"{other}/kube-apiserver.`}, "remote error: tls:"},
	{"a client certificate of another name", []string{`"kube-apiserver.crt"`, `"caller.crt"`, `"kube-apiserver.key"`, `"caller.key"`}, "is not in listen.clientNames"},
	{"another path", []string{"/authenticate", "/authentication"}, "the server could not find the requested resource"},
	{"the admin listener", []string{"https://{address}", "https://{admin}"}, "server gave HTTP response to HTTPS client"},
	{"no TLS", []string{"https://{address}", "http://{address}"}, "malformed HTTP response"},
}

func TestBrokenSetupsAreNamedByTheAPIServersLog(t *testing.T) {
	countersign := shared.Countersign
	other := filepath.Join(t.TempDir(), "other")
	if err := shared.initCertificates(other); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(countersign.WebhookKubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.NewReplacer("{other}", other, "{address}", countersign.Address, "{admin}", countersign.admin)
	for _, setup := range brokenSetups {
		t.Run(setup.name, func(t *testing.T) {
			text := string(good)
			for pair := setup.edit; len(pair) > 0; pair = pair[2:] {
				before := names.Replace(pair[0])
				if !strings.Contains(text, before) {
					t.Fatalf("there is no %q in %s", before, text)
				}
				text = strings.ReplaceAll(text, before, names.Replace(pair[1]))
			}
			file := filepath.Join(filepath.Dir(countersign.WebhookKubeconfig), "broken.kubeconfig")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			err := askThrough(file)
			t.Logf("%v", err)
			if err == nil || !strings.Contains(err.Error(), setup.says) {
				t.Errorf("it does not say %q: %v", setup.says, err)
			}
			if !strings.Contains(string(readme), setup.says) {
				t.Errorf("the README has no row for %q", setup.says)
			}
		})
	}
}

// askThrough has a token reviewed by the very client that kube-apiserver has, and gives what that logs.
func askThrough(kubeconfig string) error {
	config, err := webhook.LoadKubeconfig(kubeconfig, nil)
	if err != nil {
		return err
	}
	authenticator, err := tokenwebhook.New(config, "v1", []string{Audience}, wait.Backoff{Steps: 1})
	if err != nil {
		return err
	}
	_, authenticated, err := authenticator.AuthenticateToken(context.Background(), "any token")
	if authenticated {
		return fmt.Errorf("any token is authenticated")
	}
	return err
}
