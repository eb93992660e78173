package duty

import (
	"slices"
	"time"
)

// Silence and the steps after it keep a take-over within ten seconds for any number of regions, with time left to begin.
const (
	Silence = 5 * time.Second
	Spread  = 3 * time.Second // between the first in line and the last
	Confirm = 3 * time.Second
	// Awake is the most that counts of the time between two calls of Tick, which come far more often. A region that was
	// itself stopped for longer heard nobody meanwhile: that is no other region's silence.
	Awake = 2 * time.Second
)

// Claim says that a region runs a trigger from an epoch on.
type Claim struct {
	Epoch  uint64 `json:"epoch"`
	Region string `json:"region"`
}

// Above reports whether c replaces o.
func (c Claim) Above(o Claim) bool {
	if c.Epoch != o.Epoch {
		return c.Epoch > o.Epoch
	}
	return c.Region < o.Region || o.Region == "" && c.Region != ""
}

// Duty is one trigger as one region sees it.
type Duty struct {
	self    string
	claim   Claim
	members []string        // who can run it, in order
	ticked  time.Time       // when Tick was last called
	heard   time.Time       // of the claimed region; or since when it is waited for
	asking  bool            // our claim is not confirmed
	since   time.Time       // of asking
	said    map[string]bool // who has answered meanwhile
}

// New begins with the claim that is remembered, which may be zero.
func New(self string, claim Claim, now time.Time) *Duty {
	d := &Duty{self: self, claim: claim, heard: now, ticked: now}
	d.ask(now)
	return d
}

func (d *Duty) ask(now time.Time) {
	d.asking, d.since, d.said = d.claim.Region == d.self, now, map[string]bool{}
}

// Claim is the highest one known.
func (d *Duty) Claim() Claim { return d.claim }

// Mine reports whether the highest claim is this region's, confirmed or not: it is to be said to the others.
func (d *Duty) Mine() bool { return d.claim.Region == d.self }

// Runs reports whether this region runs the trigger now.
func (d *Duty) Runs() bool { return d.Mine() && !d.asking && slices.Contains(d.members, d.self) }

// Members says who can run the trigger, in order.
func (d *Duty) Members(members []string) { d.members = members }

// Learn takes a claim that the keeper's description, or anybody, knows of. It says nothing about whether that region lives.
func (d *Duty) Learn(now time.Time, c Claim) {
	if !c.Above(d.claim) {
		return
	}
	d.claim, d.heard = c, now
	d.ask(now)
}

// Heard takes the word of a region about its own claim.
func (d *Duty) Heard(now time.Time, from string, c Claim) {
	d.Learn(now, c)
	if from == d.claim.Region && c == d.claim {
		d.heard = now
	}
}

// Answered notes that a region has heard this one's claim and knows of none above it; call Learn before with what it knows.
func (d *Duty) Answered(from string) {
	if d.asking {
		d.said[from] = true
	}
}

// Tick does what time brings: it confirms a claim, or takes over. It reports whether a claim was made that must be remembered
// before Runs is obeyed.
func (d *Duty) Tick(now time.Time) (claimed bool) {
	d.sleptUntil(now)
	if d.Mine() {
		if d.asking && (d.allAnswered() || now.Sub(d.since) >= Confirm) {
			d.asking = false
		}
		return false
	}
	rank := d.rank()
	if rank < 0 {
		return false
	}
	silence := Silence
	if !slices.Contains(d.members, d.claim.Region) {
		silence = 0 // it is not waited for
	}
	if now.Sub(d.heard) < silence+time.Duration(rank)*d.step() {
		return false
	}
	d.claim = Claim{d.claim.Epoch + 1, d.self}
	d.asking = false // whoever lives is about to hear of it
	return true
}

// sleptUntil takes out of what is waited for the time in which this region did not look.
func (d *Duty) sleptUntil(now time.Time) {
	if slept := now.Sub(d.ticked) - Awake; slept > 0 {
		for _, t := range []*time.Time{&d.heard, &d.since} {
			if *t = t.Add(slept); t.After(now) {
				*t = now // it began after we woke up
			}
		}
	}
	d.ticked = now
}

func (d *Duty) allAnswered() bool {
	for _, m := range d.members {
		if m != d.self && !d.said[m] {
			return false
		}
	}
	return true
}

// rank is this region's place in the line of those who take over, -1 if it is not in it.
func (d *Duty) rank() int {
	n := 0
	for _, m := range d.members {
		switch m {
		case d.self:
			return n
		case d.claim.Region:
		default:
			n++
		}
	}
	return -1
}

func (d *Duty) step() time.Duration { return Spread / time.Duration(max(len(d.members)-1, 1)) }
