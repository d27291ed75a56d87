// What a Prometheus would see: the counters move with the API server's questions.

package cluster

import "testing"

func TestMetricsCountWhatTheAPIServerAsked(t *testing.T) {
	issuer := shared.Provider.Issuer
	server := shared.APIServers["v1beta1"] // what one speaks that is not told otherwise

	accepted := watchCounters(t, counters{
		"countersign_authentications_total": {"issuer": issuer, "result": "authenticated"},
		"countersign_token_reviews_total":   {"result": "authenticated"},
	})
	if _, err := server.WhoAmI(token(t, shared.Provider, Kubernetes)); err != nil {
		t.Fatal(err)
	}
	accepted()

	refused := watchCounters(t, counters{
		"countersign_authentications_total": {"issuer": issuer, "result": "rejected"},
		"countersign_rejections_total":      {"issuer": issuer, "reason": "audience_mismatch"},
		"countersign_token_reviews_total":   {"result": "rejected"},
	})
	expectUnauthorized(t, server, tokenForElsewhere(t))
	refused()
}

// counters are names of metrics, with the labels of the children that matter.
type counters map[string]map[string]string

// watchCounters reads the counters now. What it gives expects that each has grown since.
func watchCounters(t *testing.T, counters counters) func() {
	t.Helper()
	read := func(name string) float64 {
		t.Helper()
		value, err := shared.Countersign.Counter(name, counters[name])
		if err != nil {
			t.Fatal(err)
		}
		return value
	}

	before := map[string]float64{}
	for name := range counters {
		before[name] = read(name)
	}
	return func() {
		t.Helper()
		for name, labels := range counters {
			if now := read(name); now <= before[name] {
				t.Errorf("%s%v was %v and is %v", name, labels, before[name], now)
			}
		}
	}
}
