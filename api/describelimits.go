package api

// Quotas of an account and of a table (DYNAMODB.md section 14). Meridian has none; these are what tools expect to read.
const (
	accountUnits = 80000
	tableUnits   = 40000
)

// nothing is the input of operations without parameters.
type nothing struct{}

func (nothing) member(*decoder, string) bool { return false }
func (nothing) constraints(*violations)      {}

func describeLimits(c *call) error {
	if err := c.read(nothing{}); err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	w.integerMember("AccountMaxReadCapacityUnits", accountUnits)
	w.integerMember("AccountMaxWriteCapacityUnits", accountUnits)
	w.integerMember("TableMaxReadCapacityUnits", tableUnits)
	w.integerMember("TableMaxWriteCapacityUnits", tableUnits)
	w.closeObject()
	return nil
}
