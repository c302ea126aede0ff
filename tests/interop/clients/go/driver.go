// Drives clients/go; suite.ts tells what each driver does.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lengthwise"
)

func main() {
	args := append(os.Args[2:], "")
	switch os.Args[1] {
	case "echo":
		echo(args[0], args[1], args[2])
	case "requests":
		requests(args[0])
	case "room":
		room(args[0], args[1], args[2])
	case "fail":
		fail(args[0], args[1])
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func connect(endpoint, token string) (lengthwise.Connection, error) {
	return lengthwise.Connect(endpoint, &lengthwise.Options{Token: token, TLS: trust(os.Getenv("CA")),
		MinRetryDelay: time.Millisecond, MaxRetryDelay: 20 * time.Millisecond,
		HeartbeatInterval: 150 * time.Millisecond, HeartbeatTimeout: 250 * time.Millisecond})
}

func trust(file string) *tls.Config {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: roots}
}

func message(i int) []byte {
	size := i * 7919 % 1500
	if i%1000 == 999 {
		size = 150_000
	}
	return append([]byte(fmt.Sprintf("%d:", i)), bytes.Repeat([]byte("x"), size)...)
}

func echo(endpoint, counted, token string) {
	count, _ := strconv.Atoi(counted)
	connection, err := connect(endpoint, token)
	check(err)
	sent := make(chan error)
	go func() {
		for i := 0; i < count; i++ {
			if err := connection.Send(message(i)); err != nil {
				sent <- err
				return
			}
		}
		sent <- connection.Flush()
	}()
	for i := 0; i < count; i++ {
		got, err := connection.Receive()
		check(err)
		if !bytes.Equal(got, message(i)) {
			check(fmt.Errorf("message %d differs: %.20q", i, got))
		}
	}
	check(<-sent)
	check(connection.CloseWith(4001, "done"))
	resumes := 0
	if session, is := connection.(*lengthwise.Session); is {
		resumes = session.Resumes()
	}
	fmt.Println("ok", count, resumes)
}

type sum struct {
	A int `json:"a"`
	B int `json:"b"`
}
type to struct {
	To int `json:"to"`
}

var cancelled int32
var mutex sync.Mutex
var logged = []string{}

var handlers = map[string]lengthwise.Handler{
	"add": {Value: func(r *lengthwise.Request) (interface{}, error) {
		var params sum
		err := r.Params.Decode(&params)
		return params.A + params.B, err
	}},
	"nothing": {Value: func(r *lengthwise.Request) (interface{}, error) { return nil, nil }},
	"null":    {Value: func(r *lengthwise.Request) (interface{}, error) { return json.RawMessage("null"), nil }},
	"same":    {Value: func(r *lengthwise.Request) (interface{}, error) { return r.Params, nil }},
	"cancelled": {Value: func(r *lengthwise.Request) (interface{}, error) {
		return atomic.LoadInt32(&cancelled), nil
	}},
	"log": {Value: func(r *lengthwise.Request) (interface{}, error) {
		var text string
		err := r.Params.Decode(&text)
		mutex.Lock()
		defer mutex.Unlock()
		logged = append(logged, text)
		return nil, err
	}},
	"logged": {Value: func(r *lengthwise.Request) (interface{}, error) {
		mutex.Lock()
		defer mutex.Unlock()
		return logged, nil
	}},
	"fail": {Value: func(r *lengthwise.Request) (interface{}, error) {
		return nil, &lengthwise.RequestError{Code: "sad", Message: "no way", Data: lengthwise.JSONOf(map[string]int{"why": 1})}
	}},
	"crash": {Value: func(r *lengthwise.Request) (interface{}, error) { panic("secret") }},
	"wait": {Value: func(r *lengthwise.Request) (interface{}, error) {
		<-r.Context.Done()
		atomic.AddInt32(&cancelled, 1)
		return nil, r.Context.Err()
	}},
	"total": {Value: func(r *lengthwise.Request) (interface{}, error) {
		total := 0
		for {
			item, err := r.Next()
			if err == io.EOF {
				return total, nil
			}
			if err != nil {
				return nil, err
			}
			total += len(item.Bytes())
		}
	}},
	"count": {Stream: func(r *lengthwise.Request) error {
		var params to
		if err := r.Params.Decode(&params); err != nil {
			return err
		}
		for n := 1; n <= params.To; n++ {
			if err := r.Send(n); err != nil {
				return err
			}
		}
		return nil
	}},
}

func show(value lengthwise.Value) string {
	switch {
	case value.IsNothing():
		return "null"
	case value.JSON() != nil:
		return string(value.JSON())
	}
	return hex.EncodeToString(value.Bytes())
}

func told(err error) string {
	var refused *lengthwise.RequestError
	if errors.As(err, &refused) {
		return fmt.Sprint(refused.Code, " ", refused.Message, " ", show(refused.Data))
	}
	return fmt.Sprint(err)
}

func requests(endpoint string) {
	connection, err := connect(endpoint, "")
	check(err)
	peer := lengthwise.Requests(connection, handlers)
	ctx := context.Background()
	ask := func(method string, params interface{}) lengthwise.Value {
		value, err := peer.Request(ctx, method, params)
		check(err)
		return value
	}
	wrong := func(method string, params interface{}) string {
		_, err := peer.Request(ctx, method, params)
		return told(err)
	}
	fmt.Println("add", show(ask("add", sum{1, 2})))
	fmt.Println("nothing", show(ask("nothing", nil)))
	fmt.Println("same", show(ask("same", []byte{1, 2, 255})))
	var text string
	check(ask("same", "grüße 漢字").Decode(&text))
	fmt.Println("text", text)
	fmt.Println("large", len(ask("same", make([]byte, 3_000_000)).Bytes()))
	fmt.Println(wrong("nope", json.RawMessage("null")))
	fmt.Println(wrong("fail", nil))
	fmt.Println(wrong("crash", nil))
	soon, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	_, err = peer.Request(soon, "wait", nil)
	if err == context.DeadlineExceeded {
		fmt.Println("timeout")
	}
	fmt.Println(wrong("count", to{3}))
	stream, err := peer.Stream(ctx, "add", sum{1, 2}, nil)
	check(err)
	_, err = stream.Next()
	fmt.Println(told(err))
	fmt.Println("count", count(peer, 500, 500))
	count(peer, 1_000_000, 3)
	items := make(chan interface{})
	go func() {
		for i := 0; i < 700; i++ {
			items <- make([]byte, i%7)
		}
		close(items)
	}()
	total, err := peer.RequestWith(ctx, "total", nil, items)
	check(err)
	fmt.Println("total", show(total))
	check(peer.Notify("log", "hi"))
	fmt.Println("logged", show(ask("logged", nil)))
	var group sync.WaitGroup
	var many int64
	for i := 0; i < 2000; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			var n int64
			check(ask("add", sum{i, 1}).Decode(&n))
			atomic.AddInt64(&many, n)
		}(i)
	}
	group.Wait()
	fmt.Println("many", many)
	fmt.Println("cancelled", show(ask("cancelled", nil)))
	ask("done", nil)
	<-peer.Over()
	fmt.Println("over")
}

