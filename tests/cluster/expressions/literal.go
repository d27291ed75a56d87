// Literals, and texts of all sorts that functions expect.

package expressions

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// literals are written out, by type. Some of them are not what they should be, so that conversions
// fail, and some are at an edge.
var literals = map[string][]string{
	"null":  {"null"},
	"bool":  {"true", "false"},
	"int":   {"0", "1", "2", "-1", "7", "42", "100", "0x1F", "-0x10", "9007199254740993", "9223372036854775807", "-9223372036854775808", "1000000007", "-7"},
	"uint":  {"0u", "1u", "2u", "7u", "42U", "0xFFu", "18446744073709551615u", "9223372036854775808u"},
	"bytes": {"b''", "b'abc'", `b'\xff\x00'`, `b'\377'`, "b'é'", `b"\u00e9"`, "br'\\n'", "b'a\\nb'", "B'Z'"},
	"double": {
		"0.0", "1.0", "-1.0", "1.5", "-0.0", "0.1", "1e3", "1e-7", "1.7976931348623157e308", "5e-324", "-2.5", "1e21", "123456789.125", "3.0",
		"9007199254740993.0", "1e100", ".5", "1.0E+2", "9.223372036854775807e18", "-9.3e18",
	},
	"string": {
		"''", "'a'", "'b'", "'abc'", `"abc"`, "'hello world'", "'Ab,cD,'", "'a,b,c'", "'  x  '", "'héllo ☃ 𝄞'", "'ſKß'", `'\u00e9\U0001F600'`,
		`'a\nb\t\\\'"'`, `r'\d+'`, "'''tri'ple'''", `"""a"b"""`, "'system:x'", "'1'", "'true'", "'null'", "'2024-02-29T12:34:56Z'", "'%s'", "'\u200b'",
		`'\x41\101\?\a'`, "'ÀÉ'", "' '", "'\u00a0x\u2003'", "R'a\\'", "'e\u0301'",
	},
	"type": {
		"int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type", "google.protobuf.Timestamp",
		"google.protobuf.Duration", "optional_type", "net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.URL", "google.protobuf.Any", "dyn",
	},
	"timestamp": {
		"timestamp('2024-02-29T12:34:56Z')", "timestamp('1970-01-01T00:00:00Z')", "timestamp('2023-12-31T23:59:59.999999999+05:30')",
		"timestamp('0001-01-01T00:00:00Z')", "timestamp('9999-12-31T23:59:59.999999999Z')", "timestamp(0)", "timestamp(1700000000)", "timestamp('2024-03-10T07:00:00.5Z')",
	},
	"duration": {
		"duration('0s')", "duration('1h30m')", "duration('-1.5s')", "duration('90m')", "duration('1ns')", "duration('2540400h')", "duration('100ms')",
		"duration('315576000000s')", "duration('-9223372036854775808ns')",
	},
	"'regex'": {
		"'a'", "'^a'", "'b$'", "'[a-z]+'", `r'\d+'`, `'\\w+'`, "'(a|b)*'", "'(?i)ABC'", "'.*'", "''", "'a{2,3}'", `r'\pL+'`, "'[[:alpha:]]'", "'(?P<n>a)'",
		"'a*?'", `r'\bx\b'`, "'(?s).'", "'[^,]+'", "'('", "'[z-a]'", "'(?=a)'", `r'(\w)\1'`, "'é+'", "'a{1001}'", "'(?:)'", "'x*'", `r'\Qa.b\E'`, `r'\x{1F600}|☃'`, "'(?U)a+'", `r'\C'`,
		"'(?<n>a)'", "'\\\\z'", "'[[:^digit:]]'", "'a**'", "'(?i)ſ'", `r'\s\S'`, "'$^'",
	},
	"'zone'": {
		"'UTC'", "'America/New_York'", "'Europe/Berlin'", "'Asia/Kolkata'", "'+02:00'", "'-05:30'", "'02:00'", "'Z'", "''", "'Local'", "'Mars/Base'", "'+25:00'",
		"'Australia/Lord_Howe'", "'EST'", "'europe/berlin'", "'+2:00'", "'-00:30'", "'GMT'",
	},
	"'index'":  {"0", "1", "2", "3", "-1", "5", "10", "100"},
	"'bool'":   {"'true'", "'false'", "'TRUE'", "'t'", "'1'", "'0'", "'True'", "'yes'", "''", "'F'", "'tRUE'"},
	"'number'": {"'0'", "'42'", "'-7'", "'1.5'", "'1e3'", "'0x10'", "''", "' 1'", "'9223372036854775808'", "'18446744073709551615'", "'NaN'", "'Inf'", "'-Infinity'", "'1_000'", "'+5'", "'abc'", "'.5'", "'5.'", "'1e400'", "'0b1'", "'-0'", "'inf'", "'nan'", "'0x1p-2'"},
	"'time'": {
		"'2024-02-29T12:34:56Z'", "'2024-02-29T12:34:56.123456789+01:00'", "'1969-12-31T23:59:59.5-08:00'", "'2023-02-29T00:00:00Z'", "'2024-02-29'", "'2024-02-29t12:34:56z'",
		"'2024-02-29T24:00:00Z'", "'2024-12-31T23:59:60Z'", "'9999-12-31T23:59:59Z'", "'0000-01-01T00:00:00Z'", "'10000-01-01T00:00:00Z'", "'2024-02-29T12:34:56'", "''", "'2024-02-29T12:34:56,5Z'",
		"'2024-2-9T1:2:3Z'", "'2024-02-29T12:34:56+24:00'", "'2024-02-29T12:34:56.1234567891234Z'",
	},
	"'duration'": {
		"'1h'", "'1h30m5s'", "'1.5h'", "'-2m'", "'1ms'", "'1us'", "'1µs'", "'1μs'", "'1ns'", "'0'", "'1'", "'1d'", "''", "'+5s'", "'.5s'", "'1h1h'", "'100000000h'", "'2562047h47m16.854775807s'",
		"'2562047h47m16.854775808s'", "'1s '", "'-'", "'1e3s'", "'0.000000001s'", "'5.s'",
	},
	"'ip'": {
		"'10.1.2.3'", "'127.0.0.1'", "'::1'", "'2001:db8::1'", "'fe80::1'", "'0.0.0.0'", "'::'", "'224.0.0.1'", "'169.254.1.1'", "'ff02::1'", "'255.255.255.255'", "'::ffff:1.2.3.4'", "'010.1.2.3'",
		"'1.2.3'", "'1.2.3.256'", "'fe80::1%eth0'", "'2001:DB8::1'", "'2001:db8:0:0::1'", "''", "'abc'", "'1:2:3:4:5:6:7:8'", "'1:2:3:4:5:6:1.2.3.4'", "'10.1.2.3/8'", "' 1.2.3.4'", "'1::2::3'", "'::ffff:0:0'",
	},
	"'cidr'": {
		"'10.0.0.0/8'", "'10.1.2.3/16'", "'0.0.0.0/0'", "'192.168.0.0/24'", "'::/0'", "'2001:db8::/32'", "'fe80::/10'", "'127.0.0.1/32'", "'::1/128'", "'10.0.0.0/33'", "'10.0.0.0'", "'10.0.0.0/08'",
		"'::ffff:10.0.0.0/104'", "'2001:DB8::/32'", "''", "'10.0.0/8'", "'fe80::1%eth0/64'", "'10.0.0.0/-1'", "'10.0.0.0/+8'", "'1.2.3.4/ 8'", "'::ffff:1.2.3.0/120'",
	},
	"'url'": {
		"'https://example.com'", "'https://u:p@h.example:8443/p/a?x=1&x=2&y=%20z#f'", "'http://[::1]:80/x'", "'/path?x=1'", "'https://example.com:80'", "'example.com'", "'https://'", "'ftp://a/b;c?d=e;f=g'",
		"'https://example.com/ä?q=ü'", "'http://a b'", "'https://a/%zz'", "'mailto:a@b'", "''", "'https://h/?a&b=&=c'", "'https://h:port/'", "'HTTPS://EXAMPLE.com/A%2fB'", "'//h/p'", "'https://[fe80::1%25en0]:1/'",
		"'/a/../b'", "'https://h?x=%zz&y=1'", "'https://h?x=1;y=2'", "'https://h/a+b?c+d=e+f'", "'https://h:/x'", "'https://h/\\u00e9'", "'https://xn--nxasmq6b/'", "'https://user@'", "'https://h/[x]'", "'http://1.2.3.4:0/?'", "'#f'", "'?x=1'", "'*'", "'/%'",
	},
	"'quantity'": {
		"'1'", "'1.5Gi'", "'100m'", "'-2'", "'1k'", "'1e3'", "'1E'", "'5Ki'", "'0'", "'1n'", "'0.5'", "'1.'", "'.5'", "'+1'", "'1Kb'", "''", "'abc'", "'1 Gi'", "'9223372036854775807'", "'9223372036854775808'",
		"'1e-3'", "'123456789012345678901234567890'", "'0.1n'", "'-1.5Mi'", "'1e100'", "'100Ei'", "'1e+2'", "'1u'", "'00.5'", "'-0'", "'1E2'", "'1e'", "'1_0'", "'0.0000000001'", "'3P'", "'12e6'", "'8Ei'",
	},
	"'semver'": {
		"'1.2.3'", "'0.0.0'", "'1.2.3-rc.1'", "'1.2.3+build'", "'1.2.3-alpha+b'", "'v1.2.3'", "'1.2'", "'1'", "'01.2.3'", "'1.2.3-01'", "'1.2.3-'", "''", "'1.2.3.4'", "'10.20.30'", "' 1.2.3'", "'1.2.3-rc.10'",
		"'v1'", "'01.02'", "'18446744073709551616.0.0'", "'1.2.3-x.y-z'", "'a.b.c'", "'1.2.3-α'", "'v01.1.1'", "'1.2.x'", "'1..3'", "'1.2.3-rc..1'", "'18446744073709551615.0.0'", "'vv1.0.0'", "'V1.0.0'", "'1.2.3-0'", "'00.0.0'",
	},
	"'format'":      {"'%s'", "'%d'", "'%f'", "'%e'", "'%x'", "'%X'", "'%b'", "'%o'", "'%.1f'", "'%5d'", "'%%'", "'%'", "'no'", "'%s%s'", "'%.s'", "'%v'", "'%.30f'", "'%.99999f'", "'é%s'"},
	"'format name'": {"'dns1123Label'", "'uuid'", "'nothing'", "'uri'", "'date'", "''"},
	"'name'": {
		"'abc'", "'Abc'", "'a-b.c'", "'-a'", "'a/b'", "''", "'123e4567-e89b-12d3-a456-426614174000'", "'aGVsbG8='", "'2021-01-01'", "'2021-01-01T00:00:00Z'", "'https://a.example'", "'a_b'", "'1abc'", "'abc-'", "'example.com/name'",
		"'2021-13-01'", "'a..b'", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", "'é'", "'a\\nb'", "'123E4567-E89B-12D3-A456-426614174000'", "'aGVsbG8'", "'2024-02-30'", "'{123e4567-e89b-12d3-a456-426614174000}'", "'urn:uuid:123e4567-e89b-12d3-a456-426614174000'", "'a b'", "'aGVs\\nbG8='", "'/x'", "'x.y'",
	},
	"'field name'": {"'a'", "'b'", "'x'", "'k'", "'a.b'", "'a-b'", "'in'", "'a__dot__b'", "''", "'é'"},
	"'macro'":      {"map", "filter", "all", "exists", "exists_one", "existsOne", "has", "transformList", "transformMap", "transformMapEntry", "optMap", "optFlatMap", "sortBy"},
}

