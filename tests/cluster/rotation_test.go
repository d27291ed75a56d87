// Keys that the provider replaces.

package cluster

import "testing"

// The provider goes away and comes back with other keys, as one does that loses or replaces them.
//
// For ten seconds an API server remembers whom it has let in, whatever its flags say. So tokens that
// it accepted before are refused at the other one, where only countersign could remember them.
func TestRotationOfTheProvidersKeysGoesUnnoticed(t *testing.T) {
	server, other := shared.APIServers["v1"], shared.APIServers["v1beta1"]
	provider := shared.Rotating

	seen := token(t, provider, Kubernetes)
	unseen := token(t, provider, Kubernetes)
	expectAlice(t, server, provider, seen)
	if err := provider.Stop(); err != nil {
		t.Fatal(err)
	}
	// The keys that are known go on verifying, also what they have not verified before.
	expectAlice(t, server, provider, unseen)

	if err := provider.Start(); err != nil {
		t.Fatal(err)
	}
	rotated := token(t, provider, Kubernetes)
	if keyID(t, rotated) == keyID(t, seen) {
		t.Fatal("the provider still has its old key")
	}
	expectAlice(t, server, provider, rotated) // at the first try: there is no wait here

	// The old key is withdrawn, and with it the answers that it gave.
	for _, token := range []string{seen, unseen} {
		before := mark(t, other.Log)
		expectUnauthorized(t, other, token)
		expectReasonLogged(t, other, before, provider, "key")
	}
	expectAlice(t, other, provider, rotated)
}

func expectAlice(t *testing.T, server *APIServer, provider *Provider, token string) {
	t.Helper()
	user, err := server.WhoAmI(token)
	if err != nil {
		t.Fatal(err)
	}
	if want := provider.Prefix + Alice; user.Username != want {
		t.Fatalf("it is %q, not %q", user.Username, want)
	}
}

func keyID(t *testing.T, token string) string {
	t.Helper()
	jwt, err := ReadJWT(token)
	if err != nil {
		t.Fatal(err)
	}
	return jwt.Header.KeyID
}
