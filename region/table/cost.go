package table

import "github.com/meridiandb/meridian/region/capacity"

// Cost is consumed capacity in units; a transaction consumes its double (capacity.Cost).
type Cost = capacity.Cost

// IndexCost is one index's share.
type IndexCost = capacity.IndexCost