// names are written without quotes; their sorts end like those of texts.
var names = map[string][]string{
	"'field'":  {"a", "b", "x", "k", "a__dot__b", "missing", "in", "namespace", "`a`", "`a.b`", "__in__"},
	"'format'": {"dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix", "dns1123SubdomainPrefix", "dns1035LabelPrefix", "labelValue", "uri", "uuid", "byte", "date", "datetime"},
	"'function'": {
		"size", "contains", "startsWith", "endsWith", "matches", "bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint", "getFullYear", "getHours",
		"charAt", "indexOf", "lastIndexOf", "join", "lowerAscii", "replace", "split", "substring", "trim", "format", "strings.quote", "reverse", "sets.contains", "isSorted", "sum", "min", "max", "includes",
		"distinct", "flatten", "lists.range", "slice", "sort", "find", "findAll", "url", "isURL", "getQuery", "ip", "isIP", "family", "cidr", "isCIDR", "containsIP", "quantity", "isQuantity", "compareTo", "add",
		"sign", "asInteger", "semver", "isSemver", "major", "format.named", "validate", "optional.of", "optional.none", "hasValue", "value", "or", "orValue", "first", "last", "unwrapOpt", "upperAscii", "masked",
		"path", "group", "check", "allowed", "namespace", "errored", "reason", "fieldSelector", "labelSelector", "getMonth", "isInteger", "isGreaterThan", "optional.unwrap", "_+_", "@not_strictly_false",
	},
}

