// The same questions to two subjects, and where their answers differ.

package expressions

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"k8s.io/apiserver/pkg/apis/apiserver"
)

// Comparison is of a subject with upstream.
type Comparison struct {
	upstream *Upstream
	subject  Subject
}

// Disagreement is one answer that differs.
type Disagreement struct {
	Case Case
	// What the question was.
	What string
	// The two answers.
	Upstream, Subject string
}

func (d Disagreement) String() string {
	return fmt.Sprintf("%s: %s\n    %s\n    claims: %s\n    kube-apiserver: %s\n    subject:        %s",
		d.Case, d.What, indented(shortened(d.Case.Expression, 600)), shortened(brackets.ReplaceAllString(d.Case.Claims, "[…]"), 1500), indented(shortened(d.Upstream, 700)), indented(shortened(d.Subject, 700)))
}

// brackets are claims that are deep only.
var brackets = regexp.MustCompile(`\[{8,}\]+`)

func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n      ") }

func shortened(text string, most int) string {
	if letters := []rune(text); len(letters) > most {
		return fmt.Sprintf("%s … (%d letters)", string(letters[:most]), len(letters))
	}
	return text
}

// Result is what came out of a comparison.
type Result struct {
	Disagreements []Disagreement
	// How many expressions upstream panics at, how many it accepts, how many of those then fail, and
	// how many answers have been compared.
	Cases, Panics, Accepted, Failed, Answers int
	// How many answers differ from what upstream said, but so do its own when it is asked again.
	Undecided int
	// How many mistakes and errors there are on both sides, and how many of them are told in
	// upstream's words. Not all have to be.
	Told, SameWords int
	// OtherWords are those that are not.
	OtherWords []Disagreement
}

// Compare asks both subjects about all cases.
func (c *Comparison) Compare(cases []Case) (*Result, error) {
	result := &Result{Cases: len(cases)}
	accepted, err := c.compareAcceptance(cases, result)
	if err != nil {
		return nil, err
	}
	return result, c.compareValues(accepted, result)
}

// compareAcceptance gives the cases that both accept.
func (c *Comparison) compareAcceptance(cases []Case, result *Result) ([]Case, error) {
	entries := make([]Entry, len(cases))
	err := each(len(cases), func(i int) error {
		one, entry := cases[i], newEntry(i, cases[i].Claims)
		_, err := c.upstream.compile(one.Environment, one.Expression)
		if one.Environment == Claims {
			entry.JWT.ClaimMappings.Username.Expression = one.Expression
			entry.JWT.ClaimMappings.Extra = append(entry.JWT.ClaimMappings.Extra, extra("a", one.Expression))
			entry.JWT.ClaimValidationRules = []apiserver.ClaimValidationRule{{Expression: one.Expression}}
			if err == nil {
				entry.JWT.ClaimMappings.Extra = append(entry.JWT.ClaimMappings.Extra, extra("b", typeProbe(one.Expression)))
			}
		} else {
			entry.JWT.ClaimMappings.Username.Expression = "'x'"
			entry.JWT.UserValidationRules = []apiserver.UserValidationRule{{Expression: one.Expression}, {Expression: "[" + wrapped(one.Expression) + "].size() == 1"}}
			if err == nil {
				entry.JWT.UserValidationRules = append(entry.JWT.UserValidationRules, apiserver.UserValidationRule{Expression: typeProbe(one.Expression) + ".size() == 2"})
			}
		}
		entries[i] = entry
		return nil
	})
	if err != nil {
		return nil, err
	}
	theirs, err := c.upstream.Check(entries)
	if err != nil {
		return nil, err
	}
	ours, err := c.subject.Check(entries)
	if err != nil {
		return nil, err
	}

	var accepted []Case
	for i, entry := range entries {
		if _, panicked := theirs[Place{Number: i}]; panicked {
			result.Panics++
			for _, field := range append(asked(entry), "") {
				delete(ours, Place{i, field})
			}
			continue
		}
		agreed := true
		for _, field := range asked(entry) {
			place := Place{i, field}
			their, refusedByThem := theirs[place]
			our, refusedByUs := ours[place]
			d := Disagreement{cases[i], "is accepted as " + field, verdict(their, refusedByThem), verdict(our, refusedByUs)}
			result.Answers++
			switch {
			case refusedByThem != refusedByUs:
				if agreed {
					result.Disagreements = append(result.Disagreements, d)
				}
				agreed = false
			case refusedByThem:
				result.tell(d, told(their), told(our))
				if agreed && isTypeProbe(field) && staticTypes(their) != staticTypes(our) {
					d.What = "has its static type in " + field
					result.Disagreements = append(result.Disagreements, d)
				}
			}
			delete(ours, place)
		}
		_, refused := theirs[Place{i, asked(entry)[0]}]
		if cases[i].Environment == User {
			_, refused = theirs[Place{i, "userValidationRules[1].expression"}]
		}
		if !refused {
			result.Accepted++
			if agreed {
				accepted = append(accepted, cases[i])
			}
		}
	}
	for place, mistake := range ours {
		result.Disagreements = append(result.Disagreements, Disagreement{cases[place.Number], "has nothing wrong at " + place.Field, "accepted", mistake})
	}
	return accepted, nil
}

func extra(key, expression string) apiserver.ExtraMapping {
	return apiserver.ExtraMapping{Key: "expressions.example/" + key, ValueExpression: expression}
}

// asked are the fields with expressions, the one that takes most first.
func asked(entry Entry) (fields []string) {
	for i := range entry.JWT.ClaimMappings.Extra {
		fields = append(fields, fmt.Sprintf("claimMappings.extra[%d].valueExpression", i))
	}
	if len(fields) > 0 {
		fields = append(fields, "claimMappings.username.expression")
	}
	for i := range entry.JWT.ClaimValidationRules {
		fields = append(fields, fmt.Sprintf("claimValidationRules[%d].expression", i))
	}
	for i := range entry.JWT.UserValidationRules {
		fields = append(fields, fmt.Sprintf("userValidationRules[%d].expression", i))
	}
	return fields
}

func isTypeProbe(field string) bool {
	return field == "claimMappings.extra[1].valueExpression" || field == "userValidationRules[2].expression"
}

func verdict(mistake string, refused bool) string {
	if !refused {
		return "accepted"
	}
	return "refused: " + told(mistake)
}

var introduction = regexp.MustCompile(`(?s)^(Invalid value: "(?:[^"\\]|\\.)*"|Internal error): `)

// told is a mistake without the expression that it is about.
func told(mistake string) string { return introduction.ReplaceAllString(mistake, "") }

var expected = regexp.MustCompile(`expected type '.*' but found '.*'`)

func staticTypes(mistake string) string { return expected.FindString(mistake) }

func (r *Result) tell(d Disagreement, theirs, ours string) {
	r.Told++
	if theirs == ours {
		r.SameWords++
	} else {
		d.Upstream, d.Subject = theirs, ours
		r.OtherWords = append(r.OtherWords, d)
	}
}

// notProbed is what a rule says if a probe about a user has another value than upstream gave before.
const notProbed = "should be"

// question is an entry about a case that both accept.
type question struct {
	one    Case
	entry  Entry
	probes []string
}

func (c *Comparison) compareValues(cases []Case, result *Result) error {
	questions := make([]question, len(cases))
	err := each(len(cases), func(i int) (err error) {
		if questions[i], err = c.question(i, cases[i]); err != nil {
			return fmt.Errorf("%v: %s: %w", cases[i], cases[i].Expression, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	entries := func() (entries []Entry) {
		for _, q := range questions {
			entries = append(entries, q.entry)
		}
		return entries
	}

	// A probe that is refused would keep all others from being served.
	refused, err := c.subject.Check(entries())
	if err != nil {
		return err
	}
	for place, mistake := range refused {
		q := questions[place.Number]
		result.Disagreements = append(result.Disagreements, Disagreement{q.one, "is accepted in probes: " + strings.Join(q.probes, ", "), "accepted", mistake})
	}
	questions = slices.DeleteFunc(questions, func(q question) bool {
		for place := range refused {
			if place.Number == q.entry.Number {
				return true
			}
		}
		return false
	})
	if len(questions) == 0 {
		return nil
	}

	theirs, err := c.upstream.Authenticate(entries())
	if err != nil {
		return err
	}
	ours, err := c.subject.Authenticate(entries())
	if err != nil {
		return err
	}
	for i, q := range questions {
		result.Answers++
		if strings.Contains(theirs[i].Error, notProbed) {
			return fmt.Errorf("%v: %s: the probes are wrong: %s", q.one, q.one.Expression, theirs[i].Error)
		}
		if theirs[i].Error != "" {
			result.Failed++
		}
		what, their, our := q.difference(theirs[i], ours[i])
		if what != "" {
			undecided, err := c.undecided(q.entry, theirs[i])
			if err != nil {
				return err
			}
			if undecided {
				result.Undecided++
				continue
			}
			result.Disagreements = append(result.Disagreements, Disagreement{q.one, what, their, our})
		} else if theirs[i].Error != "" {
			result.tell(Disagreement{q.one, "fails", "", ""}, q.failure(theirs[i].Error), q.failure(ours[i].Error))
		}
	}
	return nil
}

// undecided says whether upstream says now one thing and now another: its maps have no order.
func (c *Comparison) undecided(entry Entry, said Answer) (bool, error) {
	for range 12 {
		again, err := c.upstream.authenticate(entry)
		if err != nil {
			return false, err
		}
		if !reflect.DeepEqual(again, said) {
			return true, nil
		}
	}
	return false, nil
}

// question finds probes for what upstream evaluates the expression to.
func (c *Comparison) question(number int, one Case) (question, error) {
	q := question{one: one, entry: newEntry(number, one.Claims)}
	compiled, err := c.upstream.compile(one.Environment, one.Expression)
	if err != nil {
		return q, err
	}
	isBool := compiled.AST.OutputType() == cel.BoolType
	value, failed := c.upstream.evaluate(one, one.Expression)
	var expected []string
	if failed == nil {
		q.probes = distinct(probes(wrapped(one.Expression), value))
		if expected = c.texts(one, q.probes); expected == nil {
			// One of them is too much; those that are not are kept.
			candidates := q.probes
			q.probes = nil
			for _, probe := range candidates {
				if text := c.texts(one, []string{probe}); text != nil {
					q.probes, expected = append(q.probes, probe), append(expected, text[0])
				}
			}
		}
	}
	if len(q.probes) == 0 {
		q.probes, expected = []string{typeOf(wrapped(one.Expression))}, []string{""}
	}

	jwt := &q.entry.JWT
	if one.Environment == User {
		none := ""
		jwt.ClaimMappings.Username = apiserver.PrefixedClaimOrExpression{Claim: "sub", Prefix: &none}
		jwt.ClaimMappings.Groups = apiserver.PrefixedClaimOrExpression{Claim: "groups", Prefix: &none}
		jwt.ClaimMappings.UID.Claim = "uid"
		jwt.ClaimMappings.Extra = []apiserver.ExtraMapping{{Key: listedKey, ValueExpression: "claims.?k.orValue([])"}}
		for i, probe := range q.probes {
			if _, err := c.upstream.compile(User, probe+" == ''"); err != nil {
				continue // as deep as may be
			}
			rule := apiserver.UserValidationRule{Expression: probe + " == " + quoted(expected[i]), Message: fmt.Sprintf("%s %s %q", probe, notProbed, expected[i])}
			jwt.UserValidationRules = append(jwt.UserValidationRules, rule)
		}
		if isBool && !slices.Contains(q.probes, one.Expression) {
			jwt.UserValidationRules = append(jwt.UserValidationRules, apiserver.UserValidationRule{Expression: one.Expression, Message: "it is not true"})
		}
		return q, nil
	}

	jwt.ClaimMappings.Username.Expression = "'x'"
	// All together must not cost too much, if each alone does not.
	for failed == nil && len(q.probes) > 1 && c.texts(one, q.probes) == nil {
		q.probes = q.probes[:len(q.probes)/2]
	}
	jwt.ClaimMappings.Extra = []apiserver.ExtraMapping{{Key: valueKey, ValueExpression: listed(q.probes)}}
	if _, err := c.upstream.compile(Claims, listed(q.probes)); err != nil {
		// It is as deep as may be: there is no room for anything around it.
		q.probes, jwt.ClaimMappings.Extra[0].ValueExpression = nil, one.Expression
	}
	if isBool && one.Number%3 == 0 {
		jwt.ClaimValidationRules = []apiserver.ClaimValidationRule{{Expression: one.Expression, Message: "it is not true"}}
	}
	if failed == nil {
		switch value.Type().TypeName() {
		case "string":
			jwt.ClaimMappings.UID.Expression = one.Expression
			jwt.ClaimMappings.Groups.Expression = one.Expression
		case "list", "null_type":
			with := q.entry
			with.JWT.ClaimMappings.Groups.Expression = one.Expression
			// Not every list of strings is one for upstream.
			if answer, err := c.upstream.authenticate(with); err == nil && answer.Error == "" {
				q.entry = with
			}
		}
	}
	return q, nil
}

// listed is one expression with the values of all of them. What is empty would be left out of an extra
// value, and so none is.
func listed(probes []string) string { return "['=' + " + strings.Join(probes, ", '=' + ") + "]" }

// distinct are all of them, once: a rule must not be there twice.
func distinct(probes []string) (once []string) {
	for _, probe := range probes {
		if !slices.Contains(once, probe) {
			once = append(once, probe)
		}
	}
	return once
}

// texts are the values of probes upstream; nil if one of them has none.
func (c *Comparison) texts(one Case, probes []string) []string {
	value, err := c.upstream.evaluate(one, listed(probes))
	if err != nil {
		return nil
	}
	native, err := value.ConvertToNative(reflect.TypeFor[[]string]())
	if err != nil {
		return nil
	}
	texts := native.([]string)
	for i := range texts {
		texts[i] = texts[i][1:]
	}
	return texts
}

// difference is what differs between two answers, if anything does.
func (q question) difference(theirs, ours Answer) (what, their, our string) {
	switch {
	case (theirs.Error == "") != (ours.Error == ""):
		return "evaluates", theirs.show(q), ours.show(q)
	case theirs.Error != "" && q.isRule(theirs.Error) != q.isRule(ours.Error):
		return "fails alike", theirs.Error, ours.Error
	case theirs.Error != "":
		return "", "", ""
	case !slices.Equal(theirs.Groups, ours.Groups):
		return "as groups", fmt.Sprintf("%q", theirs.Groups), fmt.Sprintf("%q", ours.Groups)
	case theirs.UID != ours.UID:
		return "as uid", fmt.Sprintf("%q", theirs.UID), fmt.Sprintf("%q", ours.UID)
	}
	for i, probe := range q.probes {
		if i < len(theirs.Values) && i < len(ours.Values) && theirs.Values[i] != ours.Values[i] {
			return probe, theirs.Values[i][1:], ours.Values[i][1:]
		}
	}
	if !slices.Equal(theirs.Values, ours.Values) {
		return "values", fmt.Sprintf("%q", theirs.Values), fmt.Sprintf("%q", ours.Values)
	}
	return "", "", ""
}

// isRule says whether a token was refused as a rule is false, and not as an expression failed.
func (q question) isRule(message string) bool {
	return strings.Contains(message, "it is not true") || strings.Contains(message, notProbed)
}

func (a Answer) show(q question) string {
	if a.Error != "" {
		return "fails: " + q.failure(a.Error)
	}
	shown := []string{"evaluates"}
	for i, probe := range q.probes {
		if i < len(a.Values) {
			shown = append(shown, fmt.Sprintf("%s is %q", probe, strings.TrimPrefix(a.Values[i], "=")))
		}
	}
	return strings.Join(shown, "\n")
}

var (
	theirFailure = regexp.MustCompile(`(?s)^.*resulted in error: (.*)$`)
	ourFailure   = regexp.MustCompile(`(?s)^\S+: \S+ failed: (.*)$`)
)

// failure is an error without the expression that it is about.
func (q question) failure(message string) string {
	if found := theirFailure.FindStringSubmatch(message); found != nil {
		return found[1]
	}
	if found := ourFailure.FindStringSubmatch(message); found != nil {
		text, _, _ := strings.Cut(found[1], ": ['=' + ")
		text, _, _ = strings.Cut(text, ": '%s'.format([type(")
		return text
	}
	return message
}
