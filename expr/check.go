package expr

// What is wrong with a condition whatever its substitutions are, in the service's order: parentheses, unknown functions,
// misused functions, reserved words, too many operators (DYNAMODB.md 4.3 and 4.5).

const (
	maxOperators  = 300
	maxInOperands = 100
)

func (a *CondAST) check() error {
	for _, rule := range []func() error{
		a.checkParens, a.checkFunctions, a.checkUse, a.checkReserved, a.checkCount,
	} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

func (a *CondAST) checkParens() error {
	return a.root.walk(func(n *node) error {
		if n.op == opParen && n.kids[0].op == opParen {
			return a.kind.errorf("The expression has redundant parentheses;")
		}
		return nil
	})
}

func (a *CondAST) checkFunctions() error {
	return a.root.walk(func(n *node) error {
		if n.op == opFunc {
			if _, ok := functions[n.text]; !ok {
				return a.kind.errorf("Invalid function name; function: %s", n.text)
			}
		}
		return nil
	})
}

// checkUse refuses a value where a condition must stand and a yes-or-no where a value must.
func (a *CondAST) checkUse() error { return a.use(a.root, true) }

func (a *CondAST) use(n *node, condition bool) error {
	switch n.op {
	case opParen:
		return a.use(n.kids[0], condition)
	case opFunc:
		if functions[n.text].boolean != condition {
			return a.kind.errorf("The function is not allowed to be used this way in an expression; function: %s", n.text)
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

func (a *CondAST) checkReserved() error {
	return a.root.walk(func(n *node) error {
		if n.op == opPath {
			if word, ok := n.path.reserved(); ok {
				return a.kind.errorf("Attribute name is a reserved keyword; reserved keyword: %s", word)
			}
		}
		return nil
	})
}

func (a *CondAST) checkCount() error {
	count := 0
	return a.root.walk(func(n *node) error {
		if n.op >= opFunc && n.op != opParen {
			count++
		}
		if count > maxOperators {
			return a.kind.errorf("The expression contains too many operators; operator count: %d", maxOperators+1)
		}
		return nil
	})
}
