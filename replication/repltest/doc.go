// Package repltest lets three to five whole regions live through random lives in one process, and judges what becomes of them
// against the promises of DESIGN section 1. It has tests only.
//
// # What is real
//
// Regions, their stores (Pebble on a file system that loses power), and replication between them are those of a server. The
// network (fakenet), the membership and the clocks are scripted, and time is virtual (testing/synctest).
//
//	disk_test.go     a disk that counts syncs and loses power at a given one
//	life_test.go     one region from start to end: store, region, links
//	world_test.go    all regions, their network, membership and clocks
//	hurry_test.go    goroutines that let each other go ahead where they could
//	clients_test.go  what clients do all the while
//	faults_test.go   what happens to links, machines, clocks and tables meanwhile
//	expel_test.go    a region that is expelled and comes back
//	history_test.go  every commit that a region made and every write that it acknowledged
//	judge_test.go    the promises, one by one; feedjudge_test.go those about the conflict feed
//	pure_test.go     the pure machines alone, in one thread
//	trio_test.go     three regions that share one table, for stories about one thing: counters (counter_test.go), changing
//	                 conflict policies (policy_test.go), conflict feeds (feed_test.go)
//
// # Running
//
//	go test ./replication/repltest                                   two dozen seeds, and the stories
//	go test ./replication/repltest -run TestSeeds -seeds=10000 -timeout=0    the long run; -from=N goes on elsewhere
//	go test ./replication/repltest -run TestSeeds -seed=17 -runs=20  one seed, again and again
//	go test ./replication/repltest -run TestPure -pure.histories=1000000     the pure machines
//	go test ./replication/repltest -run TestCountersAreExact -counter.runs=1000 -timeout=0
//	go run ./replication/repltest/mutate                             break the code on purpose, and see that it is found
//
// A seed costs about a third of a second of processor time, a history of the pure machines 0.2 ms. Two processes with
// GOMAXPROCS=1 and a half of the seeds each need less memory than one.
//
// All faults follow from the seed: which, when, to whom, and at which sync of a disk. How goroutines meet at one virtual
// instant does not, since the runtime shuffles them; so a seed that failed once may need several runs. A failure prints its
// trace. The pure machines replay exactly. What was found so far stands in docs/found-by-simulation.md.
package repltest
