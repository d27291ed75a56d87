// Package providers asks kube-apiserver's own authenticator about the files of deploy/providers: it
// must accept what countersign accepts, and make the same users of the same tokens.
package providers

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	authenticationcel "k8s.io/apiserver/pkg/authentication/cel"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
)

const folder = "../../../deploy/providers"

// example is what stands beside a configuration.
type example struct {
	Claims map[string]any
	User   struct {
		Username, UID string
		Groups        []string
		Extra         map[string][]string
	}
	Refused []struct {
		What   string
		Claims map[string]any
		Reason string
	}
}

func TestTheAPIServerMakesTheSameUsers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files:", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { check(t, file) })
	}
}

func check(t *testing.T, file string) {
	jwt, upstreams := load(t, file)
	if !upstreams {
		t.Skip("has keys that only countersign knows")
	}
	authenticator, err := oidc.New(t.Context(), oidc.Options{
		JWTAuthenticator:     jwt,
		KeySet:               anyKey{},
		SupportedSigningAlgs: []string{"RS256"},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".token.json")
	if err != nil {
		t.Fatal(err)
	}
	var want example
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}

	response, ok, err := authenticator.AuthenticateToken(t.Context(), token(t, want.Claims))
	if err != nil || !ok {
		t.Fatal("the documented token is refused:", err)
	}
	user := response.User
	if user.GetName() != want.User.Username || user.GetUID() != want.User.UID {
		t.Errorf("got %q %q, want %q %q", user.GetName(), user.GetUID(), want.User.Username, want.User.UID)
	}
	if !reflect.DeepEqual(user.GetGroups(), want.User.Groups) {
		t.Errorf("got groups %q, want %q", user.GetGroups(), want.User.Groups)
	}
	if extra := user.GetExtra(); len(extra)+len(want.User.Extra) > 0 && !reflect.DeepEqual(extra, want.User.Extra) {
		t.Errorf("got extra %q, want %q", extra, want.User.Extra)
	}
	for _, refused := range want.Refused {
		_, ok, err := authenticator.AuthenticateToken(t.Context(), token(t, laid(want.Claims, refused.Claims)))
		if ok {
			t.Errorf("%s: is authenticated", refused.What)
		}
		if (err == nil) != (refused.Reason == "no_issuer") {
			t.Errorf("%s: got error %v, want %s", refused.What, err, refused.Reason)
		}
		t.Logf("%s: %v", refused.What, err)
	}
}

// load reads a file as kube-apiserver does, and says whether it is one of its own kind.
func load(t *testing.T, file string) (apiserver.JWTAuthenticator, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "kind: AuthenticationConfiguration\n") {
		return apiserver.JWTAuthenticator{}, false
	}
	scheme := runtime.NewScheme()
	install.Install(scheme)
	codecs := serializer.NewCodecFactory(scheme, serializer.EnableStrict)
	object, err := runtime.Decode(codecs.UniversalDecoder(), text)
	if err != nil {
		t.Fatal(err)
	}
	config := object.(*apiserver.AuthenticationConfiguration)
	compiler := authenticationcel.NewDefaultCompiler()
	if errs := validation.ValidateAuthenticationConfiguration(compiler, config, nil); len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	return config.JWT[0], true
}

// token is one with these claims, of now: no key signs it.
func token(t *testing.T, claims map[string]any) string {
	claims = maps.Clone(claims)
	moved := float64(time.Now().Unix()) - claims["iat"].(float64)
	for _, name := range []string{"iat", "nbf", "exp"} {
		if at, ok := claims[name].(float64); ok {
			claims[name] = at + moved
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode(payload) + "." + encode([]byte("signature"))
}

// laid is over laid over base: objects member by member, all else replaced, null removed.
func laid(base, over map[string]any) map[string]any {
	base = maps.Clone(base)
	for name, value := range over {
		below, isObject := base[name].(map[string]any)
		above, both := value.(map[string]any)
		switch {
		case value == nil:
			delete(base, name)
		case isObject && both:
			base[name] = laid(below, above)
		default:
			base[name] = value
		}
	}
	return base
}

// anyKey has signed everything.
type anyKey struct{}

func (anyKey) VerifySignature(_ context.Context, token string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
}
