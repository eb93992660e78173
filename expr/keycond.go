package expr

import "github.com/meridiandb/meridian/item"

// KeyConditionAST is a key condition's text, parsed. It is immutable.
type KeyConditionAST struct{ cond *CondAST }

// ParseKeyCondition parses a KeyConditionExpression; which attributes are keys is only known to Resolve.
func ParseKeyCondition(text string) (*KeyConditionAST, error) {
	a, err := ParseCondition(KeyConditionExpression, text)
	if err != nil {
		return nil, err
	}
	return &KeyConditionAST{a}, nil
}

// KeyCondition is a bound key condition. It is immutable.
type KeyCondition struct{ terms []keyTerm }

// keyTerm is what is said of one attribute.
type keyTerm struct {
	name   string
	op     RangeOp
	lo, hi item.Value
}

// RangeOp is a condition on a RANGE attribute.
type RangeOp uint8

// The conditions that an ordered key allows.
const (
	RangeAll RangeOp = iota // none
	RangeEQ
	RangeLT
	RangeLE
	RangeGT
	RangeGE
	RangeBetween
	RangeBeginsWith
)

// KeyRange is the part of one partition that a key condition selects: the HASH values, the RANGE attributes that are fixed,
// and a condition on the one after them. Attributes fixed by = are all in Prefix, so Op is RangeAll or an inequality.
type KeyRange struct {
	Hash   []item.Value
	Prefix []item.Value
	Op     RangeOp
	Lo, Hi item.Value // Hi for RangeBetween
}

// Bind puts in a request's substitutions and refuses conditions that no key can have.
func (a *KeyConditionAST) Bind(p *Params) (*KeyCondition, error) {
	c, err := a.cond.Bind(p)
	if err != nil {
		return nil, err
	}
	if err := a.checkOperators(); err != nil {
		return nil, err
	}
	k := new(KeyCondition)
	for _, b := range conjuncts(&c.root, nil) {
		t, err := term(b)
		if err != nil {
			return nil, err
		}
		for _, have := range k.terms {
			if have.name == t.name {
				return nil, errorf("KeyConditionExpressions must only contain one condition per key")
			}
		}
		k.terms = append(k.terms, t)
	}
	return k, nil
}

// checkOperators allows only what the restricted grammar has.
func (a *KeyConditionAST) checkOperators() error {
	return a.cond.root.walk(func(n *node) error {
		switch n.op {
		case opOr, opNot, opIn, opNE:
			return errorf("Invalid operator used in KeyConditionExpression: %s", n.name())
		case opFunc:
			if n.fn() == fnSize {
				return errorf("KeyConditionExpressions cannot contain nested operations")
			}
			if n.fn() != fnBeginsWith {
				return errorf("Invalid operator used in KeyConditionExpression: %s", n.text)
			}
		}
		return nil
	})
}

func conjuncts(b *bound, to []*bound) []*bound {
	if b.op != opAnd {
		return append(to, b)
	}
	return conjuncts(&b.kids[1], conjuncts(&b.kids[0], to))
}

var rangeOps = map[op]RangeOp{
	opEQ: RangeEQ, opLT: RangeLT, opLE: RangeLE, opGT: RangeGT, opGE: RangeGE, opBetween: RangeBetween, opFunc: RangeBeginsWith,
}

// flipped is the operator with its sides exchanged.
var flipped = map[RangeOp]RangeOp{RangeEQ: RangeEQ, RangeLT: RangeGT, RangeLE: RangeGE, RangeGT: RangeLT, RangeGE: RangeLE}

