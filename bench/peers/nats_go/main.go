// SPDX-License-Identifier: Apache-2.0
//
// nats_publish: events into a JetStream stream, in atomic batches (one acknowledgement and one sync each), or one by one. Prints JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "nats_publish:", err)
		os.Exit(1)
	}
	return value
}

func readEvents(path string) [][]byte {
	file := must(os.Open(path))
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	var events [][]byte
	for lines.Scan() {
		events = append(events, append([]byte(nil), lines.Bytes()...))
	}
	return events
}

// One atomic batch: the last message commits it and waits for the acknowledgement.
func publish(connection *nats.Conn, events [][]byte, first, batch int) {
	id := nats.NewInbox()[7:]
	for i := 1; i <= batch; i++ {
		message := nats.NewMsg("bench.events")
		message.Data = events[(first+i)%len(events)]
		message.Header.Set("Nats-Batch-Id", id)
		message.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i))
		if i < batch {
			must(0, connection.PublishMsg(message))
			continue
		}
		message.Header.Set("Nats-Batch-Commit", "1")
		answer := must(connection.RequestMsg(message, 20*time.Second))
		var acknowledged struct {
			Count int             `json:"count"`
			Error json.RawMessage `json:"error"`
		}
		must(0, json.Unmarshal(answer.Data, &acknowledged))
		if acknowledged.Count != batch {
			must(0, fmt.Errorf("the batch was answered with %s", answer.Data))
		}
	}
}

func main() {
	url := flag.String("url", "", "of the server")
	file := flag.String("events", "", "a file with an event a line")
	batch := flag.Int("batch", 1000, "messages in an atomic batch")
	seconds := flag.Float64("seconds", 5, "measured")
	flag.Parse()
	events := readEvents(*file)
	connection := must(nats.Connect(*url))
	stream := must(jetstream.New(connection))
	must(stream.CreateStream(context.Background(), jetstream.StreamConfig{
		Name: "BENCH", Subjects: []string{"bench.>"}, Storage: jetstream.FileStorage, AllowAtomicPublish: true}))
	var latency []float64
	count := 0
	begin := time.Now()
	for time.Since(begin).Seconds() < *seconds {
		sent := time.Now()
		publish(connection, events, count, *batch)
		latency = append(latency, float64(time.Since(sent).Microseconds()))
		count += *batch
	}
	took := time.Since(begin).Seconds()
	sort.Float64s(latency)
	must(0, json.NewEncoder(os.Stdout).Encode(map[string]any{
		"events": count, "events_per_second": float64(count) / took,
		"latency_us": map[string]float64{"p50": latency[len(latency)/2], "p99": latency[len(latency)*99/100], "max": latency[len(latency)-1]}}))
}
