package drill

import "context"

// Region is one region as its clients and operators reach it. Its addresses do not change while it is restarted.
type Region struct {
	Name     string `json:"name"`
	DynamoDB string `json:"dynamodb"`
	Admin    string `json:"admin"`
}

// Target is several regions that a drill may break.
type Target interface {
	// Open starts the regions, or finds them, with faults allowed and at the distances of a profile. It returns when they run.
	Open(ctx context.Context, wan string) ([]Region, error)
	// Do carries out one of Kill, Start, Pause, Resume, Restart and LoseDisk. Start and Restart return when the region serves.
	Do(ctx context.Context, a Action, region string) error
	// About says what the regions are, and what of a failure is real and what is imitated.
	About() string
	// Close ends all that Open started. It is called once, also after a failed Open.
	Close() error
}

// isolater is a Target that can cut a region's links outside of the region itself.
type isolater interface {
	Isolate(ctx context.Context, region string) error
	Rejoin(ctx context.Context) error // all that were isolated
}
