// Package exprcache keeps parsed expressions by their text, because applications send the same few over and over.
//
// A Cache answers what the parsers of package expr answer. Errors are not kept: a text that does not parse costs its
// sender the same each time and takes nobody's place. It is bounded in number and in bytes, and safe for concurrent use.
package exprcache
