// Package route makes a DynamoDB client use the nearest healthy region of a Meridian deployment, and go on elsewhere when
// that region fails.
//
//	router, err := route.New(route.Options{Regions: []route.Region{
//		{Name: "us-east-1", Endpoint: "http://us.example.net:8000"},
//		{Name: "eu-west-1", Endpoint: "http://eu.example.net:8000"},
//	}})
//	defer router.Close()
//	client := dynamodb.NewFromConfig(cfg, route.With(router))
//
// What it promises:
//
//   - Requests go to the region with the least measured latency that is healthy. A region that fails twice in a row, or
//     refuses connections, is left at once; it is taken again, by itself, when it has been well for some seconds, and one
//     that is only a little nearer is not worth the move (Picker, which is pure; a prober per region feeds it).
//   - Only what is safe is tried elsewhere: reads, writes that never reached a region, and writes that a region says it
//     has not done. A write whose fate is unknown is tried again in the same region only, and then the caller gets
//     *UnknownFateError; unless the caller has marked it as idempotent (Idempotent). Conditions and client request tokens
//     make no write idempotent between regions: each region judges them by what it holds.
//   - The client's session goes with it (Session): after a failover it reads what it wrote and nothing older than what it
//     read, or is refused. A region that has not caught up is no failed region: the next one is asked.
//   - Slow reads can be hedged: Options.HedgeAfter.
//
// Requests carry the signature that the SDK made for the address it was given, unless Options.Credentials are there to sign
// them again for the region that they go to. Regions do not check signatures yet; what stands before them may.
//
// A Router is safe for concurrent use. Its goroutines, one for each region, end with Close. To test with it, serve fakes
// with net/http/httptest and set the times in Options.Picker and Options.ProbeEvery; the Picker alone needs no network
// and no clock.
package route