func count(peer *lengthwise.Peer, most, until int) (total int) {
	stream, err := peer.Stream(context.Background(), "count", to{most}, nil)
	check(err)
	defer stream.Close()
	for {
		item, err := stream.Next()
		if err == io.EOF {
			return
		}
		check(err)
		var n int
		check(item.Decode(&n))
		total += n
		if n == until && until < most {
			return
		}
	}
}

func room(endpoint, name, counted string) {
	count, _ := strconv.Atoi(counted)
	heard := make(chan lengthwise.Value, count)
	connection, err := connect(endpoint, "")
	check(err)
	peer := lengthwise.Requests(connection, map[string]lengthwise.Handler{
		"said": {Value: func(r *lengthwise.Request) (interface{}, error) {
			heard <- r.Params
			return nil, nil
		}},
	})
	_, err = peer.Request(context.Background(), "enter", name)
	check(err)
	check(peer.Notify("say", "I am "+name))
	said := []json.RawMessage{}
	for len(said) < count {
		said = append(said, (<-heard).JSON())
	}
	check(peer.Close())
	check(json.NewEncoder(os.Stdout).Encode(said))
}

func fail(endpoint, how string) {
	connection, err := connect(endpoint, "")
	if err == nil && how == "requests" {
		peer := lengthwise.Requests(connection, nil)
		_, err = peer.Request(context.Background(), "add", sum{1, 2})
	} else if err == nil {
		for err == nil {
			_, err = connection.Receive()
		}
	}
	if connection != nil {
		connection.Close()
	}
	if err == io.EOF {
		fmt.Println("no error")
		return
	}
	code := 0
	if refused, is := err.(*lengthwise.RefusedError); is {
		code = refused.Code
	}
	fmt.Println(strings.TrimPrefix(reflect.TypeOf(err).String(), "*lengthwise."), code, err)
}
