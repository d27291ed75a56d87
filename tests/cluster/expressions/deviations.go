// Where countersign is meant to differ.

package expressions

import "regexp"

// A deviation is known, and has its reason.
type deviation struct {
	// Each of these is found in what it is about; none of them is empty.
	expression, upstream, subject *regexp.Regexp
	why                           string
}

var deviations = []deviation{
	{
		expression: whatever, upstream: whatever,
		subject: regexp.MustCompile(`expression is nested more than 250 deep`),
		why:     "chains such as a.b.c and 1+2+3 are nested too: what evaluates them may recurse, and its stack is bounded",
	},
	{
		expression: whatever,
		upstream:   regexp.MustCompile(`expression recursion limit exceeded: 250`),
		subject:    regexp.MustCompile(`^accepted|^evaluates|^refused: compilation failed: ERROR: <input>:[0-9]+:[0-9]+: expected type`),
		why:        "upstream counts the rules of its grammar that it is in, some of which are entered twice: just below 250 brackets it may say 250",
	},
	{
		expression: regexp.MustCompile(`kubernetes\.UserInfo|google\.protobuf\.`), upstream: whatever,
		subject: regexp.MustCompile(`undeclared reference to '(kubernetes|google)`),
		why:     "messages: claims and users are read, never made, and each protobuf type has rules of its own",
	},
	{
		expression: whatever, upstream: regexp.MustCompile(`^evaluates`),
		subject: regexp.MustCompile(`formatting a value is nested too deeply`),
		why:     "format() recurses, and its stack is bounded",
	},
	{
		expression: whatever,
		upstream:   regexp.MustCompile(`actual cost limit exceeded`),
		subject:    regexp.MustCompile(`^evaluates`),
		why:        "costs are counted by steps that are really taken, which are fewer for long lists",
	},
	{
		expression: regexp.MustCompile(`lists\.range`), upstream: regexp.MustCompile(`^evaluates`),
		subject: regexp.MustCompile(`actual cost limit exceeded`),
		why:     "lists.range costs upstream the same for any number, and here one for each",
	},
	{
		expression: regexp.MustCompile(`\{`), upstream: regexp.MustCompile(`^evaluates`),
		subject: regexp.MustCompile(`unsupported key type`),
		why:     "CEL's maps have keys of four types; upstream keeps any, by identity, and then finds none of them",
	},
	{
		expression: regexp.MustCompile(`\{`), upstream: regexp.MustCompile(`hash of unhashable type`), subject: whatever,
		why: "upstream panics at keys that Go cannot have",
	},
	{
		expression: regexp.MustCompile(`\.map\(|transform|filter|sortBy`), upstream: regexp.MustCompile(`reference to undefined type: `), subject: regexp.MustCompile(`^accepted`),
		why: "upstream looks for types by the names of variables that are types",
	},
	{
		expression: regexp.MustCompile(`\[`), upstream: regexp.MustCompile(`^evaluates`),
		subject: regexp.MustCompile(`must return a string or a list of strings`),
		why:     "upstream takes types and optional strings in a list for strings",
	},
	{
		expression: regexp.MustCompile(`dyn\(.*(reverse|sortBy|slice|distinct)\(.*\.(min|max|sum)\(\)`), upstream: regexp.MustCompile(`no such overload: (min|max|sum)`), subject: regexp.MustCompile(`^evaluates`),
		why: "upstream takes a list for one of integers if all it knows of it statically is nothing",
	},
}

var whatever = regexp.MustCompile("")

// reason is why countersign differs there, if it is meant to.
func (d Disagreement) reason() (why string, meant bool) {
	for _, known := range deviations {
		if known.expression.MatchString(d.Case.Expression) && known.upstream.MatchString(d.Upstream) && known.subject.MatchString(d.Subject) {
			return known.why, true
		}
	}
	return "", false
}
