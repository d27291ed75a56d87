// JSON schemas of all kinds of Kubernetes, for kubeconform, made of the OpenAPI document that lies
// beside Kubernetes' own sources: kubeconform would fetch them.
//
//	go run ./schemas bin/schemas
//	kubeconform -schema-location 'bin/schemas/{{.ResourceKind}}{{.KindSuffix}}.json' FILE
//
// They are strict: a field that is not known is a mistake.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// schema is what Swagger 2.0 calls one: JSON Schema, in so far as Kubernetes uses it.
type schema map[string]any

type kind struct{ Group, Version, Kind string }

const (
	reference = "#/definitions/"
	quantity  = "io.k8s.apimachinery.pkg.api.resource.Quantity"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemas DIRECTORY")
		os.Exit(64)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	definitions, err := read()
	if err != nil {
		return err
	}
	for _, definition := range definitions {
		makeStrict(definition)
	}
	definitions[quantity]["type"] = []string{"number", "string"}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, definition := range definitions {
		kinds, err := kindsOf(definition)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, kind := range kinds {
			needed := map[string]schema{}
			collect(name, definitions, needed)
			text, err := json.Marshal(schema{"$ref": reference + name, "definitions": needed})
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, kind.file()), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// read finds the document in the module of Kubernetes that go.mod names.
func read() (map[string]schema, error) {
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	path := filepath.Join(strings.TrimSpace(string(module)), "api", "openapi-spec", "swagger.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var document struct{ Definitions map[string]schema }
	return document.Definitions, json.Unmarshal(text, &document)
}

// makeStrict refuses what is not mentioned, where anything is, and takes what the parsers of
// Kubernetes take: some strings may be numbers.
func makeStrict(definition schema) {
	delete(definition, "description") // most of the text, and of no use here
	if definition["format"] == "int-or-string" {
		definition["type"] = []string{"integer", "string"}
	}
	properties, _ := definition["properties"].(map[string]any)
	if properties != nil && definition["additionalProperties"] == nil {
		definition["additionalProperties"] = false
	}
	for _, property := range properties {
		if property, ok := property.(map[string]any); ok {
			makeStrict(property)
		}
	}
}

// kindsOf are the kinds that a definition is the schema of: most are of none, and those of many are
// no objects (DeleteOptions, WatchEvent).
func kindsOf(definition schema) ([]kind, error) {
	text, err := json.Marshal(definition["x-kubernetes-group-version-kind"])
	if err != nil {
		return nil, err
	}
	var kinds []kind
	if err := json.Unmarshal(text, &kinds); err != nil || len(kinds) != 1 {
		return nil, err
	}
	return kinds, nil
}

// file is named as kubeconform's {{.ResourceKind}}{{.KindSuffix}} asks for it.
func (k kind) file() string {
	group, _, _ := strings.Cut(k.Group, ".")
	parts := []string{k.Kind, group, k.Version}
	if group == "" {
		parts = []string{k.Kind, k.Version}
	}
	return strings.ToLower(strings.Join(parts, "-")) + ".json"
}

// collect gathers a definition and all that it refers to.
func collect(name string, definitions, needed map[string]schema) {
	if _, known := needed[name]; known {
		return
	}
	needed[name] = definitions[name]
	eachReference(map[string]any(definitions[name]), func(name string) {
		collect(name, definitions, needed)
	})
}

func eachReference(value any, found func(name string)) {
	switch value := value.(type) {
	case schema:
		eachReference(map[string]any(value), found)
	case map[string]any:
		for key, value := range value {
			if name, ok := value.(string); ok && key == "$ref" {
				found(strings.TrimPrefix(name, reference))
			}
			eachReference(value, found)
		}
	case []any:
		for _, value := range value {
			eachReference(value, found)
		}
	}
}
