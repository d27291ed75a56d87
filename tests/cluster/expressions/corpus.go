// Expressions that somebody would write, and such as stand at an edge of the language.

package expressions

import (
	_ "embed" // the lists are files, as expressions have every quotation mark that Go has
	"strings"
)

var (
	//go:embed corpus.txt
	corpusText string
	//go:embed corpus_user.txt
	userCorpusText string

	// corpus has one expression per line.
	corpus = strings.Split(strings.TrimSpace(corpusText), "\n")
	// userCorpus is for the environment of user validation rules.
	userCorpus = strings.Split(strings.TrimSpace(userCorpusText), "\n")
)
