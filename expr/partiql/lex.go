package partiql

import (
	"strings"
	"unicode/utf8"
)

// maxText is the longest statement in characters (DYNAMODB.md section 12).
const maxText = 8192

type tokenKind uint8

const (
	tokEOF    tokenKind = iota
	tokWord             // unquoted: a keyword or an identifier
	tokQuoted           // "identifier"
	tokString           // 'string'
	tokNumber           // digits with fraction and exponent, no sign
	tokParam            // ?
	tokSymbol
)

// token is a piece of the text. text has no quotes, and doubled quotes are single.
type token struct {
	kind tokenKind
	text string
	at   int // in bytes
}

type lexer struct {
	text string
	pos  int
	tok  token
	err  error // the first thing that is no token
}

func newLexer(text string) (*lexer, error) {
	if n := utf8.RuneCountInString(text); n > maxText {
		return nil, malformed("the statement has %d characters, at most %d are allowed", n, maxText)
	}
	l := &lexer{text: text}
	l.advance()
	return l, l.err
}

// symbols, longest first.
var symbols = []string{"<<", ">>", "<=", ">=", "<>", "!=", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ".", "*", "+", "-", ":", ";"}

// advance moves to the next token. After an error the token is the end.
func (l *lexer) advance() {
	if l.err == nil {
		l.err = l.skipSpace()
	}
	if l.err == nil {
		l.tok, l.err = l.scan()
	}
	if l.err != nil {
		l.tok = token{tokEOF, "", len(l.text)}
	}
}

// skipSpace passes over white space and comments.
func (l *lexer) skipSpace() error {
	for l.pos < len(l.text) {
		rest := l.text[l.pos:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			l.pos++
		case strings.HasPrefix(rest, "--"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				l.pos += i
			} else {
				l.pos = len(l.text)
			}
		case strings.HasPrefix(rest, "/*"):
			i := strings.Index(rest[2:], "*/")
			if i < 0 {
				return malformed("a comment is not closed")
			}
			l.pos += i + 4
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) scan() (token, error) {
	at := l.pos
	if at == len(l.text) {
		return token{tokEOF, "", at}, nil
	}
	switch c := l.text[at]; {
	case c == '\'' || c == '"':
		return l.quoted(c)
	case c == '?':
		l.pos++
		return token{tokParam, "?", at}, nil
	case isDigit(c) || c == '.' && at+1 < len(l.text) && isDigit(l.text[at+1]) && !l.afterValue():
		return l.number(), nil
	case isWordStart(c):
		for l.pos < len(l.text) && (isWordStart(l.text[l.pos]) || isDigit(l.text[l.pos])) {
			l.pos++
		}
		return token{tokWord, l.text[at:l.pos], at}, nil
	}
	for _, s := range symbols {
		if strings.HasPrefix(l.text[at:], s) {
			l.pos += len(s)
			return token{tokSymbol, s, at}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(l.text[at:])
	return token{}, malformed("unexpected character %q at %d", r, at+1)
}

// afterValue reports whether a point would continue a path.
func (l *lexer) afterValue() bool {
	return l.tok.kind == tokWord || l.tok.kind == tokQuoted || l.tok.text == "]" && l.tok.kind == tokSymbol
}

func (l *lexer) quoted(quote byte) (token, error) {
	at := l.pos
	var b strings.Builder
	for i := at + 1; i < len(l.text); i++ {
		if l.text[i] != quote {
			b.WriteByte(l.text[i])
			continue
		}
		if i+1 < len(l.text) && l.text[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		l.pos = i + 1
		if quote == '"' {
			return token{tokQuoted, b.String(), at}, nil
		}
		return token{tokString, b.String(), at}, nil
	}
	return token{}, malformed("a quoted text that begins at %d is not closed", at+1)
}

func (l *lexer) number() token {
	at := l.pos
	digits := func() {
		for l.pos < len(l.text) && isDigit(l.text[l.pos]) {
			l.pos++
		}
	}
	digits()
	if l.pos < len(l.text) && l.text[l.pos] == '.' {
		l.pos++
		digits()
	}
	if p := l.pos; p < len(l.text) && (l.text[p] == 'e' || l.text[p] == 'E') {
		if p++; p < len(l.text) && (l.text[p] == '+' || l.text[p] == '-') {
			p++
		}
		if p < len(l.text) && isDigit(l.text[p]) {
			l.pos = p
			digits()
		}
	}
	return token{tokNumber, l.text[at:l.pos], at}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}

// word reports whether the current token is a keyword, given in upper case.
func (l *lexer) word(k string) bool {
	return l.tok.kind == tokWord && strings.EqualFold(l.tok.text, k)
}

func (l *lexer) symbol(s string) bool { return l.tok.kind == tokSymbol && l.tok.text == s }

// takeWord and takeSymbol pass over what is there, if it is.
func (l *lexer) takeWord(k string) bool {
	if l.word(k) {
		l.advance()
		return true
	}
	return false
}

func (l *lexer) takeSymbol(s string) bool {
	if l.symbol(s) {
		l.advance()
		return true
	}
	return false
}

func (l *lexer) expectWord(k string) error {
	if !l.takeWord(k) {
		return l.unexpected(k)
	}
	return nil
}

func (l *lexer) expectSymbol(s string) error {
	if !l.takeSymbol(s) {
		return l.unexpected(s)
	}
	return nil
}

// unexpected is the error for the current token, where something else should stand.
func (l *lexer) unexpected(want string) error {
	switch {
	case l.err != nil:
		return l.err
	case l.tok.kind == tokEOF:
		return malformed("the statement ends where %s was expected", want)
	case l.tok.kind == tokWord && reserved(l.tok.text):
		return malformed("Unexpected keyword") // the service's words
	}
	return malformed("unexpected %q at %d where %s was expected", l.tok.text, l.tok.at+1, want)
}
