// Smaller expressions: a part of one that both see differently is easier to look into.

package expressions

import (
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/ext"
	"github.com/google/cel-go/parser"
)

const (
	maxParts     = 30
	maxPartTexts = 600 // bytes: longer ones are deep, and their parts are too
)

// smaller is the shortest part of each expression that there is a disagreement about, if a part of
// it has one.
func (c *Comparison) smaller(disagreements []Disagreement) ([]Disagreement, error) {
	env, err := cel.NewEnv(cel.OptionalTypes(), cel.EnableMacroCallTracking(), ext.TwoVarComprehensions(), ext.Lists())
	if err != nil {
		return nil, err
	}
	var parts []Case
	asked := map[string]bool{}
	for _, d := range disagreements {
		if asked[d.Case.Expression] || len(d.Case.Expression) > maxPartTexts {
			continue
		}
		asked[d.Case.Expression] = true
		parsed, issues := env.Parse(d.Case.Expression)
		if issues.Err() != nil {
			continue
		}
		texts := partsOf(parsed.NativeRep().Expr(), parsed.NativeRep().SourceInfo())
		for _, text := range texts[:min(len(texts), maxParts)] {
			part := d.Case
			part.Sort, part.Expression = "a part of "+d.Case.Sort, text
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	result, err := c.Compare(parts)
	if err != nil {
		return nil, err
	}
	shortest := map[int]Disagreement{}
	for _, d := range result.Disagreements {
		best, ok := shortest[d.Case.Number]
		if !ok || len(d.Case.Expression) < len(best.Case.Expression) {
			shortest[d.Case.Number] = d
		}
	}
	var found []Disagreement
	for _, d := range disagreements {
		if best, ok := shortest[d.Case.Number]; ok && len(best.Case.Expression) < len(d.Case.Expression) {
			found = append(found, best)
			delete(shortest, d.Case.Number)
		}
	}
	return found, nil
}

// partsOf gives the parts of an expression, the shortest first.
func partsOf(whole ast.Expr, info *ast.SourceInfo) []string {
	var texts []string
	var visit func(expression ast.Expr, top bool)
	visit = func(expression ast.Expr, top bool) {
		if expression == nil {
			return
		}
		if call, ok := info.GetMacroCall(expression.ID()); ok {
			for _, child := range append(slices.Clone(call.AsCall().Args()), target(call)...) {
				visit(child, false)
			}
		} else {
			for _, child := range children(expression) {
				visit(child, false)
			}
		}
		if text, err := parser.Unparse(expression, info); err == nil && !top && expression.Kind() != ast.IdentKind && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	visit(whole, true)
	slices.SortStableFunc(texts, func(a, b string) int { return len(a) - len(b) })
	return texts
}

func target(call ast.Expr) []ast.Expr {
	if call.AsCall().IsMemberFunction() {
		return []ast.Expr{call.AsCall().Target()}
	}
	return nil
}

func children(expression ast.Expr) []ast.Expr {
	switch expression.Kind() {
	case ast.CallKind:
		return append(slices.Clone(expression.AsCall().Args()), target(expression)...)
	case ast.ListKind:
		return expression.AsList().Elements()
	case ast.SelectKind:
		return []ast.Expr{expression.AsSelect().Operand()}
	case ast.MapKind:
		var parts []ast.Expr
		for _, entry := range expression.AsMap().Entries() {
			parts = append(parts, entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
		return parts
	case ast.StructKind:
		var parts []ast.Expr
		for _, field := range expression.AsStruct().Fields() {
			parts = append(parts, field.AsStructField().Value())
		}
		return parts
	}
	return nil
}
