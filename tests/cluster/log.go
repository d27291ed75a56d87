// What the processes write, and how to find a line in it that came after something was done.

package cluster

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Log is the file into which a process writes.
type Log struct {
	path string
}

// Mark is a place in a log: where it ends now.
type Mark int64

// Mark remembers where the log ends, so that what comes after can be read alone.
func (l Log) Mark() (Mark, error) {
	info, err := os.Stat(l.path)
	if err != nil {
		return 0, err
	}
	return Mark(info.Size()), nil
}

// Since reads what was written after the mark.
func (l Log) Since(mark Mark) (string, error) {
	file, err := os.Open(l.path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if _, err := file.Seek(int64(mark), io.SeekStart); err != nil {
		return "", err
	}
	text, err := io.ReadAll(file)
	return string(text), err
}

// A line about a request is written before its answer, so that it is nearly always there already.
const lineDelay = 5 * time.Second

// AwaitLine waits for a line, written after the mark, that holds all the words.
func (l Log) AwaitLine(mark Mark, words ...string) (string, error) {
	var found string
	err := Eventually(lineDelay, func() error {
		text, err := l.Since(mark)
		if err != nil {
			return err
		}
		for line := range strings.Lines(text) {
			if holdsAll(line, words) {
				found = line
				return nil
			}
		}
		return fmt.Errorf("no line of %s has all of %q; there is:\n%s", l.path, words, text)
	})
	return found, err
}

func holdsAll(line string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(line, word) {
			return false
		}
	}
	return true
}

// Tail is the end of the log, for someone who wants to know what went wrong.
func (l Log) Tail(lines int) string {
	text, err := l.Since(0)
	if err != nil {
		return err.Error()
	}
	all := strings.SplitAfter(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "")
}
