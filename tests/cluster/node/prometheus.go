// Prometheus, which finds what it scrapes by asking the API server for pods.

package node

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/template"

	"countersign.dev/tests/cluster"
)

// Prometheus scrapes every second the pods that ask for it, and evaluates rules as often.
type Prometheus struct {
	*cluster.Process
}

// The annotations are the usual ones, as in Prometheus' own example.
var prometheusConfiguration = template.Must(template.New("").Parse(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files:
{{- range .Rules}}
- {{.}}
{{- end}}
scrape_configs:
- job_name: pods
  kubernetes_sd_configs:
  - {role: pod, kubeconfig_file: {{.Kubeconfig}}}
  relabel_configs:
  - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], regex: "true", action: keep}
  - source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
    regex: (.+);(.+)
    replacement: $1:$2
    target_label: __address__
  - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
  - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
`[1:]))

const prometheusAddress = "127.0.0.1:9099"

// StartPrometheus gives one that is ready, with the rules of these files.
func (n *Node) StartPrometheus(rules ...string) (*Prometheus, error) {
	var text strings.Builder
	err := prometheusConfiguration.Execute(&text, map[string]any{"Kubeconfig": adminKubeconfig, "Rules": rules})
	if err != nil {
		return nil, err
	}
	file := n.path("prometheus.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp(n.dir, "prometheus-") // what another has seen would count for a while
	if err != nil {
		return nil, err
	}
	process, err := n.startProcess("prometheus", n.tool("prometheus"),
		"--config.file="+file,
		"--storage.tsdb.path="+data,
		"--web.listen-address="+prometheusAddress,
	)
	if err != nil {
		return nil, err
	}
	return &Prometheus{process}, process.Eventually("readiness", func() error {
		response, err := http.Get("http://" + prometheusAddress + "/-/ready")
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s", response.Status)
		}
		return nil
	})
}

// Sample is one value of an answer.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Query gives the value of an expression now.
func (p *Prometheus) Query(expression string) ([]Sample, error) {
	var vector struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any // when, and the value as text
		}
	}
	if err := p.get("/api/v1/query?query="+url.QueryEscape(expression), &vector); err != nil {
		return nil, fmt.Errorf("%s: %w", expression, err)
	}
	samples := make([]Sample, len(vector.Result))
	for i, result := range vector.Result {
		text, _ := result.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", expression, err)
		}
		samples[i] = Sample{result.Metric, value}
	}
	return samples, nil
}

// Sum is the sum of all values of an expression, 0 where there are none.
func (p *Prometheus) Sum(expression string) (float64, error) {
	samples, err := p.Query(expression)
	var sum float64
	for _, sample := range samples {
		sum += sample.Value
	}
	return sum, err
}

// Rule is an alert or a recording, as Prometheus loaded it.
type Rule struct {
	Name, Health, LastError, State string
}

// Rules are all that it evaluates.
func (p *Prometheus) Rules() ([]Rule, error) {
	var loaded struct {
		Groups []struct{ Rules []Rule }
	}
	if err := p.get("/api/v1/rules", &loaded); err != nil {
		return nil, err
	}
	var all []Rule
	for _, group := range loaded.Groups {
		all = append(all, group.Rules...)
	}
	return all, nil
}

// get reads the data of an answer of the API.
func (p *Prometheus) get(path string, data any) error {
	response, err := http.Get("http://" + prometheusAddress + path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s", answer.Error)
	}
	return nil
}
