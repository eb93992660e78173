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

// AppendJSONSize is AppendJSON and Size in one walk, for pages of a thousand items.
func (it Item) AppendJSONSize(dst []byte) ([]byte, int) {
	if it.IsZero() {
		return append(dst, "null"...), 0
	}
	dst = append(dst, '{')
	n, k := binary.Uvarint(it.enc)
	b := it.enc[k:]
	size := 0
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		var name []byte
		var v Value
		name, v, b = splitField(b)
		dst = append(AppendQuoted(dst, name), ':')
		size += len(name)
		if v.enc[0] == tagString { // most are
			text := v.body()
			dst = append(AppendQuoted(append(dst, `{"S":`...), text), '}')
			size += len(text)
		} else {
			dst = v.AppendJSON(dst)
			size += v.Size()
		}
	}
	return append(dst, '}'), size
}

func appendBase64(dst, b []byte) []byte { return base64.StdEncoding.AppendEncode(dst, b) }

const hexDigits = "0123456789abcdef"

// AppendQuoted writes a JSON string. Bytes that are no UTF-8 become U+FFFD. Nearly every string is written as it is, so it
// is copied first and looked at afterwards, where the eight bytes of a word can be tested at once.
func AppendQuoted[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	from := len(dst)
	dst = append(dst, s...)
	if plain := plainPrefix(dst[from:]); plain < len(s) {
		dst = appendEscaped(dst[:from+plain], s[plain:])
	}
	return append(dst, '"')
}

// plainPrefix is how many bytes of s are ASCII that JSON writes as it is.
func plainPrefix(s []byte) int {
	i := 0
	for ; len(s)-i >= 32; i += 32 {
		w := s[i : i+32]
		if escapes(binary.LittleEndian.Uint64(w))|escapes(binary.LittleEndian.Uint64(w[8:]))|
			escapes(binary.LittleEndian.Uint64(w[16:]))|escapes(binary.LittleEndian.Uint64(w[24:])) != 0 {
			break
		}
	}
	for ; len(s)-i >= 8; i += 8 {
		if escapes(binary.LittleEndian.Uint64(s[i:])) != 0 {
			break
		}
	}
	for i < len(s) && asItIs[s[i]] {
		i++
	}
	return i
}

// escapes is not nought if one of eight bytes at least is not plain. Taking 0x20 from a byte, or 1 from one that was made zero,
// sets its top bit or borrows from the next: some bit is left exactly if some byte is below a blank, a quote, a backslash or
// above ASCII.
func escapes(w uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	return (w | (w - 0x20*ones) | (w ^ '"'*ones - ones) | (w ^ '\\'*ones - ones)) & tops
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
