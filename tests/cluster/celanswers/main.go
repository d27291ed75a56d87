// Command celanswers asks the CEL environment of kube-apiserver what it makes of the expressions in
// src/claims/expression/types/golden/, and writes its answers over the ones that are there.
//
//	go run ./celanswers ../../src/claims/expression/types/golden/*.jsonl
//
// A new row needs no more than its arguments and an empty answer.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
)

// A line of a file: an expression over a, b, c and d, and rows of their values and the answer.
type line struct {
	Expression string  `json:"e"`
	Rows       [][]any `json:"rows"`
}

func main() {
	env, err := newEnvironment()
	if err != nil {
		log.Fatal(err)
	}
	for _, path := range os.Args[1:] {
		if err := record(env, path); err != nil {
			log.Fatalf("%s: %v", path, err)
		}
	}
}

func newEnvironment() (*cel.Env, error) {
	base := environment.MustBaseEnvSet(version.MajorMinor(1, 37))
	set, err := base.Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions: []cel.EnvOption{
			cel.Variable("a", cel.DynType), cel.Variable("b", cel.DynType),
			cel.Variable("c", cel.DynType), cel.Variable("d", cel.DynType),
		},
	})
	if err != nil {
		return nil, err
	}
	return set.Env(environment.StoredExpressions)
}

func record(env *cel.Env, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, len(content)+1)
	for lines.Scan() {
		var read line
		if err := json.Unmarshal(lines.Bytes(), &read); err != nil {
			return err
		}
		ast, issues := env.Compile(read.Expression)
		if issues.Err() != nil {
			return issues.Err()
		}
		program, err := env.Program(ast)
		if err != nil {
			return err
		}
		for _, row := range read.Rows {
			if row[len(row)-1], err = answer(program, row[:len(row)-1]); err != nil {
				return fmt.Errorf("%s of %v: %w", read.Expression, row, err)
			}
		}
		if err := encoder.Encode(read); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

func answer(program cel.Program, arguments []any) (string, error) {
	variables := map[string]any{}
	for at, argument := range arguments {
		value, err := parse(argument)
		if err != nil {
			return "", err
		}
		variables[string(rune('a'+at))] = value
	}
	value, _, err := program.Eval(variables)
	if err != nil {
		return "err:" + err.Error(), nil
	}
	return show(value), nil
}

// parse reads an argument: strings carry the letter of their type, and the rest is JSON's.
func parse(argument any) (any, error) {
	switch argument := argument.(type) {
	case []any:
		values := make([]any, len(argument))
		for at := range argument {
			value, err := parse(argument[at])
			if err != nil {
				return nil, err
			}
			values[at] = value
		}
		return values, nil
	case map[string]any:
		values := map[string]any{}
		for key := range argument {
			value, err := parse(argument[key])
			if err != nil {
				return nil, err
			}
			values[key] = value
		}
		return values, nil
	case string:
		letter, text, _ := strings.Cut(argument, ":")
		switch letter {
		case "s":
			return text, nil
		case "i":
			return strconv.ParseInt(text, 10, 64)
		case "u":
			return strconv.ParseUint(text, 10, 64)
		case "d":
			return strconv.ParseFloat(text, 64)
		case "x":
			return []byte(text), nil
		}
		return nil, fmt.Errorf("%q has no type", argument)
	default:
		return argument, nil
	}
}

// show writes a value as golden.rs describes it.
func show(value ref.Val) string {
	switch value := value.(type) {
	case types.String:
		return "s:" + string(value)
	case types.Int:
		return "i:" + strconv.FormatInt(int64(value), 10)
	case types.Uint:
		return "u:" + strconv.FormatUint(uint64(value), 10)
	case types.Double:
		return "d:" + strconv.FormatFloat(float64(value), 'g', -1, 64)
	case types.Bool:
		return "b:" + strconv.FormatBool(bool(value))
	case *types.Optional:
		if value.HasValue() {
			return "some(" + show(value.GetValue()) + ")"
		}
		return "none"
	case traits.Lister:
		var parts []string
		for each := value.Iterator(); each.HasNext() == types.True; {
			parts = append(parts, show(each.Next()))
		}
		return "l:" + list(parts)
	case traits.Mapper:
		var parts []string
		for each := value.Iterator(); each.HasNext() == types.True; {
			key := each.Next()
			parts = append(parts, show(key)+"="+show(value.Get(key)))
		}
		slices.Sort(parts)
		return "m:" + list(parts)
	}
	return fmt.Sprintf("%s:%v", value.Type().TypeName(), value.Value())
}

func list(parts []string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	// Strings can be encoded, always.
	_ = encoder.Encode(append([]string{}, parts...))
	return strings.TrimSuffix(out.String(), "\n")
}
