// The comparison itself, and that it sees what differs.

package expressions

import (
	"cmp"
	"os"
	"strconv"
	"strings"
	"testing"
)

// mostShown is how many disagreements are printed.
const mostShown = 400

func TestAgreement(t *testing.T) {
	signer, err := newSigner()
	if err != nil {
		t.Fatal(err)
	}
	upstream := newUpstream(signer)
	var subject Subject = newUpstream(signer)
	if os.Getenv("SUBJECT") != upstream.Name() {
		if subject, err = newCountersign(signer, t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	comparison := &Comparison{upstream: upstream, subject: subject}
	result, err := comparison.Compare(cases(t))
	if err != nil {
		t.Fatal(err)
	}

	t.Logf("%d expressions: upstream panics at %d and accepts %d, of which %d fail; %d answers, and %d times another every time", result.Cases, result.Panics, result.Accepted, result.Failed, result.Answers, result.Undecided)
	t.Logf("%d of %d mistakes and errors are told in upstream's words", result.SameWords, result.Told)
	if os.Getenv("EXPRESSIONS_WORDS") != "" {
		for _, d := range result.OtherWords {
			t.Log("other words: ", d)
		}
	}
	var unmeant []Disagreement
	meant := map[string][]Disagreement{}
	for _, d := range result.Disagreements {
		if why, ok := d.reason(); ok {
			meant[why] = append(meant[why], d)
		} else {
			unmeant = append(unmeant, d)
		}
	}
	for why, all := range meant {
		t.Logf("%d times: %s; one is %v: %s", len(all), why, all[0].Case, shortened(all[0].Case.Expression, 100))
	}
	for i, d := range unmeant {
		if i == mostShown {
			t.Errorf("and %d more", len(unmeant)-i)
			break
		}
		t.Error(d)
	}
	smaller, err := comparison.smaller(unmeant[:min(len(unmeant), mostShown)])
	if err != nil {
		t.Error(err)
	}
	for _, d := range smaller {
		if _, meant := d.reason(); !meant {
			t.Error("smaller: ", d)
		}
	}
}

// cases are those that the environment asks for.
func cases(t *testing.T) (all []Case) {
	number := func(name, otherwise string) uint64 {
		value, err := strconv.ParseUint(cmp.Or(os.Getenv(name), otherwise), 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return value
	}
	seed := number("EXPRESSIONS_SEED", "1")
	if text := os.Getenv("EXPRESSIONS_TEXT"); text != "" {
		c := Generate(seed, 0)
		c.Sort, c.Expression, c.Environment = "given", text, Environment(cmp.Or(os.Getenv("EXPRESSIONS_ENVIRONMENT"), string(Claims)))
		c.Claims = cmp.Or(os.Getenv("EXPRESSIONS_CLAIMS"), `"sub": "jane"`)
		return []Case{c}
	}
	if only := os.Getenv("EXPRESSIONS_ONLY"); only != "" {
		for number := range strings.SplitSeq(only, ",") {
			parsed, err := strconv.Atoi(number)
			if err != nil {
				t.Fatalf("EXPRESSIONS_ONLY: %v", err)
			}
			all = append(all, Generate(seed, parsed))
		}
		return all
	}
	for i := range number("EXPRESSIONS_COUNT", "1000") {
		all = append(all, Generate(seed, int(i)))
	}
	return all
}

// A subject that sees one thing differently is found out, whichever that is.
func TestDisagreement(t *testing.T) {
	signer, err := newSigner()
	if err != nil {
		t.Fatal(err)
	}
	upstream := newUpstream(signer)
	for name, planted := range map[string]planted{
		"a mistake is not seen":    {forgets: "undeclared reference"},
		"a mistake is made up":     {invents: true},
		"a type is another":        {retypes: true},
		"a value is another":       {changes: func(answer *Answer) { answer.Values[len(answer.Values)-1] += "x" }},
		"an error is none":         {changes: func(answer *Answer) { answer.Error = "" }, failing: true},
		"there is an error":        {changes: func(answer *Answer) { answer.Error = "no such overload" }},
		"a group is another":       {changes: func(answer *Answer) { answer.Groups = append(answer.Groups, "x") }},
		"an error is a false rule": {changes: func(answer *Answer) { answer.Error = "it is not true" }, failing: true},
	} {
		t.Run(name, func(t *testing.T) {
			planted.Upstream = upstream
			comparison := &Comparison{upstream: upstream, subject: &planted}
			var all []Case
			for i := range 60 {
				all = append(all, Generate(7, i))
			}
			result, err := comparison.Compare(all)
			if err != nil {
				t.Fatal(err)
			}
			if planted.times == 0 || len(result.Disagreements) != planted.times {
				t.Errorf("%d disagreements were planted, %d are found: %v", planted.times, len(result.Disagreements), result.Disagreements)
			}
		})
	}
}

// planted is upstream but for one thing.
type planted struct {
	*Upstream
	forgets string
	invents bool
	retypes bool
	changes func(*Answer)
	failing bool // changes answers that are errors, and no others
	times   int
}

func (p *planted) Check(entries []Entry) (map[Place]string, error) {
	mistakes, err := p.Upstream.Check(entries)
	forgotten := map[int]bool{} // a disagreement on each expression, not on each of its places
	for place, mistake := range mistakes {
		switch {
		case p.forgets != "" && strings.Contains(mistake, p.forgets):
			delete(mistakes, place)
			forgotten[place.Number] = true
		case p.retypes && isTypeProbe(place.Field) && staticTypes(mistake) != "":
			mistakes[place] = strings.Replace(mistake, "expected type '", "expected type 'other", 1)
			p.times++
		}
	}
	p.times += len(forgotten)
	if field := "claimMappings.extra[0].valueExpression"; p.invents && p.times == 0 {
		for _, entry := range entries {
			place := Place{entry.Number, field}
			if _, wrong := mistakes[place]; !wrong && len(entry.JWT.ClaimMappings.Extra) > 0 && len(entry.JWT.ClaimValidationRules) > 0 {
				mistakes[place] = "made up"
				p.times++
				break
			}
		}
	}
	return mistakes, err
}

func (p *planted) Authenticate(entries []Entry) ([]Answer, error) {
	answers, err := p.Upstream.Authenticate(entries)
	for i := range answers {
		answer := &answers[i]
		failed := answer.Error != "" && !strings.Contains(answer.Error, "it is not true")
		if p.changes != nil && p.times == 0 && failed == p.failing && (failed || len(answer.Values) > 0) {
			p.changes(answer)
			p.times++
		}
	}
	return answers, err
}
