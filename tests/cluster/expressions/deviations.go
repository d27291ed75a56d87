// Where countersign is meant to differ.

package expressions

import "regexp"

// A deviation is known, and has its reason.
type deviation struct {
	// Each of these is found in what it is about; none of them is empty.
	expression, upstream, subject *regexp.Regexp
	why                           string
}

var deviations = []deviation{}

// reason is why countersign differs there, if it is meant to.
func (d Disagreement) reason() (why string, meant bool) {
	for _, known := range deviations {
		if known.expression.MatchString(d.Case.Expression) && known.upstream.MatchString(d.Upstream) && known.subject.MatchString(d.Subject) {
			return known.why, true
		}
	}
	return "", false
}
