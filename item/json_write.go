package item

import (
	"encoding/base64"
	"encoding/binary"
	"unicode/utf8"
)

// AppendJSON writes the value as DynamoDB JSON: {"S":"x"}.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.Kind() {
	case None:
		return append(dst, "null"...)
	case String:
		dst = append(dst, `{"S":`...)
		dst = AppendQuoted(dst, v.body())
	case Number:
		dst = append(dst, `{"N":"`...)
		dst = append(v.Num().AppendText(dst), '"')
	case Binary:
		dst = append(dst, `{"B":"`...)
		dst = append(appendBase64(dst, v.body()), '"')
	case Bool:
		if v.Bool() {
			return append(dst, `{"BOOL":true}`...)
		}
		return append(dst, `{"BOOL":false}`...)
	case Null:
		return append(dst, `{"NULL":true}`...)
	case List:
		dst = append(dst, `{"L":[`...)
		dst = append(v.appendElemsJSON(dst), ']')
	case Map:
		dst = append(dst, `{"M":`...)
		dst = v.Item().AppendJSON(dst)
	default:
		dst = append(dst, '{', '"')
		dst = append(dst, v.Kind().String()...)
		dst = append(dst, '"', ':', '[')
		dst = append(v.appendMembersJSON(dst), ']')
	}
	return append(dst, '}')
}

func (v Value) appendElemsJSON(dst []byte) []byte {
	b, n := v.elements()
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		var e Value
		e, b = split(b)
		dst = e.AppendJSON(dst)
	}
	return dst
}

// appendMembersJSON writes a set's members, which are JSON strings of any type.
func (v Value) appendMembersJSON(dst []byte) []byte {
	b, n := v.elements()
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		var e Value
		e, b = split(b)
		switch e.Kind() {
		case String:
			dst = AppendQuoted(dst, e.body())
		case Number:
			dst = append(e.Num().AppendText(append(dst, '"')), '"')
		default:
			dst = append(appendBase64(append(dst, '"'), e.body()), '"')
		}
	}
	return dst
}

// AppendJSON writes the attributes as a JSON object: {"pk":{"S":"x"}}. The zero Item is written as null.
func (it Item) AppendJSON(dst []byte) []byte {
	if it.IsZero() {
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	n, k := uvarint(it.enc)
	b := it.enc[k:]
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		var name []byte
		var v Value
		name, v, b = splitField(b)
		dst = AppendQuoted(dst, name)
		dst = append(dst, ':')
		dst = v.AppendJSON(dst)
	}
	return append(dst, '}')
}

func appendBase64(dst, b []byte) []byte { return base64.StdEncoding.AppendEncode(dst, b) }

const hexDigits = "0123456789abcdef"

// AppendQuoted writes a JSON string. Bytes that are no UTF-8 become U+FFFD.
func AppendQuoted[T string | []byte](dst []byte, s T) []byte {
	return append(appendUnquoted(append(dst, '"'), s), '"')
}

// appendUnquoted writes what stands between the quotes. Nearly every string is written as it is, so it is copied first and looked at
// afterwards, where the eight bytes of a word can be tested at once.
func appendUnquoted[T string | []byte](dst []byte, s T) []byte {
	from := len(dst)
	dst = append(dst, s...)
	if isPlain(dst[from:]) {
		return dst
	}
	n := 0
	for asItIs[s[n]] {
		n++
	}
	return appendEscaped(dst[:from+n], s[n:])
}

// isPlain reports whether all bytes are ASCII that JSON writes as it is.
func isPlain(s []byte) bool {
	if len(s) < 8 {
		for _, c := range s {
			if !asItIs[c] {
				return false
			}
		}
		return true
	}
	any := odd(binary.LittleEndian.Uint64(s[len(s)-8:])) // it may overlap the last of those that follow
	for ; len(s) >= 32; s = s[32:] {
		any |= odd(binary.LittleEndian.Uint64(s)) | odd(binary.LittleEndian.Uint64(s[8:])) |
			odd(binary.LittleEndian.Uint64(s[16:])) | odd(binary.LittleEndian.Uint64(s[24:]))
	}
	for ; len(s) >= 8; s = s[8:] {
		any |= odd(binary.LittleEndian.Uint64(s))
	}
	return any&tops == 0
}

const ones, tops = 0x0101010101010101, 0x8080808080808080

// odd has a top bit set if one of eight bytes at least is not plain: one above ASCII has it itself; a control character or a quote,
// which changing their second bit puts below 0x21, has it after taking that away; so has a backslash, which was made zero, when
// 1 is taken away. Only from such bytes anything is borrowed, so others' bits may be wrong only if some bit is set rightly.
func odd(w uint64) uint64 {
	return w | (w ^ 2*ones - 0x21*ones) | (w ^ '\\'*ones - ones)
}

// asItIs tells the bytes that JSON writes as they are.
var asItIs = func() (p [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		p[c] = c != '"' && c != '\\'
	}
	return p
}()

func appendEscaped[T string | []byte](dst []byte, s T) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + 1
			}
			i += n
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(dst, s[start:]...)
}
