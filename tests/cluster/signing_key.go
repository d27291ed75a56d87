// The key of an issuer that needs no server: countersign has its public half in a file.

package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// SigningKey signs tokens (ES256).
type SigningKey struct{ private *ecdsa.PrivateKey }

// NewSigningKey makes one.
func NewSigningKey() (*SigningKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return &SigningKey{private}, err
}

// Sign gives the token with this payload.
func (k *SigningKey) Sign(payload []byte) (string, error) {
	signed := base64URL([]byte(`{"alg":"ES256","kid":"1"}`)) + "." + base64URL(payload)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64URL(signature), nil
}

// JWKS is the JSON Web Key Set (RFC 7517) that its tokens are proven by.
func (k *SigningKey) JWKS() ([]byte, error) {
	point, err := k.private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1",
		"x": base64URL(point[1:33]), "y": base64URL(point[33:]),
	}}})
}

func base64URL(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }
