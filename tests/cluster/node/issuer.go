// An issuer that needs no server: countersign has its keys in a file. How keys are fetched is proved
// elsewhere, with a real provider; here tokens are wanted, as many as it takes.

package node

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"countersign.dev/tests/cluster"
)

// What an issuer's tokens say.
const (
	IssuerURL      = "https://issuer.test"
	IssuerAudience = "kubernetes"
	Alice          = "alice"
	AlicesGroup    = "developers"
)

// Issuer signs tokens with a key of its own.
type Issuer struct {
	key  *cluster.SigningKey
	made atomic.Int64
}

// NewIssuer gives one with a new key.
func NewIssuer() (*Issuer, error) {
	key, err := cluster.NewSigningKey()
	return &Issuer{key: key}, err
}

// Keys is the issuer's JSON Web Key Set (RFC 7517).
func (i *Issuer) Keys() (string, error) {
	keys, err := i.key.JWKS()
	return string(keys), err
}

// Token is a new one of Alice's, like no other, good for an hour.
func (i *Issuer) Token() (string, error) { return i.TokenWith(nil) }

// TokenWith is a token that says some things otherwise.
func (i *Issuer) TokenWith(claims map[string]any) (string, error) {
	now := time.Now()
	all := map[string]any{
		"iss": IssuerURL, "aud": IssuerAudience, "sub": Alice, "groups": []string{AlicesGroup},
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": strconv.FormatInt(i.made.Add(1), 10),
	}
	maps.Copy(all, claims)
	payload, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	return i.key.Sign(payload)
}

// BrokenToken is one whose signature is not the issuer's.
func (i *Issuer) BrokenToken() (string, error) {
	token, err := i.Token()
	if err != nil {
		return "", err
	}
	another, err := NewIssuer()
	if err != nil {
		return "", err
	}
	other, err := another.Token()
	if err != nil {
		return "", err
	}
	return token[:strings.LastIndexByte(token, '.')] + other[strings.LastIndexByte(other, '.'):], nil
}
