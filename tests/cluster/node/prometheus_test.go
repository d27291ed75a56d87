// What Prometheus sees, having found the pods by itself.

package node

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"countersign.dev/tests/cluster"
	"sigs.k8s.io/yaml"
)

func testPrometheus(t *testing.T, installation *Installation) {
	rules := installation.node.path("rules.yaml")
	if err := os.WriteFile(rules, alertRules(t, installation), 0o600); err != nil {
		t.Fatal(err)
	}
	prometheus, err := installation.node.StartPrometheus(rules)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := prometheus.Stop(); err != nil {
			t.Error(err)
		}
	})

	t.Run("every pod", func(t *testing.T) {
		err := cluster.Eventually(cluster.Patience, func() error {
			samples, err := prometheus.Query("up == 1 and on (instance, pod) countersign_build_info")
			if err == nil && len(samples) != installation.mode.Replicas {
				err = fmt.Errorf("it scrapes %v", samples)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a broken token", func(t *testing.T) {
		const rejections = `countersign_rejections_total{issuer="` + IssuerURL + `", reason="bad_signature"}`
		before, err := prometheus.Sum(rejections)
		if err != nil {
			t.Fatal(err)
		}
		broken, err := installation.Issuer.BrokenToken()
		if err != nil {
			t.Fatal(err)
		}
		if user, err := installation.node.WhoAmI(broken); err == nil || !strings.Contains(err.Error(), "Unauthorized") {
			t.Fatalf("it is accepted, as %v: %v", user, err)
		}
		err = cluster.Eventually(cluster.Patience, func() error {
			now, err := prometheus.Sum(rejections)
			if err == nil && now <= before {
				err = fmt.Errorf("%s was %v and is %v", rejections, before, now)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("its alert rules", func(t *testing.T) {
		err := cluster.Eventually(cluster.Patience, func() error { return evaluateWell(prometheus) })
		if err != nil {
			t.Error(err)
		}
	})
}

// evaluateWell wants that all rules have been evaluated, and none failed or says that something is
// wrong.
func evaluateWell(prometheus *Prometheus) error {
	rules, err := prometheus.Rules()
	if err != nil {
		return err
	}
	if len(rules) == 0 {
		return errors.New("there are no rules")
	}
	var all error
	for _, rule := range rules {
		if rule.Health != "ok" || rule.State == "firing" {
			all = errors.Join(all, fmt.Errorf("%s is %s, %s: %s", rule.Name, rule.Health, rule.State, rule.LastError))
		}
	}
	return all
}

// alertRules are those that the chart brings, as a file for a Prometheus without an operator.
func alertRules(t *testing.T, installation *Installation) []byte {
	t.Helper()
	values := valuesOf(t, installation, FirstTag, firstPrefix) + "metrics: {prometheusRule: {enabled: true}}\n"
	text, err := installation.Template("templates/prometheusrule.yaml", values)
	if err != nil {
		t.Fatal(err)
	}
	var rule struct{ Spec map[string]any }
	if err := yaml.Unmarshal([]byte(text), &rule); err != nil {
		t.Fatal(err)
	}
	rules, err := yaml.Marshal(rule.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}
