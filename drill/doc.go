// Package drill rehearses failures: it breaks running regions as a Scenario says, while clients read and write through
// package route, and judges what the clients saw.
//
//	s, err := drill.Named("region-outage")
//	report, err := drill.Run(ctx, drill.Options{Scenario: s, Target: target})
//	report.WriteText(os.Stdout)
//
// What it promises:
//
//   - Every call of every client is in the history, with what was answered. The judge is a set of pure functions over it
//     (judge.go, sessions.go, outage.go): the same history gives the same verdicts, and a test shows it bad ones.
//   - It speaks to regions by their DynamoDB and admin endpoints only, and believes them nothing: what was acknowledged is
//     looked for with Scan in every region when all has healed.
//   - Whatever a scenario leaves broken is mended before regions are compared, and a Target ends with all that it started.
//   - Memory is bounded: a scenario asks for at most MaxCalls calls, or is refused.
//
// A Target says what can be broken: processes of meridian serve (Processes), containers (Docker), or regions within one
// process, which cmd/meridian has for "meridian dev". To test against it, give Run a Target of fakes.
package drill
