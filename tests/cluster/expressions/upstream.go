// kube-apiserver's own validation, compiler and authenticator, in this process.

package expressions

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	authenticationcel "k8s.io/apiserver/pkg/authentication/cel"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/lazy"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
)

// Upstream is the subject that is always right.
type Upstream struct {
	signer   *signer
	compiler authenticationcel.Compiler
}

var _ Subject = &Upstream{}

func newUpstream(signer *signer) *Upstream {
	return &Upstream{signer: signer, compiler: authenticationcel.NewDefaultCompiler()}
}

func (u *Upstream) Name() string { return "kube-apiserver" }

// Check validates one entry at a time, as there may be 64 only.
func (u *Upstream) Check(entries []Entry) (map[Place]string, error) {
	found := make([]map[Place]string, len(entries))
	err := each(len(entries), func(i int) error {
		found[i] = u.check(entries[i])
		return nil
	})
	mistakes := map[Place]string{}
	for _, some := range found {
		maps.Copy(mistakes, some)
	}
	return mistakes, err
}

func (u *Upstream) check(entry Entry) (mistakes map[Place]string) {
	mistakes = map[Place]string{}
	defer func() {
		if panicked := recover(); panicked != nil {
			mistakes[Place{Number: entry.Number}] = panics
		}
	}()
	configuration := &apiserver.AuthenticationConfiguration{JWT: []apiserver.JWTAuthenticator{entry.JWT}}
	for _, mistake := range validation.ValidateAuthenticationConfiguration(u.compiler, configuration, nil) {
		place := Place{entry.Number, strings.TrimPrefix(mistake.Field, "jwt[0].")}
		mistakes[place] = mistake.ErrorBody()
	}
	return mistakes
}

// panics is what upstream makes of a few expressions, such as `[?claims.a]` beside another element.
// Whatever countersign says of them is better.
const panics = "panics"

func (u *Upstream) Authenticate(entries []Entry) ([]Answer, error) {
	answers := make([]Answer, len(entries))
	return answers, each(len(entries), func(i int) (err error) {
		if answers[i], err = u.authenticate(entries[i]); err != nil {
			return fmt.Errorf("entry %d: %w", entries[i].Number, err)
		}
		return nil
	})
}

func (u *Upstream) authenticate(entry Entry) (Answer, error) {
	ctx := context.Background()
	authenticator, err := oidc.New(ctx, oidc.Options{
		JWTAuthenticator: entry.JWT, Compiler: u.compiler, KeySet: anyKey{}, SupportedSigningAlgs: []string{"ES256"},
	})
	if err != nil {
		return Answer{}, err
	}
	token, err := u.signer.token(entry)
	if err != nil {
		return Answer{}, err
	}
	response, ok, err := authenticator.AuthenticateToken(ctx, token)
	switch {
	case err != nil:
		return Answer{Error: err.Error()}, nil
	case !ok:
		return Answer{Error: "no opinion"}, nil
	}
	user := response.User
	return Answer{UID: user.GetUID(), Groups: user.GetGroups(), Values: user.GetExtra()[valueKey]}, nil
}

// anyKey believes every signature: they are no matter here.
type anyKey struct{}

func (anyKey) VerifySignature(_ context.Context, token string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
}

// anything is an expression of any type.
type anything string

func (a anything) GetExpression() string    { return string(a) }
func (a anything) ReturnTypes() []*cel.Type { return []*cel.Type{cel.AnyType} }

// compile gives the static type of an expression, and how to evaluate it.
func (u *Upstream) compile(environment Environment, expression string) (compiled authenticationcel.CompilationResult, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("%s: %v", panics, panicked)
		}
	}()
	if environment == User {
		return u.compiler.CompileUserExpression(anything(expression))
	}
	return u.compiler.CompileClaimsExpression(anything(expression))
}

// evaluate is only there to find good probes: what counts is what the authenticator says.
func (u *Upstream) evaluate(c Case, expression string) (ref.Val, error) {
	compiled, err := u.compile(c.Environment, expression)
	if err != nil {
		return nil, err
	}
	value, _, err := compiled.Program.Eval(map[string]any{string(c.Environment): c.input()})
	return value, err
}

// input is what the authenticator would put in the place of the variable.
func (c Case) input() *lazy.MapValue {
	var claims map[string]json.RawMessage
	text := fmt.Sprintf(`{"iss": "https://issuer-%d.example", "aud": [%q], "exp": 1, "iat": 1, %s}`, c.Number, audience, c.Claims)
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		panic(fmt.Sprintf("claims %s: %v", text, err))
	}
	name := "kubernetes.claims"
	if c.Environment == User {
		name = "kubernetes.UserInfo"
	}
	input := lazy.NewMapValue(types.NewObjectType(name))
	for name, raw := range c.members(claims) {
		input.Append(name, func(*lazy.MapValue) ref.Val {
			var value any
			if err := json.Unmarshal(raw, &value); err != nil {
				return types.WrapErr(err)
			}
			return unescaping(types.DefaultTypeAdapter.NativeToValue(value))
		})
	}
	return input
}

func (c Case) members(claims map[string]json.RawMessage) map[string]json.RawMessage {
	if c.Environment == Claims {
		return claims
	}
	or := func(value json.RawMessage, otherwise string) json.RawMessage {
		if value == nil {
			return json.RawMessage(otherwise)
		}
		return value
	}
	var listed []string
	_ = json.Unmarshal(or(claims["k"], "[]"), &listed) // a list of strings
	kept := []string{}
	for _, value := range listed {
		if value != "" {
			kept = append(kept, value)
		}
	}
	extra := map[string][]string{}
	if len(kept) > 0 {
		extra[listedKey] = kept
	}
	text, _ := json.Marshal(extra) // texts only
	return map[string]json.RawMessage{
		"username": claims["sub"], "uid": claims["uid"], "groups": or(claims["groups"], "[]"), "extra": text,
	}
}

// unescaping reads `a__dot__b` as `a.b`, as the authenticator does.
func unescaping(value ref.Val) ref.Val {
	switch value := value.(type) {
	case traits.Mapper:
		return &unescapingMap{value}
	case traits.Lister:
		return &unescapingList{value}
	default:
		return value
	}
}

type unescapingMap struct{ traits.Mapper }

func (m *unescapingMap) Find(key ref.Val) (ref.Val, bool) {
	if name, ok := key.(types.String); ok {
		if unescaped, ok := apiservercel.Unescape(string(name)); ok {
			key = types.String(unescaped)
		}
	}
	value, found := m.Mapper.Find(key)
	return unescaping(value), found
}

type unescapingList struct{ traits.Lister }

func (l *unescapingList) Get(index ref.Val) ref.Val { return unescaping(l.Lister.Get(index)) }
