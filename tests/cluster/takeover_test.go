// Requests all the time, with tokens that an API server has never seen, while what answers its
// questions is replaced: certificate, client authorities, the process. No request fails, and the API
// server itself, by its metrics, has seen no error.

package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNothingFailsWhileCountersignIsReplaced(t *testing.T) {
	countersign := shared.Countersign
	expectNoFailure := askAllTheTime(t)

	t.Run("its certificate", func(t *testing.T) {
		// Not the API servers': whoever uses client-go closes its connections, whatever is under way on
		// them, when it finds a new client certificate of its own.
		dir, renewed := filepath.Dir(countersign.ClientAuthority), t.TempDir()
		if err := os.CopyFS(renewed, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := shared.initCertificates(renewed, "--renew"); err != nil {
			t.Fatal(err)
		}
		awaitReload(t, func() error {
			for _, name := range []string{"tls.crt", "tls.key"} {
				if err := replaceFile(filepath.Join(dir, name), read(t, filepath.Join(renewed, name))); err != nil {
					return err
				}
			}
			return nil
		})
	})
	t.Run("its client authorities", func(t *testing.T) {
		before := read(t, countersign.ClientAuthority)
		for _, authorities := range []string{before + read(t, shared.Rotating.Authority), before} {
			awaitReload(t, func() error { return replaceFile(countersign.ClientAuthority, authorities) })
		}
	})
	t.Run("itself", func(t *testing.T) {
		for range 5 {
			if err := countersign.Replace(); err != nil {
				t.Fatal(err)
			}
			awaitingMore(t, "countersign_token_reviews_total", map[string]string{"result": "authenticated"}, 20)()
		}
	})

	expectNoFailure()
}

// askAllTheTime begins to ask each API server for something, each time with another token. What it
// gives stops that, and expects that nothing has failed.
func askAllTheTime(t *testing.T) (expectNoFailure func()) {
	t.Helper()
	stop := make(chan struct{})
	var asking sync.WaitGroup
	var lock sync.Mutex
	asked, failed := 0, []error{}
	errorsBefore := map[string]float64{}
	for version, server := range shared.APIServers {
		errorsBefore[version] = authenticationErrors(t, server)
		for range 4 {
			asking.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					err := askAsAlice(server)
					lock.Lock()
					asked++
					if err != nil {
						failed = append(failed, err)
					}
					lock.Unlock()
				}
			})
		}
	}
	end := sync.OnceFunc(func() {
		close(stop)
		asking.Wait()
	})
	t.Cleanup(end) // where the test ends before its time
	return func() {
		t.Helper()
		end()
		t.Logf("%d requests, %d failed", asked, len(failed))
		if asked < 100 {
			t.Error("those are too few")
		}
		for _, err := range failed {
			t.Error(err)
		}
		for version, server := range shared.APIServers {
			if errors := authenticationErrors(t, server) - errorsBefore[version]; errors > 0 {
				t.Errorf("%s has counted %v errors", server.Name, errors)
			}
		}
	}
}

// askAsAlice asks with a new token of hers.
func askAsAlice(server *APIServer) error {
	token, err := shared.Provider.Token(Kubernetes)
	if err != nil {
		return err
	}
	client, err := server.Client(Credential{Token: token})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	_, err = client.AuthenticationV1().SelfSubjectReviews().
		Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	return err
}

// authenticationErrors is how often the API server could not find out whose a token is.
func authenticationErrors(t *testing.T, server *APIServer) float64 {
	t.Helper()
	text, err := server.Kubectl(AdminToken, "get", "--raw=/metrics")
	if err != nil {
		t.Fatal(err)
	}
	errors, err := counterIn(text, "authentication_attempts", map[string]string{"result": "error"})
	if err != nil {
		t.Fatal(err)
	}
	return errors
}

// awaitReload changes files, and waits until countersign has taken that up and has been asked since.
func awaitReload(t *testing.T, change func() error) {
	t.Helper()
	awaitMore := awaitingMore(t, "countersign_config_reloads_total", map[string]string{"result": "success"}, 1)
	if err := change(); err != nil {
		t.Fatal(err)
	}
	awaitMore()
	awaitingMore(t, "countersign_token_reviews_total", map[string]string{"result": "authenticated"}, 20)()
}

// awaitingMore reads a counter now. What it gives waits until the counter has grown by so much.
func awaitingMore(t *testing.T, name string, labels map[string]string, more float64) func() {
	t.Helper()
	before, err := shared.Countersign.Counter(name, labels)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		err := Eventually(Patience, func() error {
			now, err := shared.Countersign.Counter(name, labels)
			if err == nil && now < before+more {
				err = fmt.Errorf("%s was %v and is %v", name, before, now)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// replaceFile writes a file whole: nobody sees half of it.
func replaceFile(path, content string) error {
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