// literal gives one of a type without arguments. Strings and numbers are also made up.
func (g *generator) literal(name string) string {
	switch choice := g.random.IntN(4); {
	case name == "int" && choice == 0:
		return strconv.FormatInt(g.random.Int64N(2000)-1000, 10)
	case name == "double" && choice == 0:
		return doubleLiteral(g.random)
	case name == "string" && choice == 0:
		return quoted(randomText(g.random))
	}
	if all, ok := literals[name]; ok {
		return pick(g.random, all)
	}
	return ""
}

func doubleLiteral(random *rand.Rand) string {
	value := random.NormFloat64() * pick(random, []float64{1, 1e3, 1e-3, 1e15, 1e20, 1e-10, 1e300})
	text := strconv.FormatFloat(value, pick(random, []byte("gef")), pick(random, []int{-1, 1, 3, 17}), 64)
	if !strings.ContainsAny(text, ".eE") {
		text += ".0"
	}
	return text
}

var alphabet = []rune("aAbBcCxXyYzZ019_-.:/,;@# '\"\\%éß☃𝄞\u0301ı\u2028")

func randomText(random *rand.Rand) string {
	text := make([]rune, random.IntN(12))
	for i := range text {
		text[i] = pick(random, alphabet)
	}
	return string(text)
}

// quoted writes a text as a literal of CEL.
func quoted(text string) string {
	var out strings.Builder
	out.WriteByte('\'')
	for _, letter := range text {
		switch {
		case letter == '\'' || letter == '\\':
			out.WriteByte('\\')
			out.WriteRune(letter)
		case letter == '\n':
			out.WriteString(`\n`)
		case letter == '\r':
			out.WriteString(`\r`)
		default:
			out.WriteRune(letter)
		}
	}
	out.WriteByte('\'')
	return out.String()
}
