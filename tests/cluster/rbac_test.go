// What a name from a token is worth: RBAC, which knows it only with its prefix.

package cluster

import (
	"strings"
	"testing"
)

func TestBindingOnAMappedGroupLetsItsMembersIn(t *testing.T) {
	eachAPIServer(t, func(t *testing.T, server *APIServer) {
		alice := token(t, shared.Provider, Kubernetes)
		group := shared.Provider.Prefix + AlicesGroups[0]

		_, err := server.Kubectl(alice, "get", "namespaces")
		if err == nil {
			t.Fatal("she may list namespaces before anybody allowed it")
		}
		for _, words := range []string{"Forbidden", `User "` + shared.Provider.Prefix + Alice + `"`} {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("kubectl does not say %s: %v", words, err)
			}
		}

		for _, arguments := range [][]string{
			{"create", "clusterrole", "namespace-reader", "--verb=list", "--resource=namespaces"},
			{"create", "clusterrolebinding", "namespace-readers", "--clusterrole=namespace-reader", "--group=" + group},
		} {
			if _, err := server.Kubectl(AdminToken, arguments...); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if _, err := server.Kubectl(AdminToken, "delete", arguments[1], arguments[2]); err != nil {
					t.Error(err)
				}
			})
		}

		// The authorizer hears of the binding a moment later.
		var namespaces string
		err = Eventually(Patience, func() (err error) {
			namespaces, err = server.Kubectl(alice, "get", "namespaces")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(namespaces, "kube-system") {
			t.Errorf("there is no kube-system among them:\n%s", namespaces)
		}
	})
}
