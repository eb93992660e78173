package expr

// MaxText is the longest expression in bytes (DYNAMODB.md 4.3).
const MaxText = 4096

type tokenKind uint8

const (
	tokEOF    tokenKind = iota
	tokIdent            // name or keyword
	tokName             // #name
	tokValue            // :value
	tokNumber           // digits
	tokSymbol           // ( ) , . [ ] = <> < <= > >= + -
)

type token struct {
	kind       tokenKind
	text       string
	start, end int
}

// lexer splits a text into tokens and keeps the last three, which error messages quote.
type lexer struct {
	kind Kind
	text string
	pos  int
	prev token // before tok
	tok  token // current
	bad  bool  // tok cannot be part of any expression

	redundant bool // two pairs of parentheses around one thing were seen
}

// checkSize refuses what a client may not write; what a statement is translated to may be longer.
func checkSize(kind Kind, text string) error {
	if len(text) > MaxText {
		return kind.errorf("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))
	}
	return nil
}

func newLexer(kind Kind, text string) (*lexer, error) {
	l := &lexer{kind: kind, text: text}
	l.advance()
	l.prev = token{}
	if l.tok.kind == tokEOF {
		return nil, kind.errorf("The expression can not be empty;")
	}
	return l, nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) || c == '_' }

// advance moves to the next token.
func (l *lexer) advance() {
	l.prev = l.tok
	l.tok, l.bad = l.scan(l.pos)
	l.pos = l.tok.end
}

// scan reads the token at or after a position.
func (l *lexer) scan(at int) (t token, bad bool) {
	s := l.text
	for at < len(s) && (s[at] == ' ' || s[at] == '\t' || s[at] == '\r' || s[at] == '\n') {
		at++
	}
	if at == len(s) {
		return token{tokEOF, "<EOF>", at, at}, false
	}
	end := at + 1
	word := func() {
		for end < len(s) && isWord(s[end]) {
			end++
		}
	}
	kind := tokSymbol
	switch c := s[at]; {
	case isLetter(c):
		kind = tokIdent
		word()
	case isDigit(c):
		kind = tokNumber
		for end < len(s) && isDigit(s[end]) {
			end++
		}
	case c == '#' || c == ':':
		kind = tokName
		if c == ':' {
			kind = tokValue
		}
		word()
		bad = end == at+1
	case c == '<' && end < len(s) && (s[end] == '>' || s[end] == '='), c == '>' && end < len(s) && s[end] == '=':
		end++
	case c == '(' || c == ')' || c == ',' || c == '.' || c == '[' || c == ']' || c == '=' || c == '<' || c == '>' || c == '+' || c == '-':
	default:
		bad = true
		for c >= 0x80 && end < len(s) && s[end] >= 0x80 && s[end] < 0xc0 {
			end++ // the rest of a character
		}
	}
	return token{kind, s[at:end], at, end}, bad
}

// unexpected is the error for the current token: it quotes the text from the token before it to the one after.
func (l *lexer) unexpected() error {
	next, _ := l.scan(l.tok.end)
	start := l.tok.start
	if l.prev.end > 0 {
		start = l.prev.start
	}
	return l.kind.errorf(`Syntax error; token: "%s", near: "%s"`, l.tok.text, l.text[start:next.end])
}

// symbol reports whether the current token is a symbol.
func (l *lexer) symbol(s string) bool { return l.tok.kind == tokSymbol && !l.bad && l.tok.text == s }

// keyword reports whether the current token is a keyword, given in upper case.
func (l *lexer) keyword(k string) bool {
	if l.tok.kind != tokIdent || len(l.tok.text) != len(k) {
		return false
	}
	for i := range len(k) {
		if c := l.tok.text[i]; c != k[i] && c-'a'+'A' != k[i] {
			return false
		}
	}
	return true
}

// expect passes over a symbol.
func (l *lexer) expect(s string) error {
	if !l.symbol(s) {
		return l.unexpected()
	}
	l.advance()
	return nil
}
