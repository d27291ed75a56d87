// Waiting for a condition: the only kind of waiting there is here.

package cluster

import (
	"fmt"
	"time"
)

// Patience is how long a condition may take that a healthy machine meets within moments.
const Patience = 30 * time.Second

const pollInterval = 50 * time.Millisecond

// Eventually asks until there is no error any more. When the time is up, the last error stands.
func Eventually(within time.Duration, ask func() error) error {
	deadline := time.Now().Add(within)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %v: %w", within, err)
		}
		time.Sleep(pollInterval)
	}
}
