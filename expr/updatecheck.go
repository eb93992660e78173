package expr

// check finds what is wrong with an update whatever its substitutions are, in the order that conditions have too.
func (a *UpdateAST) check() error {
	if err := check(UpdateExpression, a.walk, checkParens); err != nil {
		return err
	}
	if a.double != noVerb {
		return UpdateExpression.errorf(`The "%s" section can only be used once in an update expression;`, verbNames[a.double])
	}
	return check(UpdateExpression, a.walk, checkFunction, checkNesting, checkReserved, countOperators())
}

// walk visits paths and values in the order of the text.
func (a *UpdateAST) walk(visit func(*node) error) error {
	for _, act := range a.actions {
		if err := visit(&node{op: opPath, path: act.path}); err != nil {
			return err
		}
		if act.value == nil {
			continue
		}
		if err := act.value.walk(visit); err != nil {
			return err
		}
	}
	return nil
}

// checkNesting allows list_append as what is assigned or one side of a sum, but not as an operand of a function.
func checkNesting(k Kind, n *node) error {
	if n.op != opFunc {
		return nil
	}
	for _, arg := range n.kids {
		if arg = inner(arg); arg.op == opFunc && arg.fn() == fnListAppend {
			return misused(k, arg)
		}
	}
	return nil
}
