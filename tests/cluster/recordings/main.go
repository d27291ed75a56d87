// Objects as client-go and kube-apiserver write them, recorded for the tests of countersign's own
// protobuf reader and writer.
//
//	go run ./recordings ../../src/api/protobuf/recordings
//
// Of each case of cases.go there are two files: NAME.protobuf, with the envelope, and NAME.json, the
// same object and the newline that kube-apiserver ends it with. Nothing in them changes from run to
// run. So they change only when Kubernetes does, and `git diff` shows how.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: recordings DIRECTORY")
		os.Exit(64)
	}
	if err := record(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "recordings:", err)
		os.Exit(1)
	}
}

func record(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, object := range cases {
		if err := recordCase(filepath.Join(dir, name), object); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func recordCase(path string, object runtime.Object) error {
	version, err := versionOf(object)
	if err != nil {
		return err
	}
	protobuf, err := encode(object, version, runtime.ContentTypeProtobuf)
	if err != nil {
		return err
	}
	json, err := encode(object, version, runtime.ContentTypeJSON)
	if err != nil {
		return err
	}
	if err := expectSame(protobuf, json, version); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(path+".protobuf", protobuf, 0o644),
		os.WriteFile(path+".json", json, 0o644),
	)
}

// encode writes an object as a client does that was configured with this content type.
func encode(object runtime.Object, version schema.GroupVersion, contentType string) ([]byte, error) {
	codecs := scheme.Codecs.WithoutConversion()
	format, known := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), contentType)
	if !known {
		return nil, fmt.Errorf("client-go does not know %s", contentType)
	}
	return runtime.Encode(codecs.EncoderForVersion(format.Serializer, version), object)
}

// versionOf is the version under which kube-apiserver serves objects of this type.
func versionOf(object runtime.Object) (schema.GroupVersion, error) {
	kinds, _, err := scheme.Scheme.ObjectKinds(object)
	if err != nil {
		return schema.GroupVersion{}, err
	}
	return kinds[0].GroupVersion(), nil // they are in the order of their registration
}

// expectSame reads the protobuf again and writes that as JSON: no case may have what only one of the
// formats can say, as an empty list that is not an absent one.
func expectSame(protobuf, json []byte, version schema.GroupVersion) error {
	object, err := runtime.Decode(scheme.Codecs.UniversalDeserializer(), protobuf)
	if err != nil {
		return err
	}
	again, err := encode(object, version, runtime.ContentTypeJSON)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, json) {
		return errors.New("protobuf says\n" + string(again) + "and JSON\n" + string(json))
	}
	return nil
}
