// Good expressions, spoilt.

package expressions

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

var tokens = regexp.MustCompile(`(?s)[bB]?[rR]?("""(\\.|.)*?"""|'''(\\.|.)*?'''|"(\\.|[^"\\])*"|'(\\.|[^'\\])*')|[A-Za-z_][A-Za-z0-9_]*|[0-9][0-9a-fA-FxX.eEuU]*|&&|\|\||[=!<>]=|\s+|.`)

var dictionary = strings.Fields(`
	( ) [ ] { } . , : ? ! - + * / % == != < <= > >= && || in .? [? ?. = & | ; @ $ ~ ^ # \ ' " ''' """ // 1 0 -1 1u 1.5 .5 1. 1e 0x 0xg 'a' "b" b'c' r'd' true false null claims user
	claims.s1 claims.n claims.missing x int string has map all exists filter size type dyn optional.of [] {} as break const continue else for function if import let loop package namespace
	return var void while _ __ a__b .claims google.protobuf.Duration{} 9223372036854775808 18446744073709551616u 1e999 '\q' '\u12' '\ud800' '\U00110000' b'\u00e9' ` + "` `a` `a.b`")

// spoilTokens leaves out, doubles, exchanges, swaps or adds some of its words.
func spoilTokens(random *rand.Rand, expression string) string {
	words := tokens.FindAllString(expression, -1)
	for range 1 + random.IntN(2) {
		if len(words) == 0 {
			break
		}
		at := random.IntN(len(words))
		switch random.IntN(6) {
		case 0:
			words = slices.Delete(words, at, at+1)
		case 1:
			words = slices.Insert(words, at, words[at])
		case 2, 3:
			words[at] = pick(random, dictionary)
		case 4:
			words = slices.Insert(words, at, pick(random, dictionary))
		default:
			other := random.IntN(len(words))
			words[at], words[other] = words[other], words[at]
		}
	}
	return strings.Join(words, "")
}

var strange = []rune("\"'\\()[]{}.,?!:;@#$%&|~^`\t\n\r\x00\x01\x7f\u00a0\u2028\ufeffé☃𝄞0aA_-+*/<>=\u0130")

// spoilLetters does the same with its letters, or cuts it short.
func spoilLetters(random *rand.Rand, expression string) string {
	letters := []rune(expression)
	for range 1 + random.IntN(3) {
		if len(letters) == 0 {
			break
		}
		at := random.IntN(len(letters))
		switch random.IntN(6) {
		case 0:
			letters = slices.Delete(letters, at, at+1)
		case 1, 2:
			letters = slices.Insert(letters, at, pick(random, strange))
		case 3:
			letters[at] = pick(random, strange)
		case 4:
			letters = letters[:at]
		default:
			letters = slices.Delete(letters, at, min(len(letters), at+5))
		}
	}
	return string(letters)
}
