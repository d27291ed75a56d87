// A server that speaks the API of Kubernetes: kube-apiserver, and countersign for its own part of it.
// kubectl and client-go do not know which of them they ask.

package cluster

import (
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Endpoint is where such a server is found, and by what it is known.
type Endpoint struct {
	Address   string // host and port
	Authority string // file with the certificate that its own is signed by

	home string // of those who run kubectl, with its cache of what the server offers
}

// Credential is what somebody shows for who they are: a bearer token, or files with a client
// certificate and its key. Empty, it is nobody's.
type Credential struct {
	Token                string
	Certificate, KeyFile string
}

// RESTConfig is how client-go asks an endpoint, in one content type and no other, and not more
// slowly than it can.
func (e *Endpoint) RESTConfig(who Credential, contentType string) *rest.Config {
	return &rest.Config{
		Host:        "https://" + e.Address,
		BearerToken: who.Token,
		TLSClientConfig: rest.TLSClientConfig{
			CAFile:   e.Authority,
			CertFile: who.Certificate,
			KeyFile:  who.KeyFile,
		},
		ContentConfig: rest.ContentConfig{ContentType: contentType, AcceptContentTypes: contentType},
		QPS:           -1,
		Timeout:       Patience,
	}
}

// Client is client-go with its typed clients, asking in protobuf as it does unless it is told
// otherwise.
func (e *Endpoint) Client(who Credential) (*kubernetes.Clientset, error) {
	return kubernetes.NewForConfig(e.RESTConfig(who, "application/vnd.kubernetes.protobuf"))
}
