// The OpenID Provider: its life, its keys in as far as a restart replaces them, and its tokens.

package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Resources for which a provider issues JWTs (RFC 8707).
const (
	Kubernetes     = "https://kubernetes.test"           // for the audience that countersign expects
	KubernetesSoon = "https://soon-over.kubernetes.test" // the same, for a second
	Elsewhere      = "https://elsewhere.test"            // for an audience that nobody expects
	Nowhere        = ""                                  // no resource: the token is opaque, no JWT
)

// ProviderAudience is what a provider's tokens for [Kubernetes] have in `aud`.
const ProviderAudience = "kubernetes"

// Alice is a client of every provider.
const (
	Alice       = "alice"
	aliceSecret = "secret-of-alice"
)

// AlicesGroups are in her tokens, where countersign has not yet put a prefix before them.
var AlicesGroups = []string{"developers", "auditors"}

// Provider is a certified OpenID Provider (see ../idp/provider.mjs).
type Provider struct {
	*Process
	// Issuer is its URL, the same after every start.
	Issuer string
	// Prefix is what countersign puts before the names of its users and groups.
	Prefix string

	// Authority is the file with the certificate that its own is signed by.
	Authority string

	client *http.Client
	// begin runs the program, on the port of the issuer's URL if there is one yet.
	begin func(issuer string) (*Process, error)
}

// Trusted is how a countersign takes its tokens.
func (p *Provider) Trusted() TrustedIssuer {
	return TrustedIssuer{
		Issuer: p.Issuer, Authority: p.Authority, Audience: ProviderAudience,
		UsernameClaim: "username", GroupsClaim: "groups", Prefix: p.Prefix,
	}
}

// startProvider gives a provider that answers, with a certificate authority of its own.
func (c *Cluster) startProvider(name string) (*Provider, error) {
	dir := c.path(name)
	if err := c.initCertificates(dir); err != nil {
		return nil, err
	}
	script, err := filepath.Abs("../idp/provider.mjs")
	if err != nil {
		return nil, err
	}

	p := &Provider{Prefix: name + ":", Authority: filepath.Join(dir, "ca.crt")}
	p.begin = func(issuer string) (*Process, error) {
		settings := filepath.Join(dir, "settings.json")
		if err := writeProviderSettings(settings, dir, issuer); err != nil {
			return nil, err
		}
		return c.startProcess(name, "node", script, settings)
	}
	if p.client, err = httpsClient(p.Authority); err != nil {
		return nil, err
	}
	return p, p.Start()
}

// Start runs the provider, stopped before or not yet started, with new signing keys.
func (p *Provider) Start() (err error) {
	if p.Process, err = p.begin(p.Issuer); err != nil {
		return err
	}
	announced, err := p.announcedURL()
	if err != nil {
		return err
	}
	if p.Issuer != "" && p.Issuer != announced {
		return fmt.Errorf("the issuer was %s and is now %s", p.Issuer, announced)
	}
	p.Issuer = announced
	return nil
}

func writeProviderSettings(path, dir, issuer string) error {
	port := "0"
	if issuer != "" {
		port = portOf(issuer)
	}
	type object map[string]any
	text, err := json.MarshalIndent(object{
		"port":            json.Number(port),
		"certificateFile": filepath.Join(dir, "tls.crt"),
		"privateKeyFile":  filepath.Join(dir, "tls.key"),
		"clients": object{
			Alice: object{
				"secret": aliceSecret,
				"claims": object{"username": Alice, "groups": AlicesGroups},
			},
		},
		"resources": object{
			Kubernetes:     object{"audience": ProviderAudience, "lifetimeSeconds": 3600},
			KubernetesSoon: object{"audience": ProviderAudience, "lifetimeSeconds": 1},
			Elsewhere:      object{"audience": "elsewhere", "lifetimeSeconds": 3600},
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// Token is a new access token of Alice's for a resource.
func (p *Provider) Token(resource string) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if resource != Nowhere {
		form.Set("resource", resource)
	}
	request, err := http.NewRequest(http.MethodPost, p.Issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(Alice, aliceSecret)
	response, err := p.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()

	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &granted); err != nil || granted.AccessToken == "" {
		return "", fmt.Errorf("%s: a token for %q: %s: %s", p.Issuer, resource, response.Status, body)
	}
	return granted.AccessToken, nil
}

// httpsClient trusts one certificate authority, and keeps no connection that a restart could break.
func httpsClient(authority string) (*http.Client, error) {
	certificate, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificate) {
		return nil, fmt.Errorf("no certificate in %s", authority)
	}
	return &http.Client{
		Timeout: Patience,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: roots},
		},
	}, nil
}
