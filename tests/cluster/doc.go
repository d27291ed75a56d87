// Package cluster proves countersign with a real Kubernetes: what it promises about kube-apiserver
// and kubectl is asked of those programs themselves, built from their own sources.
//
//	kubectl ──token──▶ kube-apiserver ──TokenReview──▶ countersign ──discovery, keys──▶ OpenID Provider
//	                        │                                                               ▲
//	                       etcd                      the token comes from here ─────────────┘
//
// countersign's own API is asked what kube-apiserver is asked, and has to answer the same (see side.go):
//
//	kubectl, client-go ──┬──▶ kube-apiserver ──▶ its answer ──┐
//	                     └──▶ countersign    ──▶ its answer ──┴──▶ equal, but for names and times
//
// What is meant to differ is a named function or table each, beside the questions where it does (see
// side_test.go, and raw_otherwise_test.go). SUBJECT=kube-apiserver puts a second kube-apiserver in the
// place of countersign, and so tests the comparison.
//
// Each is a process of its own with a free port of 127.0.0.1 and a directory under one temporary
// one. [Start] brings up what all tests share, once per run; [Cluster.Stop] ends those processes,
// and a test binary that dies takes them with it. Nothing waits for a length of time: every wait
// is for a condition, and says what it waited for when it gives up.
//
// `make test-cluster` builds what is needed and runs it. To look at one test:
//
//	go test -count=1 -v -run TestRotation .
//
// COUNTERSIGN names the binary to be tested; target/release/countersign unless it is set.
package cluster
