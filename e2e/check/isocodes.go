package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// isoStandard is one of the files that loadiso.py loads, and the field that is the code.
type isoStandard struct{ name, file, code string }

func isoStandards() []isoStandard {
	return []isoStandard{
		{"3166-1", "iso_3166-1.json", "alpha_3"},
		{"3166-2", "iso_3166-2.json", "code"},
		{"639-3", "iso_639-3.json", "alpha_3"},
	}
}

// isoCodes are the items that loadiso.py must have written, made from the same files by other means.
func isoCodes(folder string) (contents, error) {
	all := contents{}
	for _, s := range isoStandards() {
		text, err := os.ReadFile(filepath.Join(folder, s.file))
		if err != nil {
			return nil, err
		}
		var file map[string][]map[string]string
		if err := json.Unmarshal(text, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", s.file, err)
		}
		for _, record := range file[s.name] {
			it, err := s.item(record)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.file, err)
			}
			key, _ := it.pick([]string{"standard", "code"})
			all[key] = it.canonical()
		}
	}
	return all, nil
}

func (s isoStandard) item(record map[string]string) (attributes, error) {
	it := attributes{
		"standard": &types.AttributeValueMemberS{Value: s.name},
		"code":     &types.AttributeValueMemberS{Value: record[s.code]},
	}
	for field, v := range record {
		switch field {
		case s.code:
		case "numeric":
			n, err := strconv.Atoi(v)
			if err != nil {
				return nil, err
			}
			it[field] = &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
		default:
			it[field] = &types.AttributeValueMemberS{Value: v}
		}
	}
	return it, nil
}
