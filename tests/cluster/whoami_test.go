// Tokens that are good: who their bearers are, in the eyes of kube-apiserver.

package cluster

import (
	"slices"
	"strings"
	"testing"
)

// credentialID is the extra key that names the token itself (KEP-4193).
const credentialID = "authentication.kubernetes.io/credential-id"

func TestProvidersTokenIsWhoItsClaimsSay(t *testing.T) {
	eachAPIServer(t, func(t *testing.T, server *APIServer) {
		token := token(t, shared.Provider, Kubernetes)
		jwt, err := ReadJWT(token)
		if err != nil {
			t.Fatal(err)
		}

		user, err := server.WhoAmI(token)
		if err != nil {
			t.Fatal(err)
		}

		prefix := shared.Provider.Prefix
		if want := prefix + Alice; user.Username != want {
			t.Errorf("username is %q, not %q", user.Username, want)
		}
		// The last one is kube-apiserver's own.
		groups := []string{prefix + AlicesGroups[0], prefix + AlicesGroups[1], "system:authenticated"}
		if !slices.Equal(user.Groups, groups) {
			t.Errorf("groups are %q, not %q", user.Groups, groups)
		}
		if got, want := user.Extra[credentialID], "JTI="+jwt.Claims.ID; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, not %q", credentialID, got, want)
		}
	})
}

func TestTokenFileIsAskedThroughTheWebhook(t *testing.T) {
	eachAPIServer(t, func(t *testing.T, server *APIServer) {
		user, err := server.WhoAmI(RobotToken)
		if err != nil {
			t.Fatal(err)
		}

		if user.Username != Robot || user.UID != RobotUID {
			t.Errorf("it is %q with uid %q, not %q with %q", user.Username, user.UID, Robot, RobotUID)
		}
		groups := append(strings.Split(RobotGroups, ","), "system:authenticated")
		if !slices.Equal(user.Groups, groups) {
			t.Errorf("groups are %q, not %q", user.Groups, groups)
		}
	})
}
