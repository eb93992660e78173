package main

// Every connection and every open table file takes one of the process's file descriptors, and a store that gets none stops its
// region. So each region is dealt a share of them, half for connections and a quarter for the store's files.

// Most of what a region takes, however many files the process may open.
const (
	mostConnections = 10_000
	mostStoreFiles  = 4096
)

// connections is how many clients a region of a process with this many may have connected, for each of its two endpoints.
func connections(files, regions int) (dynamodb, admin int) {
	share := files / max(regions, 1) / 2
	return clamp(share*7/8, 16, mostConnections), clamp(share/8, 8, mostConnections/8)
}

// storeFiles is how many table files a region's store may keep open.
func storeFiles(files, regions int) int { return clamp(files/max(regions, 1)/4, 32, mostStoreFiles) }

func clamp(n, least, most int) int { return min(max(n, least), most) }
