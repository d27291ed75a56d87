// Package expressions compares countersign's CEL with that of kube-apiserver: generated expressions
// on generated claims are put before both, and both have to give the same answer.
//
//	                              ┌──▶ k8s.io/apiserver, in this process ──▶ its answer ──┐
//	seed ──▶ expression, claims ──┤                                                       ├──▶ equal
//	                              └──▶ countersign check, countersign serve ──▶ its answer ──┘
//
// Three things are asked of every expression:
//
//   - Is it accepted: as the value of a claim mapping, as a user name, as a rule. One configuration
//     with all of them is checked, and each mistake names its place.
//   - What is its static type. A list literal of it and of something strange is refused, by a mistake
//     that names both types.
//   - What does it evaluate to. What upstream makes of it decides on probes: expressions around it
//     that give texts for the type of its value and for what is in it (see probe.go). All of them
//     become an extra value of the user, whom a token with the claims has to authenticate as. If it
//     fails upstream, the token has to be refused.
//
// Where both are meant to differ is in deviations.go, each with its reason.
//
// Any case is made from the seed and its number alone. To look at one, and at other ones:
//
//	EXPRESSIONS_SEED=7 EXPRESSIONS_COUNT=5000 go test -count=1 -v ./expressions
//	EXPRESSIONS_SEED=7 EXPRESSIONS_ONLY=4711 go test -count=1 -v ./expressions
//	EXPRESSIONS_TEXT='claims.a + 1' EXPRESSIONS_CLAIMS='"a": 1' go test -count=1 -v ./expressions
//
// EXPRESSIONS_WORDS=1 also prints what both refuse, but in other words.
// COUNTERSIGN names the binary to be tested; target/release/countersign unless it is set.
// SUBJECT=kube-apiserver puts upstream in the place of countersign, and so tests the comparison.
package expressions
