// TokenReviews: of countersign itself as kube-apiserver asks it, and of kube-apiserver, which asks
// countersign.

package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"countersign.dev/tests/cluster"
)

// Reviewer posts TokenReviews, and tries nothing twice.
type Reviewer struct {
	client *http.Client
	url    string
}

// Connections says whether a reviewer keeps its connection, as kube-apiserver does, or makes a new
// one each time.
type Connections bool

const (
	KeptConnection Connections = true
	NewConnections Connections = false
)

// NewReviewer asks whom the kubeconfig names, as the kubeconfig says, at a path below its server's.
func NewReviewer(kubeconfig, path string, connections Connections) (*Reviewer, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	tls, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig:   tls,
		ForceAttemptHTTP2: true,
		DisableKeepAlives: connections == NewConnections,
	}
	return &Reviewer{&http.Client{Transport: transport, Timeout: cluster.Patience}, config.Host + path}, nil
}

// NewWebhookReviewer asks countersign, as kube-apiserver would.
func NewWebhookReviewer(kubeconfig string, connections Connections) (*Reviewer, error) {
	return NewReviewer(kubeconfig, "", connections)
}

// NewAPIServerReviewer asks kube-apiserver, which then asks countersign.
func NewAPIServerReviewer() (*Reviewer, error) {
	return NewReviewer(adminKubeconfig, "/apis/authentication.k8s.io/v1/tokenreviews", KeptConnection)
}

// Review is one review of a token.
func (r *Reviewer) Review(token string) (*authenticationv1.TokenReviewStatus, error) {
	review := authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	review.SetGroupVersionKind(authenticationv1.SchemeGroupVersion.WithKind("TokenReview"))
	body, err := json.Marshal(review)
	if err != nil {
		return nil, err
	}
	response, err := r.client.Post(r.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("%s: %s", response.Status, answer)
	}
	review = authenticationv1.TokenReview{}
	if err := json.Unmarshal(answer, &review); err != nil {
		return nil, fmt.Errorf("%w: %s", err, answer)
	}
	return &review.Status, nil
}

// Load is reviews of ever new tokens, at a steady rate, whether they are answered or not.
type Load struct {
	// Name says who is asked, and how.
	Name string

	stop    chan struct{}
	stopped chan struct{}

	lock   sync.Mutex
	asked  int
	failed []Failure
}

// Failure is a review that was not answered well, and when that was known.
type Failure struct {
	At  time.Time
	Err error
}

// StartLoad asks so many times in a second until it is stopped.
func StartLoad(name string, perSecond int, reviewer *Reviewer, issuer *Issuer) *Load {
	load := &Load{Name: name, stop: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(load.stopped)
		var pending sync.WaitGroup
		defer pending.Wait()
		ticks := time.NewTicker(time.Second / time.Duration(perSecond))
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				pending.Go(func() { load.add(reviewOf(reviewer, issuer)) })
			case <-load.stop:
				return
			}
		}
	}()
	return load
}

func reviewOf(reviewer *Reviewer, issuer *Issuer) error {
	token, err := issuer.Token()
	if err != nil {
		return err
	}
	began := time.Now()
	status, err := reviewer.Review(token)
	if err == nil && !status.Authenticated {
		err = fmt.Errorf("not authenticated: %q", status.Error)
	}
	if err != nil {
		return fmt.Errorf("after %v: %w", time.Since(began), err)
	}
	return nil
}

func (l *Load) add(err error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.asked++
	if err != nil {
		l.failed = append(l.failed, Failure{time.Now(), err})
	}
}

// Stop says how many were asked, and which of them failed.
func (l *Load) Stop() (asked int, failed []Failure) {
	close(l.stop)
	<-l.stopped
	return l.asked, l.failed
}
