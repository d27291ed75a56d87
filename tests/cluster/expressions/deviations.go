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
		expression: whatever, upstream: whatever,
		subject: regexp.MustCompile(`the token is malformed: its payload is nested too deeply`),
		why:     "payloads may be nested 128 deep, as of any token",
	},
	{
		expression: whatever,
		upstream:   regexp.MustCompile(`actual cost limit exceeded`),
		subject:    regexp.MustCompile(`^evaluates`),
		why:        "costs are counted by steps that are really taken, which are fewer for long lists",
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
