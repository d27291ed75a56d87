// Expressions, made up: by the grammar, against it, by spoiling good ones, and very deep ones.

package expressions

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Environment is what an expression may name.
type Environment string

// The two environments of an AuthenticationConfiguration.
const (
	Claims Environment = "claims"
	User   Environment = "user"
)

// Case is one expression, and the claims of the token that it is evaluated on.
type Case struct {
	Seed        uint64
	Number      int
	Sort        string // how it was made
	Environment Environment
	Expression  string
	// Claims are the members of a JSON object, without its braces.
	Claims string
}

func (c Case) String() string {
	return fmt.Sprintf("EXPRESSIONS_SEED=%d EXPRESSIONS_ONLY=%d (%s, %s)", c.Seed, c.Number, c.Sort, c.Environment)
}

// Generate makes the case of that number. It depends on nothing else.
func Generate(seed uint64, number int) Case {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	g := &generator{random: random, environment: Claims}
	c := Case{Seed: seed, Number: number}
	if random.IntN(10) == 0 {
		g.environment = User
	}
	switch draw := random.IntN(100); {
	case draw < 52:
		c.Sort, c.Expression = "typed", g.top()
	case draw < 62:
		c.Sort = "untyped"
		g.wrong = 1 + random.IntN(2)
		c.Expression = g.top()
	case draw < 74:
		c.Sort, c.Expression = "worked over", spoilTokens(random, g.good())
	case draw < 79:
		c.Sort, c.Expression = "garbled", spoilLetters(random, g.good())
	case draw < 95 && g.environment == Claims:
		c.Sort, c.Expression = "known", pick(random, corpus)
	case draw < 95:
		c.Sort, c.Expression = "known", pick(random, userCorpus)
	default:
		c.Sort, c.Expression = "deep", g.deep()
	}
	if strings.TrimSpace(c.Expression) == "" {
		c.Expression = "'empty'"
	}
	c.Environment = g.environment
	c.Claims = randomClaims(random, g.environment)
	return c
}

// generator makes one expression.
type generator struct {
	random      *rand.Rand
	environment Environment
	scope       []variable
	named       int // how many variables there have been
	wrong       int // how many mistakes are still to be made
	size        int // how many holes have been filled
}

type variable struct {
	name string
	kind kind
}

const (
	maxDepth = 4
	maxSize  = 60
)

func (g *generator) top() string {
	return g.make(pick(g.random, kinds), 1+g.random.IntN(maxDepth))
}

// good is something to be spoilt.
func (g *generator) good() string {
	if g.random.IntN(2) == 0 {
		if g.environment == User {
			return pick(g.random, userCorpus)
		}
		return pick(g.random, corpus)
	}
	return g.top()
}

// make gives an expression of a type, of at most that many templates inside each other.
func (g *generator) make(k kind, depth int) string {
	g.size++
	if strings.HasPrefix(k.name, "'") {
		return g.text(k.name, depth)
	}
	if g.wrong > 0 && g.random.IntN(3) == 0 {
		g.wrong--
		if g.random.IntN(3) == 0 {
			return g.make(pick(g.random, kinds), depth)
		}
		return g.fill(pick(g.random, wrongRules), bindings{}, depth)
	}
	if depth <= 0 || g.size > maxSize || g.random.IntN(8) == 0 {
		return g.atom(k)
	}
	type candidate struct {
		rule  rule
		bound bindings
	}
	var special, general []candidate
	for _, rule := range rules {
		bound := bindings{}
		if !bound.unify(rule.result, k) {
			continue
		}
		if rule.result.isVariable() {
			general = append(general, candidate{rule, bound})
		} else {
			special = append(special, candidate{rule, bound})
		}
	}
	from := special
	if len(special) == 0 || g.random.IntN(5) == 0 {
		from = general
	}
	if len(from) == 0 {
		return g.atom(k)
	}
	chosen := pick(g.random, from)
	return g.fill(chosen.rule, chosen.bound, depth)
}

// fill makes an expression by a template. It is in brackets where it may stand beside an operator.
func (g *generator) fill(rule rule, bound bindings, depth int) string {
	outside := len(g.scope)
	var out strings.Builder
	brackets := false
	for i, part := range rule.parts {
		switch {
		case !part.isHole:
			out.WriteString(part.text)
			first, last := i == 0, i == len(rule.parts)-1
			brackets = brackets || strings.HasPrefix(part.text, " ") && !first && !last || first && (part.text == "!" || part.text == "-")
		case part.variable:
			g.named++
			name := fmt.Sprintf("v%d", g.named)
			if g.random.IntN(20) == 0 {
				name = pick(g.random, []string{"claims", "x", "int", "i", "size", "__result__", "@x"})
			}
			g.scope = append(g.scope, variable{name, bound.resolve(part.hole, g.random)})
			out.WriteString(name)
		default:
			out.WriteString(g.make(bound.resolve(part.hole, g.random), depth-1))
		}
	}
	g.scope = g.scope[:outside]
	if brackets && g.random.IntN(12) != 0 {
		return "(" + out.String() + ")"
	}
	return out.String()
}

