// Package arch keeps the import rules of the design (section 4) by a test. There is nothing to import here.
package arch
