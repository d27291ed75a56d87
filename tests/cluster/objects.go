// The objects that every server has: made at an API server through its API, and written for
// countersign as the manifests that its objectsDir holds.

package cluster

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

var (
	//go:embed objects.yaml
	objectManifests string
	//go:embed callers.yaml
	callerManifests string
)

// Namespace is where the objects are that are in one.
const Namespace = "ci"

// Objects are the uids of what a server has, by kind and name, as in "Pod web".
type Objects map[string]types.UID

func (o Objects) add(object *unstructured.Unstructured) {
	o[object.GetKind()+" "+object.GetName()] = object.GetUID()
}

// Populate makes the objects at an API server, and lets Caller in.
func (s *APIServer) Populate() error {
	output, err := s.KubectlWithInput(AdminToken, callerManifests+"---\n"+objectManifests,
		"create", "--filename=-", "--output=json")
	if err != nil {
		return err
	}
	s.Objects = Objects{}
	for made := json.NewDecoder(strings.NewReader(output)); made.More(); {
		var object unstructured.Unstructured
		if err := made.Decode(&object.Object); err != nil {
			return fmt.Errorf("kubectl create printed %q: %w", output, err)
		}
		s.Objects.add(&object)
	}
	// The authorizer hears of the binding a moment later.
	return s.Eventually("a caller's right", func() error {
		_, err := s.Kubectl(CallerToken, "create", "token", "builder", "--namespace="+Namespace)
		return err
	})
}

// writeObjects writes the manifests into a new directory, with uids that are the same in every run.
func writeObjects(dir string) (Objects, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	objects := Objects{}
	for i, manifest := range strings.Split(objectManifests, "\n---\n") {
		uid := fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1)
		manifest = strings.Replace(manifest, "\nmetadata:\n", "\nmetadata:\n  uid: "+uid+"\n", 1)
		object, err := WriteObject(dir, manifest)
		if err != nil {
			return nil, err
		}
		objects.add(object)
	}
	return objects, nil
}

// WriteObject writes a manifest as a file that appears whole, where [ObjectFile] says.
func WriteObject(dir, manifest string) (*unstructured.Unstructured, error) {
	var object unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(manifest), &object.Object); err != nil {
		return nil, err
	}
	path := ObjectFile(dir, object.GetKind(), object.GetName())
	unfinished := path + ".unfinished"
	if err := os.WriteFile(unfinished, []byte(manifest), 0o600); err != nil {
		return nil, err
	}
	return &object, os.Rename(unfinished, path)
}

// ObjectFile is where an object's manifest lies in a directory.
func ObjectFile(dir, kind, name string) string {
	return filepath.Join(dir, strings.ToLower(kind)+"-"+name+".yaml")
}