// term reads one condition on one attribute.
func term(b *bound) (keyTerm, error) {
	t := keyTerm{op: rangeOps[b.op]}
	at, paths := -1, 0
	for i, k := range b.kids {
		if k.op == opPath {
			if paths++; at < 0 {
				at = i
			}
			if len(k.path) > 1 {
				return t, errorf("KeyConditionExpressions cannot have conditions on nested attributes")
			}
		}
	}
	switch {
	case paths == 0:
		return t, errorf("Invalid condition in KeyConditionExpression: No key attribute specified")
	case paths > 1:
		return t, errorf("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
	case at > 0 && b.op == opBetween:
		return t, errorf("Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand")
	case at > 0 && b.op == opFunc:
		return t, errorf("Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand")
	}
	t.name = b.kids[at].path[0].name
	t.lo = b.kids[1-min(at, 1)].val
	if at == 1 {
		t.op = flipped[t.op]
	}
	if b.op == opBetween {
		t.hi = b.kids[2].val
	}
	return t, nil
}

// NewKeyCondition makes a key condition of one condition for each attribute, for the legacy parameters.
func NewKeyCondition(terms ...KeyTerm) *KeyCondition {
	k := new(KeyCondition)
	for _, t := range terms {
		k.terms = append(k.terms, keyTerm{t.Name, t.Op, t.Lo, t.Hi})
	}
	return k
}

// KeyTerm is a condition on one attribute.
type KeyTerm struct {
	Name   string
	Op     RangeOp
	Lo, Hi item.Value
}

// TopLevelNames lists the attributes that the condition names.
func (k *KeyCondition) TopLevelNames() []string {
	names := make([]string, len(k.terms))
	for i, t := range k.terms {
		names[i] = t.name
	}
	return names
}

func (k *KeyCondition) take(name string) *keyTerm {
	for i := range k.terms {
		if k.terms[i].name == name {
			return &k.terms[i]
		}
	}
	return nil
}

// Resolve matches the condition with a table's or index's keys (DYNAMODB.md 4.6).
func (k *KeyCondition) Resolve(s item.KeySchema) (KeyRange, error) {
	var r KeyRange
	most := len(s.Hash) + len(s.Range)
	if len(k.terms) > max(2, most) {
		return r, errorf("Conditions can be of length 1 or 2 only")
	}
	used := 0
	for _, a := range s.Hash {
		t := k.take(a.Name)
		if t == nil {
			return r, errorf("Query condition missed key schema element: %s", a.Name)
		}
		if t.op != RangeEQ {
			return r, errorf("Query key condition not supported")
		}
		if err := t.fits(a, item.MaxHashKeySize); err != nil {
			return r, err
		}
		r.Hash = append(r.Hash, t.lo)
		used++
	}
	n, err := k.resolveRange(s, &r)
	if err != nil {
		return r, err
	}
	if used += n; used == len(k.terms) {
		return r, nil
	}
	if len(s.Range) == 0 {
		return r, errorf("Query key condition not supported")
	}
	return r, errorf("Query condition missed key schema element: %s", s.Range[min(n, len(s.Range)-1)].Name)
}

// resolveRange uses the RANGE attributes from left to right; only the last used one may have an inequality.
func (k *KeyCondition) resolveRange(s item.KeySchema, r *KeyRange) (used int, err error) {
	for _, a := range s.Range {
		t := k.take(a.Name)
		if t == nil {
			return used, nil
		}
		if r.Op != RangeAll {
			return used, errorf("Query key condition not supported")
		}
		if err := t.fits(a, item.MaxRangeKeySize); err != nil {
			return used, err
		}
		if t.op == RangeEQ {
			r.Prefix = append(r.Prefix, t.lo)
		} else {
			r.Op, r.Lo, r.Hi = t.op, t.lo, t.hi
		}
		used++
	}
	return used, nil
}

// fits checks the literals against the attribute's type and the limits of keys.
func (t *keyTerm) fits(a item.KeyAttr, limit int) error {
	for _, v := range []item.Value{t.lo, t.hi} {
		switch {
		case v.IsZero():
			continue
		case v.Kind() != a.Kind:
			return errorf("One or more parameter values were invalid: Condition parameter type does not match schema type")
		case a.Kind == item.Number:
			continue
		case v.Len() == 0:
			what := "string"
			if a.Kind == item.Binary {
				what = "binary"
			}
			return errorf("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", what, a.Name)
		case v.Len() > limit && limit == item.MaxHashKeySize:
			return errorf("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
		case v.Len() > limit:
			return errorf("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
		}
	}
	return nil
}