// text gives what a function expects, in most cases.
func (g *generator) text(sort string, depth int) string {
	if known, ok := names[sort]; ok && (sort != "'format'" || depth%2 == 0) {
		return pick(g.random, known)
	}
	if sort == "'index'" || sort == "'macro'" {
		if sort == "'index'" && g.random.IntN(8) == 0 {
			return g.make(kind{name: "int"}, depth-1)
		}
		return pick(g.random, literals[sort])
	}
	switch g.random.IntN(10) {
	case 0:
		return g.make(kind{name: "string"}, depth-1)
	case 1:
		return "claims.?s1.orValue(" + pick(g.random, literals[sort]) + ")"
	default:
		return pick(g.random, literals[sort])
	}
}

// atom gives a variable, something of the claims or the user, or a literal.
func (g *generator) atom(k kind) string {
	var fitting []string
	for _, variable := range g.scope {
		if variable.kind.equals(k) {
			fitting = append(fitting, variable.name)
		}
	}
	if len(fitting) > 0 && g.random.IntN(3) > 0 {
		return pick(g.random, fitting)
	}
	if given := g.given(k); given != "" && g.random.IntN(2) == 0 {
		return given
	}
	switch k.name {
	case "list":
		items := make([]string, g.random.IntN(4))
		for i := range items {
			items[i] = g.atom(k.of[0])
		}
		return "[" + strings.Join(items, ", ") + "]"
	case "map":
		items := make([]string, g.random.IntN(3))
		for i := range items {
			items[i] = g.atom(k.of[0]) + ": " + g.atom(k.of[1])
		}
		return "{" + strings.Join(items, ", ") + "}"
	case "opt":
		if g.random.IntN(4) == 0 {
			return "optional.none()"
		}
		return "optional.of(" + g.atom(k.of[0]) + ")"
	case "dyn":
		return "dyn(" + g.atom(pick(g.random, comparableKinds)) + ")"
	case "format":
		return "format." + pick(g.random, names["'format'"]) + "()"
	case "ip", "cidr", "url", "quantity", "semver":
		return k.name + "(" + pick(g.random, literals["'"+k.name+"'"]) + ")"
	}
	return g.literal(k.name)
}

// given is something of the claims or of the user that should be of that type.
func (g *generator) given(k kind) string {
	paths := claimPaths[k.String()]
	if g.environment == User {
		paths = userPaths[k.String()]
	}
	if len(paths) == 0 {
		return ""
	}
	return pick(g.random, paths)
}

// deep makes expressions near and beyond what may be nested, chained or computed.
func (g *generator) deep() string {
	depth := pick(g.random, []int{10, 40, 80, 100, 120, 124, 125, 126, 150, 200, 240, 245, 248, 249, 250, 251, 252, 255, 260, 300})
	// Upstream takes seconds, and then minutes, for types that are nested more.
	shallow := depth / 5
	if depth > 252 {
		shallow = depth
	}
	times := strings.Repeat
	switch g.random.IntN(24) {
	case 0:
		return times("(", depth) + "1" + times(")", depth)
	case 1:
		return times("[", shallow) + "1" + times("]", shallow)
	case 2:
		return times("!", depth) + "true"
	case 3:
		return times("-", depth) + "1"
	case 4:
		return "1" + times(" + 1", depth)
	case 5:
		return "1" + times(" + 1", 5*depth)
	case 6:
		return "claims" + times(".a", depth)
	case 7:
		return "claims.s1" + times("[0]", depth)
	case 8:
		return times("true ? 1 : ", depth) + "2"
	case 9:
		return times("{'a': ", shallow) + "1" + times("}", shallow)
	case 10:
		return "true" + times(" && true", depth)
	case 11:
		return "'a'" + times(".trim()", depth)
	case 12:
		return times("dyn(", depth) + "1" + times(")", depth)
	case 13:
		return times("[1].map(x, ", depth/12) + "x" + times(")", depth/12)
	case 14:
		return times("optional.of(", shallow) + "1" + times(")", shallow)
	case 15:
		return "[" + strings.TrimSuffix(times("1, ", 8*depth), ", ") + "].sum()"
	case 16:
		return "lists.range(" + fmt.Sprint(20*depth) + ").map(x, x * 2).sum()"
	case 17:
		return fmt.Sprintf("lists.range(%d).exists(x, lists.range(%d).exists(y, x * y == -1))", depth/3, depth/3)
	case 18:
		return "'" + times("a", 30*depth) + "'.matches('(a*)*b') || true"
	case 19:
		return times("(", depth) + "1" + times("+1)", depth)
	case 20:
		return "claims.deep" + times("[0]", depth)
	case 21:
		return "true" + times(" || 1 == 1 ? true : false", depth/8)
	case 22:
		return "dyn(" + times("[", shallow) + times("]", shallow) + ") == dyn(claims.deep)"
	default:
		return "size(string(dyn(claims.s1)) + '" + times("é", depth*10) + "')"
	}
}
