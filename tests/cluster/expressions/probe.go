// Probes: expressions around an expression that give a text for each thing that can be seen of its
// value.

package expressions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	apiservercel "k8s.io/apiserver/pkg/cel"
)

const (
	maxProbes     = 20
	maxProbeDepth = 3
	// maxProbesText bounds all probes of one expression together.
	maxProbesText = 20_000
)

// wrapped can be a part of another expression, even if it ends in a comment.
func wrapped(expression string) string {
	if strings.Contains(expression, "//") {
		return "(" + expression + "\n)"
	}
	return "(" + expression + ")"
}

// typeProbe has a static type of its own that all others differ from, so that the mistake names both.
func typeProbe(expression string) string {
	return "[" + wrapped(expression) + ", optional.of(optional.of(optional.of(b'')))]"
}

// probes are for one value of an expression, those first that say most.
func probes(expression string, value ref.Val) []string {
	all := append([]string{typeOf(expression)}, inside("dyn("+expression+")", value, 0)...)
	all = append(all, "'%s'.format([dyn("+expression+")])")
	most := max(2, min(maxProbes, maxProbesText/(len(expression)+1)))
	return all[:min(len(all), most)]
}

// typeOf is the name of the type of a value: there is no other way from a type to a text.
func typeOf(expression string) string { return "'%s'.format([type(" + expression + ")])" }

func inside(path string, value ref.Val, depth int) []string {
	call := func(calls ...string) []string {
		for i, call := range calls {
			calls[i] = path + call
		}
		return calls
	}
	text := func(function string, expressions ...string) []string {
		var texts []string
		for _, expression := range expressions {
			texts = append(texts, function+"("+expression+")")
		}
		return texts
	}
	switch value := value.(type) {
	case types.Bool, types.Int, types.Uint, types.Double, types.String, types.Timestamp, types.Duration, apiservercel.IP, apiservercel.CIDR:
		return text("string", path)
	case *types.Type:
		return []string{"'%s'.format([" + path + "])"}
	case types.Bytes:
		var literal strings.Builder
		for _, b := range value {
			fmt.Fprintf(&literal, `\x%02x`, b)
		}
		return text("string", "size("+path+")", path+" == b'"+literal.String()+"'")
	case types.Null:
		return text("string", path+" == null")
	case *types.Optional:
		probes := text("string", path+".hasValue()")
		if value.HasValue() && depth < maxProbeDepth {
			inner := path + ".value()"
			probes = append(append(probes, typeOf(inner)), inside(inner, value.GetValue(), depth+1)...)
		}
		return probes
	case traits.Mapper:
		return append(text("string", "size("+path+")"), insideMap(path, value, depth)...)
	case traits.Lister:
		probes := text("string", "size("+path+")")
		size, ok := value.Size().(types.Int)
		if !ok || depth >= maxProbeDepth {
			return probes
		}
		for _, i := range []types.Int{0, 1, 2, size - 1} {
			if i < 0 || i >= size {
				continue
			}
			inner := fmt.Sprintf("%s[%d]", path, i)
			probe := append([]string{typeOf(inner)}, inside(inner, value.Get(i), depth+1)...)
			if !slices.Contains(probes, probe[0]) {
				probes = append(probes, probe...)
			}
		}
		return probes
	case apiservercel.Quantity:
		equal := fmt.Sprintf(".compareTo(quantity('%s'))", value.Quantity)
		return text("string", append(call(equal, ".isInteger()", ".asApproximateFloat()"), "sign("+path+")")...)
	case apiservercel.Semver:
		equal := fmt.Sprintf(".compareTo(semver('%s'))", value.Version)
		return text("string", call(equal, ".major()", ".minor()", ".patch()")...)
	case apiservercel.URL:
		return append(call(".getScheme()", ".getHost()", ".getHostname()", ".getPort()", ".getEscapedPath()"), "string(size("+path+".getQuery()))")
	case *apiservercel.Format:
		return text("string", call(".validate('A b').hasValue()", ".validate('a').hasValue()", ".validate('2024-01-01').hasValue()")...)
	}
	return nil
}

func insideMap(path string, value traits.Mapper, depth int) []string {
	iterable, ok := value.(traits.Iterable)
	if !ok || depth >= maxProbeDepth {
		return nil
	}
	var keys []string
	items := map[string]ref.Val{}
	for it := iterable.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		var literal string
		switch key := key.(type) {
		case types.String:
			if strings.Contains(string(key), "__") {
				continue // would be unescaped
			}
			literal = quoted(string(key))
		case types.Uint:
			literal = fmt.Sprintf("%du", key)
		case types.Int, types.Bool:
			literal = fmt.Sprint(key.Value())
		default:
			continue
		}
		if item, found := value.Find(key); found {
			keys = append(keys, literal)
			items[literal] = item
		}
	}
	slices.Sort(keys)
	var probes []string
	for _, key := range keys[:min(len(keys), 3)] {
		inner := path + "[" + key + "]"
		probes = append(append(probes, typeOf(inner)), inside(inner, items[key], depth+1)...)
	}
	return probes
}
