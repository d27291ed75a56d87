// The control plane as kubeadm makes it: its certificates, its kubeconfigs, and the flags of its
// manifests. Only that processes run here what containers run elsewhere, for want of images.

package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// adminKubeconfig is the one that may do everything from the start.
const adminKubeconfig = "/etc/kubernetes/super-admin.conf"

// manifests is where kubeadm puts its static pods. No kubelet looks there (see kubelet.go).
const manifests = "/etc/kubernetes/manifests"

// clusterConfiguration is what kubeadm is told. The patch is more of ClusterConfiguration.
var clusterConfiguration = template.Must(template.New("").Parse(`
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: {{.Address}}, bindPort: 6443}
nodeRegistration: {name: {{.Name}}, criSocket: "unix://{{.ContainerdSocket}}"}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: {{.Version}}
etcd: {external: {endpoints: ["{{.Etcd}}"]}}
networking: {podSubnet: {{.PodSubnet}}, serviceSubnet: {{.ServiceSubnet}}}
{{.Patch}}
`[1:]))

// What pods and Services have for addresses.
const (
	PodSubnet     = "10.244.0.0/24"
	ServiceSubnet = "10.96.0.0/16"
)

const etcdAddress = "127.0.0.1:2379"

func (n *Node) startEtcd() error {
	etcd, err := n.startComponent("etcd", "--data="+n.path("etcd"), "--listen="+etcdAddress)
	if err != nil {
		return err
	}
	return etcd.Eventually("a line with its URL", func() error {
		_, err := etcd.Log.AwaitLine(0, "http://"+etcdAddress)
		return err
	})
}

func (n *Node) makeCertificates() error {
	if err := n.kubeadm("", "certs", "all"); err != nil {
		return err
	}
	return n.kubeadm("", "kubeconfig", "all")
}

// StartAPIServer starts kube-apiserver, or starts it again with other flags. The patch is what
// someone adds to kubeadm's ClusterConfiguration: the flags are those that kubeadm makes of it, and
// so are the mounts.
func (n *Node) StartAPIServer(patch string) error {
	if n.APIServer != nil {
		n.APIServer.Kill() // asked to end, it would wait a minute for the watches of all the others
	}
	if err := n.kubeadm(patch, "control-plane", "apiserver"); err != nil {
		return err
	}
	pod, err := readManifest("kube-apiserver")
	if err != nil {
		return err
	}
	if err := mountAsInPod(pod); err != nil {
		return err
	}
	if n.APIServer, err = n.startComponent("kube-apiserver", pod.Spec.Containers[0].Command[1:]...); err != nil {
		return err
	}
	return n.APIServer.Eventually("readiness", func() error {
		_, err := n.Kubectl("get", "--raw=/readyz")
		return err
	})
}

// bindKubeletClient lets kube-apiserver ask kubelet, for logs. kubeadm has that in the phase with
// the tokens of nodes that join, of which there are none.
func (n *Node) bindKubeletClient() error {
	_, err := n.Kubectl("create", "clusterrolebinding", "kubeadm:apiserver-kubelet-client",
		"--clusterrole=system:kubelet-api-admin", "--user=kube-apiserver-kubelet-client")
	return err
}

func (n *Node) startControllers() error {
	for _, name := range []string{"controller-manager", "scheduler"} {
		if err := n.kubeadm("", "control-plane", name); err != nil {
			return err
		}
		name = "kube-" + name
		pod, err := readManifest(name)
		if err != nil {
			return err
		}
		// There is no other to elect a leader from.
		arguments := append(pod.Spec.Containers[0].Command[1:], "--leader-elect=false")
		if _, err := n.startComponent(name, arguments...); err != nil {
			return err
		}
	}
	return nil
}

// kubeadm runs a phase of `kubeadm init`.
func (n *Node) kubeadm(patch string, phase ...string) error {
	version, err := n.version()
	if err != nil {
		return err
	}
	var text strings.Builder
	err = clusterConfiguration.Execute(&text, map[string]string{
		"Address": Address, "Name": Name, "ContainerdSocket": containerdSocket, "Version": version,
		"Etcd": "http://" + etcdAddress, "PodSubnet": PodSubnet, "ServiceSubnet": ServiceSubnet,
		"Patch": patch,
	})
	if err != nil {
		return err
	}
	file := n.path("kubeadm.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return err
	}
	arguments := append([]string{"kubeadm", "init", "phase"}, phase...)
	_, err = n.run(n.tool("kubernetes"), append(arguments, "--config="+file)...)
	return err
}

// version is that of all components.
func (n *Node) version() (string, error) {
	output, err := n.run(n.tool("kubernetes"), "kubeadm", "version", "--output=short")
	return strings.TrimSpace(output), err
}

func readManifest(name string) (*corev1.Pod, error) {
	path := filepath.Join(manifests, name+".yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pod := &corev1.Pod{}
	if err := yaml.UnmarshalStrict(text, pod); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return pod, nil
}

// mountAsInPod shows the process the files where its container would see them, if that is another
// place than they have on the node.
func mountAsInPod(pod *corev1.Pod) error {
	sources := map[string]string{}
	for _, volume := range pod.Spec.Volumes {
		sources[volume.Name] = volume.HostPath.Path
	}
	for _, mount := range pod.Spec.Containers[0].VolumeMounts {
		source := sources[mount.Name]
		if source == mount.MountPath {
			continue
		}
		if err := bindMount(source, mount.MountPath); err != nil {
			return fmt.Errorf("mount %s at %s: %w", source, mount.MountPath, err)
		}
	}
	return nil
}
