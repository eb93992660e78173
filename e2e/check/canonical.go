package main

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// attributes is an item as the SDK has it.
type attributes map[string]types.AttributeValue

// canonical writes an item so that two items are equal exactly if their texts are: maps by name, sets in order. Numbers
// stay as they came, since a service that changes their digits is to be noticed.
func (a attributes) canonical() string {
	var b strings.Builder
	writeMap(&b, a)
	return b.String()
}

// pick is the canonical text of some attributes only, such as a key's; ok is false if one is missing.
func (a attributes) pick(names []string) (text string, ok bool) {
	part := attributes{}
	for _, n := range names {
		v, ok := a[n]
		if !ok {
			return "", false
		}
		part[n] = v
	}
	return part.canonical(), true
}

func writeMap(b *strings.Builder, m map[string]types.AttributeValue) {
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Quote(name))
		b.WriteByte(':')
		writeValue(b, m[name])
	}
	b.WriteByte('}')
}

func writeValue(b *strings.Builder, v types.AttributeValue) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		b.WriteString(strconv.Quote(v.Value))
	case *types.AttributeValueMemberN:
		b.WriteString(v.Value)
	case *types.AttributeValueMemberB:
		b.WriteString("b" + base64.StdEncoding.EncodeToString(v.Value))
	case *types.AttributeValueMemberBOOL:
		b.WriteString(strconv.FormatBool(v.Value))
	case *types.AttributeValueMemberNULL:
		b.WriteString("null")
	case *types.AttributeValueMemberSS:
		writeSet(b, "SS", v.Value, strconv.Quote)
	case *types.AttributeValueMemberNS:
		writeSet(b, "NS", v.Value, func(s string) string { return s })
	case *types.AttributeValueMemberBS:
		writeSet(b, "BS", v.Value, base64.StdEncoding.EncodeToString)
	case *types.AttributeValueMemberL:
		b.WriteByte('[')
		for i, e := range v.Value {
			if i > 0 {
				b.WriteByte(' ')
			}
			writeValue(b, e)
		}
		b.WriteByte(']')
	case *types.AttributeValueMemberM:
		writeMap(b, v.Value)
	default:
		fmt.Fprintf(b, "unknown(%T)", v)
	}
}

func writeSet[T any](b *strings.Builder, kind string, elements []T, text func(T) string) {
	var list []string
	for _, e := range elements {
		list = append(list, text(e))
	}
	slices.Sort(list)
	b.WriteString(kind + "(" + strings.Join(list, " ") + ")")
}
