// The chart in its two modes: installed by Helm, asked by kube-apiserver, watched by Prometheus,
// upgraded, disturbed, and taken away again.

package node

import (
	"slices"
	"strings"
	"testing"
)

const (
	firstPrefix  = "first:"
	secondPrefix = "second:"
)

func TestDaemonSet(t *testing.T)  { testMode(t, daemonSet) }
func TestDeployment(t *testing.T) { testMode(t, deployment) }

// testMode goes through the life of a release. What comes later rests on what came before.
func testMode(t *testing.T, mode Mode) {
	installation := install(t, mode)
	t.Run("authenticates kubectl", func(t *testing.T) { testKubectl(t, installation) })
	t.Run("tests itself", func(t *testing.T) { testOfTheChart(t, installation) })
	t.Run("is watched by Prometheus", func(t *testing.T) { testPrometheus(t, installation) })
	t.Run("loses no review in an upgrade and a rollback", func(t *testing.T) { testUpgrade(t, installation) })
	t.Run("takes up another configuration and loses no review", func(t *testing.T) { testReload(t, installation) })
	t.Run("comes back when it is killed", func(t *testing.T) { testKilledPod(t, installation) })
	if mode.Replicas > 1 {
		t.Run("keeps its disruption budget in a drain", func(t *testing.T) { testDrain(t, installation) })
	}
	t.Run("leaves nothing", func(t *testing.T) { testUninstall(t, installation) })
}

// install gives a release that is ready, and has asked about no token yet.
func install(t *testing.T, mode Mode) *Installation {
	t.Helper()
	installation, err := sharedNode(t).Prepare(mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(installation.Situation())
		}
		if err := installation.Remove(); err != nil {
			t.Error(err)
		}
	})
	if err := installation.Install(valuesOf(t, installation, FirstTag, firstPrefix)); err != nil {
		t.Fatal(err)
	}
	return installation
}

func valuesOf(t *testing.T, installation *Installation, tag, prefix string) string {
	t.Helper()
	values, err := installation.Values(tag, prefix)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func testKubectl(t *testing.T, installation *Installation) {
	if err := installation.ExpectAlice(firstPrefix); err != nil {
		t.Fatal(err)
	}
	token, err := installation.Issuer.Token()
	if err != nil {
		t.Fatal(err)
	}
	user, err := installation.node.WhoAmI(token)
	if err != nil {
		t.Fatal(err)
	}
	if groups := []string{firstPrefix + AlicesGroup, "system:authenticated"}; !slices.Equal(user.Groups, groups) {
		t.Errorf("groups are %q, not %q", user.Groups, groups)
	}
}

// testOfTheChart runs `helm test`, which has to be able to fail. What it leaves when it does, so that
// it can be looked at, goes with the next.
func testOfTheChart(t *testing.T, installation *Installation) {
	broken, err := installation.Issuer.BrokenToken()
	if err != nil {
		t.Fatal(err)
	}
	if err := installation.SetTestToken(broken); err != nil {
		t.Fatal(err)
	}
	if output, err := installation.Test(); err == nil {
		t.Errorf("it takes a broken token for a good one: %s", output)
	}

	good, err := installation.Issuer.Token()
	if err != nil {
		t.Fatal(err)
	}
	if err := installation.SetTestToken(good); err != nil {
		t.Fatal(err)
	}
	if _, err := installation.Test(); err != nil {
		t.Error(err)
	}
}

func testUninstall(t *testing.T, installation *Installation) {
	if err := installation.Uninstall(); err != nil {
		t.Fatal(err)
	}
	if err := installation.ExpectNothing(); err != nil {
		t.Error(err)
	}
}

// wrongValues are refused before anything is changed, with words that name the mistake.
var wrongValues = []struct{ values, words string }{
	{"mode: statefulset", "mode"},
	{"replicas: many", "replicas"},
	{"replica: 3", "replica"},
	{"config: {jwt: [{issuer: {uri: https://issuer.test}}]}", "uri"},
	{"service: {clusterIP: countersign.test}", "clusterIP"},
	{"tls: {secretName: ''}", "secretName"},
}

func TestSchemaRefusesWrongValues(t *testing.T) {
	node := sharedNode(t)
	release, err := node.CountersignRelease()
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range wrongValues {
		t.Run(wrong.values, func(t *testing.T) {
			err := release.Install(wrong.values)
			if err == nil {
				t.Error("it is installed")
				if err := release.Uninstall(); err != nil {
					t.Error(err)
				}
				return
			}
			for _, words := range []string{"values don't meet the specifications of the schema", wrong.words} {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("it does not say %q: %v", words, err)
				}
			}
		})
	}
}
