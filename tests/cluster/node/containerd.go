// containerd, which runs the pods, and the network that it plugs them into.

package node

import (
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

const containerdSocket = "/run/containerd/containerd.sock"

// restrict_oom_score_adj lets it run where nobody may lower that score: then runc would fail, and
// say only that it cannot get the final child's PID.
var containerdConfiguration = template.Must(template.New("").Parse(`
version = 3
[grpc]
  address = '{{.Socket}}'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '{{.PauseImage}}'
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['{{.Tools}}']
    conf_dir = '{{.NetworkDirectory}}'
`[1:]))

const networkDirectory = "/etc/cni/net.d"

const networkConfiguration = `{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [
    {
      "type": "bridge",
      "bridge": "pods",
      "isGateway": true,
      "ipMasq": true,
      "hairpinMode": true,
      "ipam": {
        "type": "host-local",
        "ranges": [[{"subnet": "` + PodSubnet + `"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}`

func (n *Node) startContainerd() error {
	if err := os.MkdirAll(networkDirectory, 0o755); err != nil {
		return err
	}
	network := filepath.Join(networkDirectory, "pods.conflist")
	if err := os.WriteFile(network, []byte(networkConfiguration), 0o600); err != nil {
		return err
	}
	var text strings.Builder
	err := containerdConfiguration.Execute(&text, map[string]string{
		"Socket": containerdSocket, "PauseImage": PauseImage,
		"Tools": n.tools, "NetworkDirectory": networkDirectory,
	})
	if err != nil {
		return err
	}
	file := n.path("containerd.toml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return err
	}

	containerd, err := n.startProcess("containerd", n.tool("containerd"), "--config="+file)
	if err != nil {
		return err
	}
	err = containerd.Eventually("an answer", func() error {
		_, err := n.ctr("version")
		return err
	})
	if err != nil {
		return err
	}
	return n.importPause()
}

// KillContainer ends the program of a pod's only container, and leaves it no time for anything.
func (n *Node) KillContainer(namespace, pod string) error {
	id, err := n.Kubectl("get", "pod", pod, "--namespace="+namespace,
		"--output=jsonpath={.status.containerStatuses[0].containerID}")
	if err != nil {
		return err
	}
	_, err = n.ctr("tasks", "kill", "--signal=SIGKILL", strings.TrimPrefix(id, "containerd://"))
	return err
}
