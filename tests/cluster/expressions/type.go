// The types of the grammar, and the templates that are written with them.

package expressions

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A kind is a type of CEL such as `int` or `list(map(string, T))`: its name and what it is of. In
// templates a capital letter stands for any type, and a name in quotes for texts of one sort, such
// as `'regex'`: a string as far as CEL is concerned.
type kind struct {
	name string
	of   []kind
}

func (k kind) String() string {
	if len(k.of) == 0 {
		return k.name
	}
	inner := make([]string, len(k.of))
	for i, part := range k.of {
		inner[i] = part.String()
	}
	return k.name + "(" + strings.Join(inner, ", ") + ")"
}

func (k kind) equals(other kind) bool {
	return k.name == other.name && slices.EqualFunc(k.of, other.of, kind.equals)
}

// isVariable says whether it stands for a type that the context chooses.
func (k kind) isVariable() bool { return len(k.name) == 1 }

// parseKind reads what String writes.
func parseKind(text string) kind {
	k, rest := parseKindPrefix(text)
	if rest != "" {
		panic(fmt.Sprintf("type %q: %q is left over", text, rest))
	}
	return k
}

func parseKindPrefix(text string) (kind, string) {
	end := strings.IndexAny(text, "(),")
	if end < 0 {
		return kind{name: strings.TrimSpace(text)}, ""
	}
	k, rest := kind{name: strings.TrimSpace(text[:end])}, text[end:]
	if !strings.HasPrefix(rest, "(") {
		return k, rest
	}
	for more := true; more; {
		var inner kind
		inner, rest = parseKindPrefix(rest[1:])
		k.of = append(k.of, inner)
		more = strings.HasPrefix(rest, ",")
	}
	return k, strings.TrimPrefix(rest, ")")
}

// bindings are what type variables stand for.
type bindings map[string]kind

// unify binds the variables of a pattern so that it is the type, and says whether that is possible.
func (b bindings) unify(pattern, k kind) bool {
	if pattern.isVariable() {
		if bound, ok := b[pattern.name]; ok {
			return bound.equals(k)
		}
		if !slices.ContainsFunc(choices(pattern.name), k.equals) && restricted(pattern.name) {
			return false
		}
		b[pattern.name] = k
		return true
	}
	if pattern.name != k.name || len(pattern.of) != len(k.of) {
		return false
	}
	for i := range pattern.of {
		if !b.unify(pattern.of[i], k.of[i]) {
			return false
		}
	}
	return true
}

// resolve replaces variables by what they are bound to, and binds those that are not yet.
func (b bindings) resolve(pattern kind, random *rand.Rand) kind {
	if pattern.isVariable() {
		if bound, ok := b[pattern.name]; ok {
			return bound
		}
		b[pattern.name] = pick(random, choices(pattern.name))
		return b[pattern.name]
	}
	resolved := kind{name: pattern.name}
	for _, inner := range pattern.of {
		resolved.of = append(resolved.of, b.resolve(inner, random))
	}
	return resolved
}

// restricted says whether a variable stands for its choices only: K can be the key of a map, N can be
// compared, S can be summed up. Any other can be of any type.
func restricted(variable string) bool {
	return variable == "K" || variable == "N" || variable == "S"
}

func choices(variable string) []kind {
	switch variable {
	case "K":
		return keyKinds
	case "N":
		return comparableKinds
	case "S":
		return summableKinds
	default:
		return kinds
	}
}

var (
	keyKinds        = parseKinds("string", "string", "int", "uint", "bool")
	comparableKinds = parseKinds("int", "uint", "double", "string", "bool", "bytes", "timestamp", "duration")
	summableKinds   = parseKinds("int", "uint", "double", "duration")
	// kinds are those that an expression as a whole can have; the more usual ones more often.
	kinds = parseKinds(
		"bool", "bool", "bool", "int", "int", "uint", "double", "double", "string", "string", "string", "string",
		"bytes", "timestamp", "duration", "type", "null", "dyn",
		"list(string)", "list(string)", "list(int)", "list(double)", "list(bool)", "list(list(int))", "list(dyn)", "list(duration)",
		"map(string, string)", "map(string, int)", "map(int, string)", "map(bool, double)", "map(string, list(string))",
		"opt(string)", "opt(int)", "opt(list(string))", "opt(opt(int))",
		"ip", "cidr", "url", "quantity", "semver", "format",
	)
)

func parseKinds(texts ...string) []kind {
	kinds := make([]kind, len(texts))
	for i, text := range texts {
		kinds[i] = parseKind(text)
	}
	return kinds
}

// A part of a template is text, or a hole that an expression of a type goes into, or one that a new
// variable of a type goes into: what comes after it can use it.
type part struct {
	text     string
	hole     kind
	isHole   bool
	variable bool
}

// A rule says that its template makes an expression of a type.
type rule struct {
	result kind
	parts  []part
}

// parseRules reads lines `type: template`. In the template ‹type› is a hole, and ‹@type› the name of
// a new variable.
func parseRules(text string) []rule {
	var rules []rule
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		result, template, ok := strings.Cut(line, ": ")
		if !ok {
			panic(fmt.Sprintf("no rule: %q", line))
		}
		rules = append(rules, rule{result: parseKind(result), parts: parseTemplate(template)})
	}
	return rules
}

func parseTemplate(template string) []part {
	var parts []part
	for template != "" {
		text, rest, found := strings.Cut(template, "‹")
		if text != "" {
			parts = append(parts, part{text: text})
		}
		if !found {
			break
		}
		var hole string
		hole, template, _ = strings.Cut(rest, "›")
		hole, variable := strings.CutPrefix(hole, "@")
		parts = append(parts, part{hole: parseKind(hole), isHole: true, variable: variable})
	}
	return parts
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }
