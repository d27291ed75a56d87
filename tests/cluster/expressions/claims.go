// Claims of many shapes, and the ways to get at them.

package expressions

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// claimPaths are by the type that they should have; their static type is `any` mostly.
var claimPaths = map[string][]string{
	"string": {
		"claims.s1", "claims.s2", "claims['s1']", "string(claims.s1)", "string(claims.s2)", "string(claims['a.b'])", "claims.?s1.orValue('d')", "claims[?'s2'].orValue('d')",
		"string(claims.?missing.orValue('d'))", "(has(claims.s1) ? string(claims.s1) : 'none')", "claims.o.deep.s", "string(claims.o['deep'].s)", "claims.a__dot__b",
		"string(claims.a__dash__b)", "claims['a/b']", "string(claims['https://claims.example/ns'].k)", "claims.sub", "string(claims.?o.?deep.?s.orValue('-'))", "claims.uni", "string(claims.namespace)",
		"claims.__in__", "claims.ls[0]", "string(claims.n)", "claims.missing", "string(claims.odd)", "claims.o.deep.list[1].name", "claims.email", "string(claims.email)", "claims['email']", "claims.?email.orValue('')",
	},
	"int":          {"int(claims.n)", "size(claims.s1)", "size(claims.ls)", "int(claims.f)", "claims.ls.size()"},
	"uint":         {"uint(claims.n)"},
	"double":       {"claims.n", "claims.f", "double(claims.n)", "double(claims.f)", "claims.?n.orValue(1.5)", "claims.big", "double(claims.neg)", "claims.ln[0]", "double(claims.o.deep.list[0].v)"},
	"bool":         {"claims.t == true", "claims.t", "has(claims.t)", "has(claims.o.deep.s)", "claims.?t.orValue(false) == true", "has(claims.missing)", "bool(claims.t)", "claims.?s1.hasValue()", "'x' in claims.o", "'a' in claims.ls", "claims.email_verified == true", "has(claims.email)", "has(claims.o.__in__)", "'s1' in claims"},
	"null":         {"claims.nul", "null"},
	"dyn":          {"claims.s1", "claims.n", "claims.o", "claims.ls", "dyn(claims.o.deep.list)", "claims.mix", "claims.mix[2]", "claims['o']['deep']", "claims.?o.deep", "claims.nul", "claims.aud", "claims.iss", "dyn(claims)", "claims.mm.k[0].z", "claims.em", "claims.dup", "claims.odd", "claims.odd", "claims.?odd"},
	"list(string)": {"claims.ls", "dyn(claims.ls)", "claims.?ls.orValue([])", "dyn(claims.?ls.orValue([]))", "string(claims.s1).split(',')", "dyn(claims.mix).map(x, string(x))", "dyn(claims.ls).map(x, string(x))", "claims.el", "dyn(claims.o.deep.list).map(x, string(x.name))", "dyn(claims.aud)", "dyn(claims.o).map(k, string(k))"},
	"list(double)": {"claims.ln", "dyn(claims.ln)", "dyn(claims.ln).map(x, double(x))", "dyn(claims.o.deep.list).map(x, double(x.v))"},
	"list(int)":    {"dyn(claims.ln).map(x, int(x))"},
	"list(dyn)":    {"dyn(claims.mix)", "claims.mix", "dyn(claims.deep)"},
	"map(string, string)": {
		"claims.m", "dyn(claims.m)", "claims.?m.orValue({})", "dyn(claims.?o.?deep.orValue({}))", "claims.em", "claims['https://claims.example/ns']",
	},
	"opt(string)": {"claims.?s1", "claims[?'s2']", "claims.?missing", "claims.?o.?deep.?s", "claims.?a__dot__b", "claims.o.?missing", "claims.?ls[?0]", "claims.?email"},
	"opt(int)":    {"claims.?n.optMap(x, int(x))"},
}

var userPaths = map[string][]string{
	"string": {
		"user.username", "user.uid", "user.groups[0]", "user.extra['example.com/k'][0]", "user.extra.example__dot__com__slash__k[0]", "user.extra[?'example.com/k'].orValue(['d'])[0]",
		"user.groups.join(',')", "user.?uid.orValue('')",
	},
	"bool":                      {"has(user.groups)", "has(user.uid)", "'a' in user.groups", "'example.com/k' in user.extra", "user.username.startsWith('a')", "has(user.extra.missing)"},
	"int":                       {"user.groups.size()", "size(user.extra)", "size(user.username)"},
	"list(string)":              {"user.groups", "user.extra['example.com/k']", "user.extra[?'example.com/k'].orValue([])", "user.groups.filter(g, g != 'a')"},
	"map(string, list(string))": {"user.extra"},
	"opt(string)":               {"user.?username", "user.groups[?0]"},
	"opt(list(string))":         {"user.extra[?'example.com/k']", "user.?groups", "user.extra.?missing"},
	"dyn":                       {"dyn(user)", "dyn(user.extra)", "dyn(user.groups)"},
}

// randomClaims are the members of a JSON object. Most of them are what the paths expect.
func randomClaims(random *rand.Rand, environment Environment) string {
	if environment == User {
		return randomUser(random)
	}
	usual := map[string]func() string{
		"s1": func() string { return jsonText(random) }, "s2": func() string { return jsonText(random) }, "uni": func() string { return `"h\u00e9llo w\u00f6rld \u2603 \ud834\udd1e"` },
		"n": func() string { return jsonNumber(random) }, "f": func() string { return jsonNumber(random) }, "neg": func() string { return "-3" },
		"big": func() string {
			return pick(random, []string{"12345678901234567890", "1e21", "-1e300", "9007199254740993", "0.1", "4.9e-324", "1E2", "-0", "1.7976931348623157e308"})
		},
		"t":   func() string { return pick(random, []string{"true", "false"}) },
		"nul": func() string { return "null" },
		"ls":  func() string { return jsonList(random, jsonText) },
		"ln":  func() string { return jsonList(random, jsonNumber) },
		"mix": func() string { return `["s", 1, true, null, [1.5], {"a": "b"}]` },
		"m":   func() string { return fmt.Sprintf(`{"a": %s, "b": "c", "k": "v"}`, jsonText(random)) },
		"em":  func() string { return "{}" },
		"el":  func() string { return "[]" },
		"o": func() string {
			return fmt.Sprintf(`{"deep": {"list": [{"name": "x", "v": 1}, {"name": %s, "v": %s}], "s": "q"}, "in": 1, "a.b": 2}`, jsonText(random), jsonNumber(random))
		},
		"mm":             func() string { return `{"k": [{"z": [1, "2", {"y": null}]}]}` },
		"a.b":            func() string { return `"dot"` },
		"a-b":            func() string { return `"dash"` },
		"a/b":            func() string { return `"slash"` },
		"in":             func() string { return `"keyword"` },
		"namespace":      func() string { return jsonText(random) },
		"email":          func() string { return `"jane@example.com"` },
		"email_verified": func() string { return pick(random, []string{"true", "false"}) },
		"deep": func() string {
			depth := 1 + random.IntN(60)
			return strings.Repeat("[", depth) + strings.Repeat("]", depth)
		},
		"https://claims.example/ns": func() string { return `{"k": "v", "n": 1}` },
		"odd": func() string {
			return pick(random, []string{`"\ud800"`, `"\udc00\ud800x"`, `["\ud834"]`, "1e400", "-1E400", "[1e400]", "1e-400", `{"\ud800": 1}`, `{"": 1}`, `"\u0000"`, "123456789012345678901234567890", `{"claims": {"email": 1}}`, "\"\u007f\u2028\"", "0e5", "[[], {}, null]"})
		},
		"dup": func() string { return `{"a": 1, "a": 2}` },
	}
	names := []string{"s1", "s2", "uni", "n", "f", "neg", "big", "t", "nul", "ls", "ln", "mix", "m", "em", "el", "o", "mm", "a.b", "a-b", "a/b", "in", "namespace", "email", "email_verified", "deep", "https://claims.example/ns", "dup", "odd"}
	members := []string{`"sub": "jane"`}
	for _, name := range names {
		switch random.IntN(16) {
		case 0: // missing
			continue
		case 1:
			other := usual[pick(random, names)]()
			members = append(members, jsonString(name)+": "+other)
		default:
			members = append(members, jsonString(name)+": "+usual[name]())
		}
	}
	return strings.Join(members, ", ")
}

func randomUser(random *rand.Rand) string {
	members := []string{`"sub": ` + jsonString("a"+randomText(random))}
	if random.IntN(4) > 0 {
		members = append(members, `"groups": `+jsonList(random, jsonText))
	}
	members = append(members, `"uid": `+jsonText(random))
	if random.IntN(4) > 0 {
		members = append(members, `"k": `+jsonList(random, jsonText))
	}
	return strings.Join(members, ", ")
}

func jsonText(random *rand.Rand) string {
	return pick(random, []string{
		`""`, `"a"`, `"abc"`, `"a,b,c"`, `"Ab C"`, `"h\u00e9 \u2603"`, `"1"`, `"1.5Gi"`, `"10.1.2.3"`, `"10.0.0.0/8"`, `"https://h.example:1/p?x=1"`, `"1.2.3-rc.1"`, `"2024-02-29T12:34:56Z"`, `"1h30m"`,
		`"system:x"`, `"true"`, `"a\nb"`, `"\ud834\udd1e"`, jsonString(randomText(random)), jsonString(randomText(random)),
	})
}

func jsonNumber(random *rand.Rand) string {
	return pick(random, []string{"0", "1", "5", "-3", "1.5", "1.0", "1e3", "100", "0.1", "2147483648", "9007199254740993", "-0.0", "3.7"})
}

func jsonList(random *rand.Rand, item func(*rand.Rand) string) string {
	items := make([]string, random.IntN(5))
	for i := range items {
		items[i] = item(random)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func jsonString(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string is always JSON
	}
	return string(quoted)
}
