package expr

// check finds what is wrong with an update whatever its substitutions are, in the order that conditions have too.
func (a *UpdateAST) check(redundant bool) error {
	if redundant {
		return redundantParens(UpdateExpression)
	}
	if a.double != noVerb {
		return UpdateExpression.errorf(`The "%s" section can only be used once in an update expression;`, verbNames[a.double])
	}
	return check(UpdateExpression, a.walk, checkFunction, checkUpdateUse, checkPath, countOperators())
}

// walk visits paths and values in the order of the text.
func (a *UpdateAST) walk(visit func(*node) error) error {
	target := node{op: opPath}
	for _, act := range a.actions {
		target.path = act.path
		if err := visit(&target); err != nil {
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

// checkUpdateUse refuses the functions of conditions. It allows list_append as what is assigned or one side of a sum, but
// not as an operand of a function.
func checkUpdateUse(k Kind, n *node) error {
	if n.op != opFunc {
		return nil
	}
	if !n.fn().update() {
		return k.errorf("The function is not allowed in an update expression; function: %s", n.text)
	}
	for _, arg := range n.kids {
		if arg = inner(arg); arg.op == opFunc && arg.fn() == fnListAppend {
			return misused(k, arg)
		}
	}
	return nil
}
