// A look into the provider's tokens, and a way to spoil them.

package cluster

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// JWT is what a token says, believed without a proof: only what countersign makes of it is tested.
type JWT struct {
	Header struct {
		KeyID string `json:"kid"`
	}
	Claims struct {
		ID      string `json:"jti"`
		Expires int64  `json:"exp"`
	}
}

// ReadJWT reads the header and the claims.
func ReadJWT(token string) (jwt JWT, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return jwt, fmt.Errorf("a JWT has three parts, this has %d", len(parts))
	}
	if err := decode(parts[0], &jwt.Header); err != nil {
		return jwt, err
	}
	return jwt, decode(parts[1], &jwt.Claims)
}

// ExpiresAt is the first moment at which the token is no longer good.
func (j JWT) ExpiresAt() time.Time { return time.Unix(j.Claims.Expires, 0) }

// WithClaim changes a claim of a token and leaves its signature as it was.
func WithClaim(token, name string, value any) (string, error) {
	return WithClaims(token, func(claims map[string]any) { claims[name] = value })
}

// WithClaims changes any of them.
func WithClaims(token string, change func(claims map[string]any)) (string, error) {
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	claims := map[string]any{}
	if err := decode(payload, &claims); err != nil {
		return "", err
	}
	change(claims)
	changed, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return strings.Join([]string{header, base64.RawURLEncoding.EncodeToString(changed), signature}, "."), nil
}

func decode(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
