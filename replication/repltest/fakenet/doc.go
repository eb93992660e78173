// Package fakenet is a network between regions that exists in memory and obeys a script. It implements package transport's
// contract, for tests in virtual time (testing/synctest); in real time the order of messages would not hold.
//
// # The script
//
// Every ordered pair of addresses has a Path: how long a message is under way, whether it is cut, and whether single messages
// are lost, repeated or overtaken. Cut models a broken line beneath TCP: what is sent into it is lost, and so is everything
// after that on the same connection and direction, because TCP never shows a hole; the connection is dead and nobody is told.
// The dialer finds out by silence, the server after serverPatience, as gRPC's keepalive would. Lost, Repeated and Overtaken
// are worse than TCP: they exercise what a link must notice by itself.
//
// Chance is a function of the seed, the two addresses and the message's number on its connection; so the same script
// gives the same faults however the runtime orders goroutines of the same instant.
package fakenet
