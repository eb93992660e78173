package batch

import (
	"fmt"
	"testing"
	"time"
)

var begin = time.Unix(1e9, 0)

func records(from, n int) (all []Record) {
	for i := range n {
		all = append(all, Record{Sequence: fmt.Sprintf("%03d", from+i), Created: begin, Body: []byte("{}")})
	}
	return all
}

func sequences(b *Batch) (all string) {
	for i := range b.Len() {
		all += " " + b.Record(i).Sequence
	}
	return all
}

// TestWindow: a batch goes out when it is full, or when its first record has waited (DYNAMODB.md 13.1).
func TestWindow(t *testing.T) {
	s := NewShard(Options{Lanes: 1, Size: 3, Bytes: 1000, Window: 10 * time.Second, Retries: -1, Buffered: 1000}, "")
	s.Add(begin, records(1, 2))
	if b := s.Next(begin.Add(9 * time.Second)); b != nil {
		t.Fatalf("%s before its time", sequences(b))
	}
	if at := s.Wake(); at != begin.Add(10*time.Second) {
		t.Fatalf("wakes at %v", at)
	}
	s.Add(begin.Add(5*time.Second), records(3, 2))
	b := s.Next(begin.Add(5 * time.Second))
	if b == nil || sequences(b) != " 001 002 003" {
		t.Fatalf("a full batch does not go: %v", b)
	}
	s.Done(begin, b, Outcome{})
	if b := s.Next(begin.Add(14 * time.Second)); b != nil {
		t.Fatalf("%s before its time", sequences(b))
	}
	if b = s.Next(begin.Add(15 * time.Second)); b == nil || sequences(b) != " 004" {
		t.Fatalf("%v at the end of its window", b)
	}
}

// TestBisect: a poisonous record is found by halving, which counts as no retry, and is given up alone.
func TestBisect(t *testing.T) {
	s := NewShard(Options{Lanes: 1, Size: 8, Bytes: 1000, Retries: 1, Bisect: true, Buffered: 1000}, "")
	s.Add(begin, records(1, 8))
	s.End()
	now, calls, lost := begin, "", ""
	for !s.Finished() {
		if at := s.Wake(); at.After(now) {
			now = at
		}
		b := s.Next(now)
		out := Outcome{}
		switch {
		case b.Reason != "":
			lost += sequences(b) + fmt.Sprintf(" %s after %d", b.Reason, b.Invoked)
		default:
			calls += sequences(b) + ";"
			for i := range b.Len() {
				if b.Record(i).Sequence == "006" {
					out.Verdict = Failed
				}
			}
		}
		s.Done(now, b, out)
	}
	const want = " 001 002 003 004 005 006 007 008; 001 002 003 004; 005 006 007 008; 005 006; 005; 006; 006; 007 008;"
	if calls != want || lost != " 006 RetryAttemptsExhausted after 5" {
		t.Fatalf("calls %q, lost %q", calls, lost)
	}
}

// TestReadFailures has the forms of partial answers (DYNAMODB.md 13.1).
func TestReadFailures(t *testing.T) {
	s := NewShard(Options{Lanes: 1, Size: 8, Bytes: 1000, Buffered: 1000}, "")
	s.Add(begin, records(1, 4))
	b := s.Next(begin)
	for _, c := range []struct {
		body string
		want Outcome
	}{
		{``, Outcome{Verdict: Succeeded}}, {`null`, Outcome{Verdict: Succeeded}}, {`{}`, Outcome{Verdict: Succeeded}},
		{`{"batchItemFailures":null}`, Outcome{Verdict: Succeeded}}, {` {"batchItemFailures":[]} `, Outcome{Verdict: Succeeded}},
		{`{"other":1}`, Outcome{Verdict: Succeeded}},
		{`{"batchItemFailures":[{"itemIdentifier":"003"}]}`, Outcome{Verdict: Partly, From: "003"}},
		{`{"batchItemFailures":[{"itemIdentifier":"004"},{"itemIdentifier":"002"}]}`, Outcome{Verdict: Partly, From: "002"}},
		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, Outcome{Verdict: Failed}},
		{`{"batchItemFailures":[{"itemIdentifier":null}]}`, Outcome{Verdict: Failed}},
		{`{"batchItemFailures":[{"itemIdentifier":"009"}]}`, Outcome{Verdict: Failed}},
		{`{"batchItemFailures":[{"item":"003"}]}`, Outcome{Verdict: Failed}},
		{`{"batchItemFailures":["003"]}`, Outcome{Verdict: Failed}}, {`{"batchItemFailures":{}}`, Outcome{Verdict: Failed}},
		{`"done"`, Outcome{Verdict: Failed}}, {`[`, Outcome{Verdict: Failed}},
	} {
		if got := ReadFailures(b, []byte(c.body)); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.body, got, c.want)
		}
	}
}

// TestUnavailable: while the function cannot be reached nothing is counted, halved or given up.
func TestUnavailable(t *testing.T) {
	s := NewShard(Options{Lanes: 1, Size: 8, Bytes: 1000, Bisect: true, Buffered: 1000}, "")
	s.Add(begin, records(1, 4))
	now := begin
	for i := range 20 {
		b := s.Next(now)
		if b == nil || b.Len() != 4 || b.Reason != "" || b.Invoked != 0 {
			t.Fatalf("try %d: %+v", i, b)
		}
		s.Done(now, b, Outcome{Verdict: Unavailable})
		next := s.Wake()
		if pause := next.Sub(now); pause < restFirst || pause > restLast {
			t.Fatalf("try %d: rests for %v", i, pause)
		}
		now = next
	}
}
