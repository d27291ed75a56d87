// An issuer that needs no server: countersign has its keys in a file. How keys are fetched is proved
// elsewhere, with a real provider; here tokens are wanted, as many as it takes.

package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// What an issuer's tokens say.
const (
	IssuerURL      = "https://issuer.test"
	IssuerAudience = "kubernetes"
	Alice          = "alice"
	AlicesGroup    = "developers"
)

// Issuer signs tokens with a key of its own (ES256).
type Issuer struct {
	key  *ecdsa.PrivateKey
	made atomic.Int64
}

// NewIssuer gives one with a new key.
func NewIssuer() (*Issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return &Issuer{key: key}, err
}

// Keys is the issuer's JSON Web Key Set (RFC 7517).
func (i *Issuer) Keys() (string, error) {
	point, err := i.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return "", err
	}
	x, y := point[1:33], point[33:]
	keys, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": base64URL(x), "y": base64URL(y),
	}}})
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
	signed := base64URL([]byte(`{"alg":"ES256","kid":"1"}`)) + "." + base64URL(payload)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64URL(signature), nil
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

func base64URL(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }
