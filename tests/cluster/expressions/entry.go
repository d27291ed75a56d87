// What is asked: entries of `jwt`, and tokens for them.

package expressions

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"k8s.io/apiserver/pkg/apis/apiserver"
	apiserverv1 "k8s.io/apiserver/pkg/apis/apiserver/v1"

	"countersign.dev/tests/cluster"
)

// Subject is somebody who knows AuthenticationConfiguration.
type Subject interface {
	Name() string
	// Check gives the mistakes of a configuration with these entries of `jwt`, by their places.
	Check(entries []Entry) (map[Place]string, error)
	// Authenticate gives what each entry makes of the token with its claims.
	Authenticate(entries []Entry) ([]Answer, error)
}

// Entry is one of `jwt`, and the claims of a token for it.
type Entry struct {
	Number int
	JWT    apiserver.JWTAuthenticator
	Claims string
}

// Place is a field of an entry.
type Place struct {
	Number int
	Field  string
}

// Answer is who the token is of, or why it is nobody's.
type Answer struct {
	UID    string
	Groups []string
	Values []string
	Error  string
}

const (
	audience = "expressions"
	// valueKey is where the values of probes go.
	valueKey = "expressions.example/value"
	// listedKey is where extra values of users come from, for expressions about users.
	listedKey = "example.com/k"
)

func newEntry(number int, claims string) Entry {
	entry := Entry{Number: number, Claims: claims}
	entry.JWT.Issuer.URL = fmt.Sprintf("https://issuer-%d.example", number)
	entry.JWT.Issuer.Audiences = []string{audience}
	return entry
}

// v1 is how the entry is written in a file.
func (e Entry) v1() (map[string]any, error) {
	var versioned apiserverv1.JWTAuthenticator
	if err := apiserverv1.Convert_apiserver_JWTAuthenticator_To_v1_JWTAuthenticator(&e.JWT, &versioned, nil); err != nil {
		return nil, err
	}
	text, err := json.Marshal(versioned)
	if err != nil {
		return nil, err
	}
	var written map[string]any
	return written, json.Unmarshal(text, &written)
}

// each does something for every number below one, several at a time.
func each(below int, do func(int) error) error {
	failures := make([]error, below)
	numbers := make(chan int)
	var doing sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		doing.Go(func() {
			for i := range numbers {
				failures[i] = do(i)
			}
		})
	}
	for i := range below {
		numbers <- i
	}
	close(numbers)
	doing.Wait()
	return errors.Join(failures...)
}

// signer makes tokens.
type signer struct {
	*cluster.SigningKey
	now time.Time
}

func newSigner() (*signer, error) {
	key, err := cluster.NewSigningKey()
	return &signer{SigningKey: key, now: time.Now()}, err
}

// token is what the issuer of the entry would make of its claims.
func (s *signer) token(entry Entry) (string, error) {
	payload := fmt.Sprintf(`{"iss": %q, "aud": [%q], "iat": %d, "exp": %d, %s}`,
		entry.JWT.Issuer.URL, audience, s.now.Unix(), s.now.Add(time.Hour).Unix(), entry.Claims)
	return s.Sign([]byte(payload))
}
