// The comparison itself: it overlooks what cannot be the same, and nothing else.

package cluster

import (
	"fmt"
	"testing"
	"time"
)

func TestNormalAnswersDifferOnlyByWhatMatters(t *testing.T) {
	asked := time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)
	one := &Side{
		Endpoint: &Endpoint{Address: "127.0.0.1:1"}, Issuer: "https://one.test",
		Objects: Objects{"Pod web": "00000000-0000-4000-8000-000000000001"},
	}
	other := &Side{
		Endpoint: &Endpoint{Address: "127.0.0.1:2"}, Issuer: "https://other.test",
		Objects: Objects{"Pod web": "00000000-0000-4000-8000-000000000002"},
	}
	// issued writes a token as JSON holds it; who issued it, when, for how long, and of which pod.
	issued := func(side *Side, iat, exp int64, pod string) string {
		token, err := WithClaims("eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.c2ln", func(claims map[string]any) {
			claims["iss"], claims["iat"], claims["exp"], claims["pod"] = side.Issuer, iat, exp, pod
		})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"kind":"TokenRequest","status":{"token":%q}}`, token)
	}
	now := asked.Unix()
	pods := [2]string{string(one.Objects["Pod web"]), string(other.Objects["Pod web"])}

	for _, pair := range []struct {
		name       string
		one, other string
		same       bool
	}{
		{"a moment later", `{"a":"2026-03-04T05:06:07Z"}`, `{"a":"2026-03-04T05:06:09Z"}`, true},
		{"a minute later", `{"a":"2026-03-04T05:06:07Z"}`, `{"a":"2026-03-04T05:07:07Z"}`, false},
		{"another day", `{"a":"2026-03-01T05:06:07Z"}`, `{"a":"2026-03-02T05:06:07Z"}`, false},
		{"with fractions", `{"a":"2026-03-04T05:06:07Z"}`, `{"a":"2026-03-04T05:06:07.5Z"}`, false},
		{"own uids", `{"a":"` + pods[0] + `"}`, `{"a":"` + pods[1] + `"}`, true},
		{"the other's uid", `{"a":"` + pods[0] + `"}`, `{"a":"` + pods[0] + `"}`, false},
		{"own addresses", "https://127.0.0.1:1/x", "https://127.0.0.1:2/x", true},
		{"order", `{"a":1,"b":2}`, `{"b":2,"a":1}`, false},
		{"type", `{"a":1}`, `{"a":"1"}`, false},
		{"null", `{"a":null}`, `{}`, false},
		{"newline", "{}\n", "{}", false},
		{"indented", "{\"a\":1}", "{\n  \"a\": 1\n}", false},
		{"own tokens", issued(one, now, now+600, pods[0]), issued(other, now+1, now+601, pods[1]), true},
		{"a second longer", issued(one, now, now+600, ""), issued(other, now, now+601, ""), false},
		{"of the other's issuer", issued(one, now, now+600, ""), issued(one, now, now+600, ""), false},
		{"of the other's pod", issued(one, now, now+600, pods[0]), issued(other, now, now+600, pods[0]), false},
	} {
		first, second := one.Normal(pair.one, asked), other.Normal(pair.other, asked)
		if (first == second) != pair.same {
			t.Errorf("%s: want the same %v:\n%s\n%s", pair.name, pair.same, first, second)
		}
	}
}
