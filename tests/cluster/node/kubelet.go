// kubelet and kube-proxy, which make a machine a node.

package node

import (
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// StaticPods is the directory whose pods kubelet runs without being told by an API server.
const StaticPods = "/etc/kubernetes/static-pods"

// kubeletConfiguration differs from kubeadm's in what the machine lacks: cgroups of version 2, a way
// to lower oom_score_adj, space that is its own to evict pods for.
var kubeletConfiguration = template.Must(template.New("").Parse(`
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://{{.ContainerdSocket}}
staticPodPath: {{.StaticPods}}
resolvConf: ""
syncFrequency: 5s
cgroupDriver: cgroupfs
cgroupRoot: /{{.Cgroup}}
failCgroupV1: false
enforceNodeAllocatable: []
failSwapOn: false
oomScoreAdj: 0
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
`[1:]))

func (n *Node) startKubelet() error {
	if err := os.MkdirAll(StaticPods, 0o755); err != nil {
		return err
	}
	var text strings.Builder
	err := kubeletConfiguration.Execute(&text, map[string]string{
		"ContainerdSocket": containerdSocket, "StaticPods": StaticPods, "Cgroup": filepath.Base(n.dir),
	})
	if err != nil {
		return err
	}
	file := n.path("kubelet.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return err
	}
	_, err = n.startComponent("kubelet",
		"--config="+file,
		"--kubeconfig=/etc/kubernetes/kubelet.conf",
		"--hostname-override="+Name,
		"--node-ip="+Address,
	)
	return err
}

// Where conntrack's limit is the host's, it cannot be changed from here.
func (n *Node) startProxy() error {
	_, err := n.startComponent("kube-proxy",
		"--kubeconfig="+adminKubeconfig,
		"--proxy-mode=iptables",
		"--hostname-override="+Name,
		"--cluster-cidr="+PodSubnet,
		"--conntrack-max-per-core=0",
		"--oom-score-adj=0",
	)
	return err
}
