// Package replpb is the generated code of the protocol between regions; replication.proto says how to generate it.
package replpb
