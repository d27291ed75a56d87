// kube-apiserver, with countersign as its webhook.
//
// Each has RBAC, an administrator of its own, certificates that it signs itself, and its own part of
// etcd. What differs between two of them is how they talk to the webhook, and what they call
// themselves. Client certificates are those of countersign's `init`, the same for all.

package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
)

// AdminToken is known to every API server itself, and may do everything there.
const AdminToken = "admin-of-the-test"

// anonymousConfiguration lets those who show nothing ask what they may ask of countersign, and no more.
const anonymousConfiguration = `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous:
  enabled: true
  conditions:
  - path: /version
  - path: /.well-known/openid-configuration
  - path: /.well-known/openid-configuration/
  - path: /openid/v1/jwks
`

// APIServer is a kube-apiserver that asks countersign about tokens, every time: its own cache of
// the answers is off.
type APIServer struct {
	*Process
	*Side
}

// StartAPIServer gives an API server that is ready. They share an etcd, but each is a cluster of
// its own, with its own objects there.
//
// The audience is what it calls itself: what it asks the webhook for, and what a token has to be
// good for.
func (c *Cluster) StartAPIServer(name, webhookVersion, audience string) (*APIServer, error) {
	name = "kube-apiserver-" + name
	dir := c.path(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	admins := filepath.Join(dir, "admins.csv")
	if err := os.WriteFile(admins, []byte(AdminToken+`,admin,1,"system:masters"`+"\n"), 0o600); err != nil {
		return nil, err
	}
	authentication := filepath.Join(dir, "authentication.yaml")
	if err := os.WriteFile(authentication, []byte(anonymousConfiguration), 0o600); err != nil {
		return nil, err
	}
	serviceAccountKey := filepath.Join(dir, "service-account.key")
	if err := writeNewKey(serviceAccountKey); err != nil {
		return nil, err
	}
	addresses, err := freeAddresses(1)
	if err != nil {
		return nil, err
	}

	process, err := c.startComponent(name, "kube-apiserver",
		"--etcd-servers="+c.etcd,
		"--etcd-prefix=/"+name,
		"--bind-address=127.0.0.1",
		"--secure-port="+portOf(addresses[0]),
		"--cert-dir="+dir,
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", // nobody is to find it through the kubernetes Service
		"--authorization-mode=RBAC",
		"--token-auth-file="+admins,
		"--authentication-config="+authentication,
		"--client-ca-file="+c.Countersign.ClientAuthority,
		"--service-account-issuer="+Audience,
		"--service-account-key-file="+serviceAccountKey,
		"--service-account-signing-key-file="+serviceAccountKey,
		"--service-account-max-token-expiration="+MaxExpiration.String(),
		"--api-audiences="+audience,
		"--authentication-token-webhook-config-file="+c.Countersign.WebhookKubeconfig,
		"--authentication-token-webhook-version="+webhookVersion,
		"--authentication-token-webhook-cache-ttl=0",
	)
	if err != nil {
		return nil, err
	}
	server := &APIServer{process, &Side{
		Endpoint: &Endpoint{
			Address:   addresses[0],
			Authority: filepath.Join(dir, "apiserver.crt"), // self-signed
			home:      dir,
		},
		Kubernetes: true,
		Issuer:     Audience,
	}}
	return server, server.Eventually("readiness", func() error {
		_, err := server.Kubectl(AdminToken, "get", "--raw=/readyz")
		return err
	})
}

func writeNewKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	block := pem.Block{Type: "EC PRIVATE KEY", Bytes: der}
	return os.WriteFile(path, pem.EncodeToMemory(&block), 0o600)
}
