package wan

import (
	_ "embed" // the data file
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed aws.txt
var awsText string

// Link is how a way from one region to another behaves.
type Link struct {
	Delay     time.Duration // one way
	Jitter    time.Duration // up to so much more
	Loss      float64       // share of packets that are lost
	Bandwidth int64         // bytes a second; 0: no limit
}

// Profile tells the links between regions.
type Profile struct {
	name    string
	regions []string
	rtt     map[[2]string]time.Duration // both directions
}

// Of every link of a profile: what providers' own backbones are like on a usual day. A hundredth of a percent of packets is
// lost, and a connection carries up to 1 Gbit/s.
const (
	jitterShare = 0.02
	usualLoss   = 0.0001
	usualWidth  = 125_000_000
)

// ParseProfile finds a profile by name: aws, or none, which is nil.
func ParseProfile(name string) (*Profile, error) {
	switch name {
	case "none", "":
		return nil, nil
	case "aws":
		return parse(name, awsText)
	}
	return nil, fmt.Errorf("there is no WAN profile %q: there are aws and none", name)
}

func parse(name, text string) (*Profile, error) {
	p := &Profile{name: name, rtt: map[[2]string]time.Duration{}}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(fields) != len(p.regions)+1 {
			return nil, fmt.Errorf("WAN profile %s: %s has %d times to %d regions", name, fields[0], len(fields)-1, len(p.regions))
		}
		for i, f := range fields[1:] {
			ms, err := strconv.ParseFloat(f, 64)
			if err != nil || ms <= 0 {
				return nil, fmt.Errorf("WAN profile %s: %s: %q is no time", name, fields[0], f)
			}
			rtt := time.Duration(ms * float64(time.Millisecond))
			p.rtt[[2]string{fields[0], p.regions[i]}], p.rtt[[2]string{p.regions[i], fields[0]}] = rtt, rtt
		}
		p.regions = append(p.regions, fields[0])
	}
	return p, nil
}

// Regions lists the regions that the profile knows.
func (p *Profile) Regions() []string { return slices.Clone(p.regions) }

// Check fails if a region is not in the profile. A nil profile knows all.
func (p *Profile) Check(region string) error {
	if p == nil || slices.Contains(p.regions, region) {
		return nil
	}
	return fmt.Errorf("WAN profile %s has no region %s; it has %s", p.name, region, strings.Join(p.regions, ", "))
}

// RTT is the round-trip time between two regions; 0 if the profile does not tell.
func (p *Profile) RTT(a, b string) time.Duration {
	if p == nil {
		return 0
	}
	return p.rtt[[2]string{a, b}]
}

// Link is the way from one region to another.
func (p *Profile) Link(from, to string) Link {
	rtt := p.RTT(from, to)
	if rtt == 0 {
		return Link{}
	}
	return Link{Delay: rtt / 2, Jitter: time.Duration(float64(rtt/2) * jitterShare), Loss: usualLoss, Bandwidth: usualWidth}
}
