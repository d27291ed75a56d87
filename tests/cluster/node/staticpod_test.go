// deploy/static-pod, for control planes without Helm: what its README says, done.

package node

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	corev1 "k8s.io/api/core/v1"
)

// staticDirectory is what the pod reads.
const staticDirectory = "/etc/kubernetes/countersign"

// staticIssuer is what someone adds to the configuration that `init` writes.
const staticIssuer = `
jwt:
- issuer: {url: ` + IssuerURL + `, audiences: [` + IssuerAudience + `], jwksFile: keys.json}
  claimMappings:
    username: {claim: sub, prefix: "` + firstPrefix + `"}
`

func TestStaticPod(t *testing.T) {
	node := sharedNode(t)
	issuer, err := NewIssuer()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile("../../../deploy/static-pod/countersign.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var pod corev1.Pod
	if err := yaml.UnmarshalStrict(manifest, &pod); err != nil {
		t.Fatal(err)
	}

	if err := node.layOutStaticPod(issuer); err != nil {
		t.Fatal(err)
	}
	archive, err := imageArchive()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.ImportImage(archive, pod.Spec.Containers[0].Image); err != nil {
		t.Fatal(err)
	}
	inPlace := filepath.Join(StaticPods, "countersign.yaml")
	if err := os.WriteFile(inPlace, manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(inPlace); err != nil {
			t.Error(err)
		}
		mirror := "pod/" + pod.Name + "-" + Name
		if _, err := node.Kubectl("wait", "--for=delete", mirror, "--namespace=kube-system", "--timeout=60s"); err != nil {
			t.Error(err)
		}
		if err := node.StartAPIServer(""); err != nil {
			t.Error(err)
		}
	})
	if err := node.StartAPIServer(webhookFlags); err != nil {
		t.Fatal(err)
	}

	if err := node.ExpectUser(firstPrefix+Alice, issuer.Token); err != nil {
		t.Error(err)
	}
}

// layOutStaticPod makes two directories of what `init` made in one: the pod's and the API server's.
func (n *Node) layOutStaticPod(issuer *Issuer) error {
	program, err := countersignPath()
	if err != nil {
		return err
	}
	if _, err := n.run(program, "init", "--dir", staticDirectory); err != nil {
		return err
	}
	if err := os.RemoveAll(webhookDirectory); err != nil {
		return err
	}
	if err := os.MkdirAll(webhookDirectory, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"webhook.kubeconfig", "ca.crt", "kube-apiserver.crt", "kube-apiserver.key"} {
		err := os.Rename(filepath.Join(staticDirectory, name), filepath.Join(webhookDirectory, name))
		if err != nil {
			return err
		}
	}

	keys, err := issuer.Keys()
	if err != nil {
		return err
	}
	configuration := filepath.Join(staticDirectory, "config.yaml")
	starter, err := os.ReadFile(configuration)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		configuration: string(starter) + staticIssuer,
		filepath.Join(staticDirectory, "keys.json"): keys,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return err
		}
	}
	_, err = n.run("chown", "--recursive", fmt.Sprintf("%d:%d", ImageUser, ImageUser), staticDirectory)
	return err
}
