// Tokens that are no good. kubectl says only `Unauthorized`; why, is for the operator, in the log of
// kube-apiserver. There countersign's `status.error` arrives, or is lost on the way.

package cluster

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// refusals are the tokens of a trusted issuer that are no good, with a word of the reason.
var refusals = []struct {
	name   string
	token  func(t *testing.T) string
	reason string
}{
	{"expired", expiredToken, "expired"},
	{"tampered", tamperedToken, "signature"},
	{"for another audience", tokenForElsewhere, "audience"},
}

func TestReasonOfARefusalIsInTheAPIServersLog(t *testing.T) {
	eachAPIServer(t, func(t *testing.T, server *APIServer) {
		for _, refusal := range refusals {
			t.Run(refusal.name, func(t *testing.T) {
				token := refusal.token(t)
				before := mark(t, server.Log)
				expectUnauthorized(t, server, token)
				expectReasonLogged(t, server, before, shared.Provider, refusal.reason)
			})
		}
	})
}

// An API server drops an error that comes with none of the audiences it asked for. So whoever
// answers with its own audiences, and not with those, is silent to an API server of another name.
func TestReasonReachesAnAPIServerOfAnotherAudience(t *testing.T) {
	server, err := shared.StartAPIServer("elsewhere", "v1", "https://kubernetes.elsewhere.test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})

	t.Run("good for the audience of others", func(t *testing.T) {
		before := mark(t, server.Log)
		expectUnauthorized(t, server, token(t, shared.Provider, Kubernetes))
		expectReasonLogged(t, server, before, shared.Provider, "audience")
	})
	for _, refusal := range refusals {
		t.Run(refusal.name, func(t *testing.T) {
			token := refusal.token(t)
			before := mark(t, server.Log)
			expectUnauthorized(t, server, token)
			expectReasonLogged(t, server, before, shared.Provider, refusal.reason)
		})
	}
}

// Who posts a TokenReview to the API server may ask for any audience. An error that comes without
// audiences is dropped here, because it then counts as one for the API server's own.
func TestReasonReachesAReviewForAnotherAudience(t *testing.T) {
	eachAPIServer(t, func(t *testing.T, server *APIServer) {
		for _, refusal := range refusals {
			t.Run(refusal.name, func(t *testing.T) {
				status, err := server.Review(refusal.token(t), "https://vault.test")
				if err != nil {
					t.Fatal(err)
				}
				if status.Authenticated {
					t.Errorf("it is %q", status.User.Username)
				}
				for _, word := range []string{shared.Provider.Issuer, refusal.reason} {
					if !strings.Contains(status.Error, word) {
						t.Errorf("the error %q does not say %q", status.Error, word)
					}
				}
			})
		}
	})
}

func TestReviewHasTheAudiencesThatWereAskedFor(t *testing.T) {
	eachAPIServer(t, func(t *testing.T, server *APIServer) {
		status, err := server.Review(token(t, shared.Provider, Kubernetes), "https://vault.test", Audience)
		if err != nil {
			t.Fatal(err)
		}
		if !status.Authenticated || !slices.Equal(status.Audiences, []string{Audience}) {
			t.Errorf("authenticated is %v, for %q, with error %q", status.Authenticated, status.Audiences, status.Error)
		}
	})
}

// What no configured issuer claims is not countersign's to judge, and it says nothing.
func TestNothingIsSaidAboutAStrangersToken(t *testing.T) {
	strangers := map[string]func(t *testing.T) string{
		"random":            func(*testing.T) string { return "c3RyYW5nZXIgdGhhbiBmaWN0aW9u" },
		"opaque":            func(t *testing.T) string { return token(t, shared.Provider, Nowhere) },
		"of another issuer": tokenOfAnotherIssuer,
	}
	eachAPIServer(t, func(t *testing.T, server *APIServer) {
		for name, stranger := range strangers {
			t.Run(name, func(t *testing.T) {
				token := stranger(t)
				before := mark(t, server.Log)
				expectUnauthorized(t, server, token)
				line, err := server.Log.AwaitLine(before, "Unable to authenticate the request")
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(line, `err="invalid bearer token"`) {
					t.Errorf("more was said: %s", line)
				}
			})
		}
	})
}

func expiredToken(t *testing.T) string {
	token := token(t, shared.Provider, KubernetesSoon)
	jwt, err := ReadJWT(token)
	if err != nil {
		t.Fatal(err)
	}
	err = Eventually(Patience, func() error {
		if time.Now().Before(jwt.ExpiresAt()) {
			return errors.New("the token is still good")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func tamperedToken(t *testing.T) string {
	return withClaim(t, "groups", []string{"system:masters"})
}

func tokenForElsewhere(t *testing.T) string {
	return token(t, shared.Provider, Elsewhere)
}

func tokenOfAnotherIssuer(t *testing.T) string {
	return withClaim(t, "iss", "https://nobody.test")
}

func withClaim(t *testing.T, name string, value any) string {
	t.Helper()
	token, err := WithClaim(token(t, shared.Provider, Kubernetes), name, value)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func expectUnauthorized(t *testing.T, server *APIServer, token string) {
	t.Helper()
	user, err := server.WhoAmI(token)
	if err == nil {
		t.Fatalf("it is accepted, as %+v", user)
	}
	if !strings.Contains(err.Error(), "Unauthorized") {
		t.Fatalf("kubectl does not call it unauthorized: %v", err)
	}
}

// expectReasonLogged looks for the text of `status.error`: the issuer and the reason, in a line.
func expectReasonLogged(t *testing.T, server *APIServer, before Mark, provider *Provider, reason string) {
	t.Helper()
	words := []string{"Unable to authenticate the request", provider.Issuer + ": ", reason}
	if _, err := server.Log.AwaitLine(before, words...); err != nil {
		t.Error(err)
	}
}
