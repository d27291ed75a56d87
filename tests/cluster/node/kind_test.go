// deploy/kind, up to Docker, which is not here: its configuration is one that kind understands, its
// patch is one that kubeadm understands, and its script goes from nothing to an authenticated
// kubectl, where this node is what kind made.

package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/yaml"

	"countersign.dev/tests/cluster"
)

// Both stand in for a program that the script calls. Who creates a cluster waits until the test has
// done what a cluster's first start does.
var standIns = map[string]string{
	"docker": `#!/bin/sh
[ "$1 $2" = 'save --output' ] && exec cp "$ARCHIVE" "$3"
echo "docker $*: no stand-in for that" >&2
exit 1
`,
	"kind": `#!/bin/sh
case "$1 $2" in
'get clusters') [ ! -e created ] || echo countersign ;;
'get kubeconfig') cat ` + adminKubeconfig + ` ;;
'create cluster')
  touch create
  until [ -e created ]; do sleep 0.1; done ;;
'load image-archive')
  exec ctr --address ` + containerdSocket + ` --namespace k8s.io images import "$3" ;;
*)
  echo "kind $*: no stand-in for that" >&2
  exit 1 ;;
esac
`,
	"kubectl": `#!/bin/sh
exec kubernetes kubectl "$@"
`,
}

func TestKind(t *testing.T) {
	node := sharedNode(t)
	// As in the repository, whose own certs/ is left alone.
	root := filepath.Join(t.TempDir(), "repository")
	if err := layOutRepository(root); err != nil {
		t.Fatal(err)
	}
	configuration, patch := readKindConfiguration(t, filepath.Join(root, "deploy/kind/cluster.yaml"))
	program, err := countersignPath()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := imageArchive()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeFromKind(t, node, configuration) })

	created := make(chan error, 1)
	go func() { created <- createAsKindDoes(node, root, configuration, patch) }()
	output, err := node.run("env", "--chdir="+root,
		"PATH="+filepath.Join(root, "stand-ins")+":"+os.Getenv("PATH"),
		"COUNTERSIGN="+program, "ARCHIVE="+archive,
		"sh", "deploy/kind/up.sh")
	if err := errors.Join(err, <-created); err != nil {
		t.Fatal(err)
	}
	if !whoIsDemo.MatchString(output) {
		t.Errorf("kubectl does not say that it is demo:\n%s", output)
	}
}

var whoIsDemo = regexp.MustCompile(`(?m)^Username +demo$\n(.+\n)*^Groups +\[demo:viewers system:authenticated\]$`)

func layOutRepository(root string) error {
	deploy, err := filepath.Abs("../../../deploy")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(root, "stand-ins"), 0o755); err != nil {
		return err
	}
	for name, script := range standIns {
		if err := os.WriteFile(filepath.Join(root, "stand-ins", name), []byte(script), 0o755); err != nil {
			return err
		}
	}
	return os.Symlink(deploy, filepath.Join(root, "deploy"))
}

// readKindConfiguration also gives the patch that kind would choose, for kubeadm as it is here.
func readKindConfiguration(t *testing.T, path string) (configuration v1alpha4.Cluster, patch string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &configuration); err != nil {
		t.Fatal(err)
	}
	for _, candidate := range configuration.KubeadmConfigPatches {
		object := map[string]any{}
		if err := yaml.UnmarshalStrict([]byte(candidate), &object); err != nil {
			t.Fatal(err)
		}
		if object["kind"] != "ClusterConfiguration" || object["apiVersion"] != "kubeadm.k8s.io/v1beta4" {
			continue
		}
		delete(object, "kind")
		delete(object, "apiVersion")
		text, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		patch += string(text)
	}
	if patch == "" {
		t.Fatal("there is no patch for kubeadm.k8s.io/v1beta4")
	}
	return configuration, patch
}

// createAsKindDoes waits until a cluster is to be created, and then does what its first start would:
// mounts, and an API server that has the flags of the patch.
func createAsKindDoes(node *Node, root string, configuration v1alpha4.Cluster, patch string) error {
	err := cluster.Eventually(cluster.Patience, func() error {
		_, err := os.Stat(filepath.Join(root, "create"))
		return err
	})
	for _, mount := range configuration.Nodes[0].ExtraMounts {
		err = errors.Join(err, bindMount(filepath.Join(root, mount.HostPath), mount.ContainerPath))
	}
	if err == nil {
		err = node.StartAPIServer(patch)
	}
	// Whatever came of it: the script waits.
	return errors.Join(err, os.WriteFile(filepath.Join(root, "created"), nil, 0o600))
}

func removeFromKind(t *testing.T, node *Node, configuration v1alpha4.Cluster) {
	if t.Failed() {
		situation, err := node.Kubectl("get", "pods,events", "--namespace="+Namespace)
		t.Log(situation, err)
	}
	if _, err := node.Kubectl("delete", "namespace", Namespace, "--ignore-not-found", "--timeout=2m"); err != nil {
		t.Error(err)
	}
	if err := node.StartAPIServer(""); err != nil {
		t.Error(err)
	}
	for _, mount := range configuration.Nodes[0].ExtraMounts {
		if err := unmount(mount.ContainerPath); err != nil && !errors.Is(err, fs.ErrInvalid) {
			t.Error(fmt.Errorf("unmount %s: %w", mount.ContainerPath, err))
		}
	}
}
