package expr

// What is wrong with an expression whatever its substitutions are, in the service's order: parentheses, unknown functions,
// misused functions, reserved words, too many operators (DYNAMODB.md 4.3 and 4.5).

const (
	maxOperators  = 300
	maxInOperands = 100
)

// rule is one check of every part of an expression.
type rule func(Kind, *node) error

func (a *CondAST) check(redundant bool) error {
	if redundant {
		return redundantParens(a.kind)
	}
	return check(a.kind, a.root.walk, checkFunction, a.checkUse, checkPath, countOperators())
}

func check(k Kind, walk func(func(*node) error) error, rules ...rule) error {
	for _, r := range rules {
		if err := walk(func(n *node) error { return r(k, n) }); err != nil {
			return err
		}
	}
	return nil
}

func redundantParens(k Kind) error { return k.errorf("The expression has redundant parentheses;") }

func checkFunction(k Kind, n *node) error {
	if n.op == opFunc && n.fn() == noFn {
		return k.errorf("Invalid function name; function: %s", n.text)
	}
	return nil
}

// checkUse refuses a value where a condition must stand and a yes-or-no where a value must.
func (a *CondAST) checkUse(_ Kind, n *node) error {
	if n == a.root {
		return a.use(n, true)
	}
	return nil
}

func (a *CondAST) use(n *node, condition bool) error {
	switch n.op {
	case opParen:
		return a.use(n.kids[0], condition)
	case opFunc:
		if n.fn().update() {
			return a.kind.errorf("The function is not allowed in a condition expression; function: %s", n.text)
		}
		if n.fn().boolean() != condition {
			return misused(a.kind, n)
		}
	}
	inner := n.op == opAnd || n.op == opOr || n.op == opNot
	for _, k := range n.kids {
		if err := a.use(k, inner); err != nil {
			return err
		}
	}
	return nil
}

func misused(k Kind, n *node) error {
	return k.errorf("The function is not allowed to be used this way in an expression; function: %s", n.text)
}

func checkPath(k Kind, n *node) error {
	if n.op != opPath {
		return nil
	}
	return n.path.check(k)
}

// countOperators refuses an expression of too many operators and functions. Parentheses are none.
func countOperators() rule {
	count := 0
	return func(k Kind, n *node) error {
		if n.op >= opFunc && n.op != opParen {
			count++
		}
		if count > maxOperators {
			return k.errorf("The expression contains too many operators; operator count: %d", maxOperators+1)
		}
		return nil
	}
}
