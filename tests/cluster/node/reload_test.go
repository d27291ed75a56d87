// Another configuration of a release that runs: its pods take it up and stay.

package node

import (
	"slices"
	"testing"
)

func testReload(t *testing.T, installation *Installation) {
	before, err := installation.Pods()
	if err != nil {
		t.Fatal(err)
	}
	expectNoFailure := reviewAllTheTime(t, installation)

	for _, prefix := range []string{secondPrefix, firstPrefix} {
		if err := installation.Upgrade(valuesOf(t, installation, FirstTag, prefix)); err != nil {
			t.Fatal(err)
		}
		if err := installation.ExpectAlice(prefix); err != nil {
			t.Error(err)
		}
	}

	after, err := installation.Pods()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(before)
	slices.Sort(after)
	if !slices.Equal(before, after) {
		t.Errorf("the pods were %v and are %v", before, after)
	}
	expectNoFailure()
}
