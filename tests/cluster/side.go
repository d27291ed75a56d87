// Two servers that are asked the same.
//
// kube-apiserver is the oracle: what it answers is right, and what countersign answers has to be the
// same. What only one of them can know has a name in braces, such as {uid of Pod web}. In a question
// the name stands for each server's own; in an answer it stands where that was ([Side.Normal]).

package cluster

import (
	"maps"
	"slices"
	"strings"
)

// Side is one of the two.
type Side struct {
	*Endpoint
	// Kubernetes says that it is a kube-apiserver.
	Kubernetes bool
	// Issuer is what its service account tokens have in `iss`.
	Issuer string
	// Objects are what it has of objects.yaml.
	Objects Objects
	// Tokens are those that a question can name, as in {token of Pod web}.
	Tokens map[string]string
}

// Fill puts the side's own in the place of each name.
func (s *Side) Fill(question string) string {
	pairs := []string{"{address}", s.Address, "{issuer}", s.Issuer}
	for object, uid := range s.Objects {
		pairs = append(pairs, "{uid of "+object+"}", string(uid))
	}
	for name, token := range s.Tokens {
		pairs = append(pairs, "{"+name+"}", token)
	}
	return strings.NewReplacer(pairs...).Replace(question)
}

// named puts names in the place of the side's own, but for tokens: those are opened.
func (s *Side) named(answer string) string {
	pairs := []string{s.Address, "{address}"}
	for _, object := range slices.Sorted(maps.Keys(s.Objects)) {
		pairs = append(pairs, string(s.Objects[object]), "{uid of "+object+"}")
	}
	return strings.NewReplacer(pairs...).Replace(answer)
}
