package exprcache

import (
	"hash/maphash"
	"strings"

	"github.com/meridiandb/meridian/expr"
)

const (
	// shards is how many locks share the work.
	shards = 16
	// meanText is the length of a text for which there is room at full number. A tree may be thirty times its text, and
	// texts 4096 bytes: the bound in bytes is what keeps a hostile client from filling the memory.
	meanText = 256
)

// Cache is a bounded set of parsed expressions. Use New.
type Cache struct {
	seed   maphash.Seed
	shards [shards]shard
}

// key is a text in one role: errors differ between roles, and so do trees.
type key struct {
	kind expr.Kind
	text string
}

// New makes a cache of about n expressions, at least one for each of its parts.
func New(n int) *Cache {
	c := &Cache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].init(max(1, n/shards))
	}
	return c
}

// Condition parses a condition or filter.
func (c *Cache) Condition(kind expr.Kind, text string) (*expr.CondAST, error) {
	s, k := c.place(kind, text)
	if a, ok := s.get(k).(*expr.CondAST); ok {
		return a, nil
	}
	a, err := expr.ParseCondition(kind, k.own())
	if err != nil {
		return nil, err
	}
	s.put(k, a)
	return a, nil
}

// KeyCondition parses a key condition.
func (c *Cache) KeyCondition(text string) (*expr.KeyConditionAST, error) {
	return through(c, expr.KeyConditionExpression, text, expr.ParseKeyCondition)
}

// Projection parses a projection.
func (c *Cache) Projection(text string) (*expr.ProjectionAST, error) {
	return through(c, expr.ProjectionExpression, text, expr.ParseProjection)
}

// Update parses an update.
func (c *Cache) Update(text string) (*expr.UpdateAST, error) {
	return through(c, expr.UpdateExpression, text, expr.ParseUpdate)
}

func through[A any](c *Cache, kind expr.Kind, text string, parse func(string) (A, error)) (A, error) {
	s, k := c.place(kind, text)
	if a, ok := s.get(k).(A); ok {
		return a, nil
	}
	a, err := parse(k.own())
	if err == nil {
		s.put(k, a)
	}
	return a, err
}

func (c *Cache) place(kind expr.Kind, text string) (*shard, key) {
	return &c.shards[maphash.String(c.seed, text)%shards], key{kind, text}
}

// own makes the key's text, and so all trees that quote it, independent of the request that it came in.
func (k *key) own() string {
	k.text = strings.Clone(k.text)
	return k.text
}
