package lengthwise

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// RequestError is an answer that is an error. Handlers return it to answer with one.
type RequestError struct {
	Code    string
	Message string
	Data    Value
}

func (e *RequestError) Error() string { return e.Message }

// Value is what a message carries: nothing, JSON, or bytes.
type Value struct {
	kind    byte
	content []byte
}

// IsNothing tells that there is no value.
func (v Value) IsNothing() bool { return v.kind == 0 }

// Bytes gives the bytes of a value that is bytes, and nil otherwise.
func (v Value) Bytes() []byte {
	if v.kind == 0x40 {
		return v.content
	}
	return nil
}

// JSON gives the text of a value that is JSON, and nil otherwise.
func (v Value) JSON() json.RawMessage {
	if v.kind == 0x20 {
		return v.content
	}
	return nil
}

// Decode decodes JSON into what target points to.
func (v Value) Decode(target interface{}) error {
	if v.kind != 0x20 {
		return errors.New("Cannot decode value: it is not JSON")
	}
	return json.Unmarshal(v.content, target)
}

func (v Value) isValid() bool {
	return v.kind != 0x20 || (utf8.Valid(v.content) && json.Valid(v.content))
}

// encode takes nil as nothing, []byte as bytes, a Value as it is, and anything else as JSON.
func encode(value interface{}) (Value, error) {
	switch value := value.(type) {
	case nil:
		return Value{}, nil
	case []byte:
		return Value{0x40, value}, nil
	case Value:
		return value, nil
	}
	content, err := json.Marshal(value)
	return Value{0x20, content}, err
}

// Handler answers requests of one method: with a value, or with a stream by Request.Send. An error
// that is no *RequestError is hidden from the caller.
type Handler struct {
	Value  func(*Request) (interface{}, error)
	Stream func(*Request) error
}

// Types of messages, and flags; docs/requests.md.
const (
	tNotify, tCancel, tItem, tEnd, tCredit, tResponse, tError, tRequest = 1, 2, 3, 4, 5, 6, 7, 16

	answering   = 0x80
	windowItems = 64
	windowBytes = 256 << 10

	maxRequests     = 1000
	maxRequestBytes = 4 << 20
	maxValueBytes   = 16 << 20
	helloTimeout    = 10 * time.Second
)

// Peer is the other end of a connection that carries requests. Both ends may ask.
type Peer struct {
	// OnError is called with what handlers return or panic with, unless it is a *RequestError.
	OnError func(method string, err interface{})

	connection Connection
	handlers   map[string]Handler
	turn       chan struct{} // requests leave one after the other, so that ids rise
	mutex      sync.Mutex
	changed    chan struct{} // closed and replaced at each change that waiting requests care about
	failure    error
	isGreeted  bool
	theirs     [3]uint64

	calls     map[uint64]*call
	callBytes uint64
	lastCall  uint64
	works     map[uint64]*Request
	workBytes uint64
	lastWork  uint64
	notices   chan func()
	over      chan struct{}
}

// Requests adds requests, notifications and streams to a connection or session.
func Requests(connection Connection, handlers map[string]Handler) *Peer {
	p := &Peer{connection: connection, handlers: handlers, turn: make(chan struct{}, 1),
		changed: make(chan struct{}), theirs: [3]uint64{16, 64 << 10, 1024}, calls: map[uint64]*call{},
		works: map[uint64]*Request{}, notices: make(chan func(), maxRequests), over: make(chan struct{})}
	hello := append([]byte("\x00LWRQ\x01"), head(0, maxRequests, maxRequestBytes, maxValueBytes)[1:]...)
	p.offer(hello)
	go p.run()
	go func() {
		for {
			select {
			case notice := <-p.notices:
				notice()
			case <-p.over:
				return
			}
		}
	}()
	return p
}

// --- This end's requests ---

type call struct {
	method  string
	id      uint64
	size    uint64
	done    chan struct{}
	value   Value
	err     error
	stream  *items
	credit  *credit
	stop    chan struct{} // tells the sender of items to stop
	isGone  bool          // nobody wants the answer
	sending bool          // a goroutine sends items, and then END or CANCEL
}

// Request asks for one value. When the context ends, the request is cancelled.
func (p *Peer) Request(ctx context.Context, method string, params interface{}) (Value, error) {
	return p.RequestWith(ctx, method, params, nil)
}

// RequestWith is Request with items to send along, until their channel is closed.
func (p *Peer) RequestWith(ctx context.Context, method string, params interface{}, sent <-chan interface{}) (Value, error) {
	c := &call{method: method}
	if err := p.start(ctx, c, params, sent); err != nil {
		return Value{}, err
	}
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		p.giveUp(c)
		return Value{}, ctx.Err()
	}
}

// Stream is a stream of items that the peer sends. Close it when it is not wanted any more.
type Stream struct {
	peer *Peer
	call *call
	ctx  context.Context
}

// Stream asks for a stream. sent may be nil; otherwise its items are sent along.
func (p *Peer) Stream(ctx context.Context, method string, params interface{}, sent <-chan interface{}) (*Stream, error) {
	c := &call{method: method}
	c.stream = newItems(windowItems, windowBytes, func(items, size uint64) {
		p.mutex.Lock()
		_, isOpen := p.calls[c.id]
		p.mutex.Unlock()
		if isOpen {
			p.offer(head(tCredit, c.id, items, size))
		}
	})
	if err := p.start(ctx, c, params, sent); err != nil {
		return nil, err
	}
	return &Stream{p, c, ctx}, nil
}

// Next gives the next item, and io.EOF at the end.
func (s *Stream) Next() (Value, error) {
	value, err := s.call.stream.next(s.ctx)
	if err != nil && err == s.ctx.Err() {
		s.Close()
	}
	return value, err
}

// Close cancels the stream if it has not ended.
func (s *Stream) Close() { s.peer.giveUp(s.call) }

// Notify tells something that has no answer.
func (p *Peer) Notify(method string, params interface{}) error {
	value, err := encode(params)
	if err == nil && len(method) > 255 {
		err = errors.New("Cannot notify: the method's name is above 255 bytes")
	}
	if err != nil {
		return err
	}
	message := append([]byte{tNotify | value.kind, byte(len(method))}, method...)
	message = append(message, value.content...)
	for {
		p.mutex.Lock()
		mayGo, changed := p.failure != nil || p.isGreeted || uint64(len(message)) <= p.theirs[2], p.changed
		p.mutex.Unlock()
		if mayGo {
			return p.send(message)
		}
		<-changed
	}
}

// Close closes the connection. Requests without an answer fail, and handlers are cancelled.
func (p *Peer) Close() error {
	p.mutex.Lock()
	calls := []*call{}
	for _, c := range p.calls {
		calls = append(calls, c)
	}
	p.mutex.Unlock()
	for _, c := range calls {
		p.giveUp(c)
	}
	p.fail(ErrClosed)
	return p.connection.Close()
}

// Over is closed when the connection has ended.
func (p *Peer) Over() <-chan struct{} { return p.over }

func (p *Peer) start(ctx context.Context, c *call, params interface{}, sent <-chan interface{}) error {
	value, err := encode(params)
	if err != nil {
		return err
	}
	if len(c.method) > 255 {
		return errors.New("Cannot request: the method's name is above 255 bytes")
	}
	c.done = make(chan struct{})
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	p.lastCall++
	c.id = p.lastCall
	first := byte(tRequest) | value.kind
	if c.stream != nil {
		first |= 1
	}
	if sent != nil {
		first |= 2
	}
	message := append(head(first, c.id), byte(len(c.method)))
	message = append(message, c.method...)
	if c.stream != nil {
		message = append(message, head(0, windowItems, windowBytes)[1:]...)
	}
	message = append(message, value.content...)
	c.size = uint64(len(message))
	for {
		p.mutex.Lock()
		if p.failure != nil {
			p.mutex.Unlock()
			return p.failure
		}
		if p.mayGo(c.size) {
			break
		}
		changed := p.changed
		p.mutex.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if p.isGreeted && c.size > p.theirs[2] {
		p.mutex.Unlock()
		return tooLarge(c.size, p.theirs[2])
	}
	// The answer may come before send() returns.
	p.calls[c.id] = c
	p.callBytes += c.size
	if sent != nil {
		c.sending, c.stop = true, make(chan struct{})
		c.credit = newCredit(0, 0)
	}
	p.mutex.Unlock()
	if err := p.connection.Send(message); err != nil {
		p.settle(c, Value{}, err)
		p.mutex.Lock()
		defer p.mutex.Unlock()
		if p.failure != nil { // It tells more.
			return p.failure
		}
		return err
	}
	if sent != nil {
		go p.sendItems(c, sent)
	}
	return nil
}

func (p *Peer) mayGo(size uint64) bool {
	count := uint64(len(p.calls))
	return count < p.theirs[0] && (count == 0 || p.callBytes+size <= p.theirs[1]) &&
		(p.isGreeted || size <= p.theirs[2])
}

// sendItems sends items until their end, the answer, or CANCEL, which only it may send meanwhile.
func (p *Peer) sendItems(c *call, sent <-chan interface{}) {
	var failure error
loop:
	for {
		select {
		case item, isOpen := <-sent:
			if !isOpen {
				break loop
			}
			if failure = p.sendItem(tItem, c.id, item, c.credit, c.stop); failure != nil {
				break loop
			}
		case <-c.stop:
			break loop
		}
	}
	p.mutex.Lock()
	c.sending = false
	isGone := c.isGone
	p.mutex.Unlock()
	if failure != nil && failure != errStopped {
		p.giveUp(c)
		p.settleLocally(c, failure)
	} else if isGone {
		p.offer(head(tCancel, c.id))
	} else {
		p.offer(head(tEnd, c.id))
	}
}

var errStopped = errors.New("stopped")

func (p *Peer) sendItem(first byte, id uint64, item interface{}, granted *credit, stop <-chan struct{}) error {
	value, err := encode(item)
	if err != nil {
		return err
	}
	if !granted.wait(stop) {
		return errStopped
	}
	message := append(head(first|value.kind, id), value.content...)
	granted.use(uint64(len(message)))
	return p.send(message)
}

// settleLocally tells the caller of an error while the peer's answer is still to come.
func (p *Peer) settleLocally(c *call, err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	select {
	case <-c.done:
	default:
		c.err = err
		if c.stream != nil {
			c.stream.end(err)
		}
		close(c.done)
	}
}

func (p *Peer) giveUp(c *call) {
	p.mutex.Lock()
	_, isOpen := p.calls[c.id]
	if !isOpen || c.isGone {
		p.mutex.Unlock()
		return
	}
	c.isGone = true
	isSending := c.sending
	if isSending {
		close(c.stop)
	}
	p.mutex.Unlock()
	if !isSending {
		p.offer(head(tCancel, c.id))
	}
}

func (p *Peer) settle(c *call, value Value, err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.calls, c.id)
	p.callBytes -= c.size
	if c.sending && !c.isGone {
		close(c.stop)
	}
	if c.stream != nil {
		c.stream.end(err)
	}
	select {
	case <-c.done:
	default:
		c.value, c.err = value, err
		close(c.done)
	}
	p.fire()
}

func (p *Peer) answered(r *reader) error {
	id, err := r.varint()
	if err != nil {
		return err
	}
	p.mutex.Lock()
	c := p.calls[id]
	p.mutex.Unlock()
	if c == nil {
		return protocolError("Cannot take answer: no request %d is without one", id)
	}
	switch {
	case r.kindOf == tItem && c.stream != nil:
		return c.stream.put(r, c.method)
	case r.kindOf == tCredit && c.credit != nil:
		return r.credit(c.credit)
	case r.kindOf == tError:
		code, err := r.text(1)
		if err != nil {
			return err
		}
		text, err := r.text(2)
		if err != nil {
			return err
		}
		data, err := r.value()
		if err == nil {
			p.settle(c, Value{}, &RequestError{printable(code), printable(text), data})
		}
		return err
	case r.kindOf == tEnd && c.stream != nil:
		if err := r.end(); err != nil {
			return err
		}
		p.settle(c, Value{}, nil)
		return nil
	case r.kindOf == tResponse && c.stream == nil:
		value, err := r.value()
		if err == nil && !value.isValid() {
			p.settle(c, Value{}, &RequestError{"invalid-result", "Cannot read answer of " + c.method + ": it is not JSON", Value{}})
		} else if err == nil {
			p.settle(c, value, nil)
		}
		return err
	}
	return protocolError("Cannot take message of type %d for request %d: it does not fit", r.kindOf, id)
}

// --- The peer's requests ---

// Request is a request or notification of the peer, as its handler sees it.
type Request struct {
	Peer   *Peer
	Method string
	Params Value
	// Context ends when the caller cancels, or the connection ends.
	Context context.Context

	id, size    uint64
	cancel      context.CancelFunc
	window      *credit // of a stream
	items       *items
	hasItems    bool
	isCancelled bool
	isAnswered  bool
}

// Next gives the next item that the caller sends, and io.EOF at their end.
func (w *Request) Next() (Value, error) {
	if w.items == nil {
		return Value{}, io.EOF
	}
	w.items.begin()
	return w.items.next(w.Context)
}

// Send sends an item of a stream. It waits for credit.
func (w *Request) Send(item interface{}) error {
	err := w.Peer.sendItem(answering|tItem, w.id, item, w.window, w.Context.Done())
	if err == errStopped {
		return context.Canceled
	}
	return err
}

func (p *Peer) asked(r *reader) error {
	if r.kindOf >= tRequest && r.kindOf < tRequest+8 {
		return p.requested(r)
	}
	id, err := r.varint()
	if err != nil {
		return err
	}
	p.mutex.Lock()
	w, isKnown := p.works[id], id <= p.lastWork
	hasItems := w != nil && w.hasItems
	p.mutex.Unlock()
	switch {
	case !isKnown:
	case r.kindOf == tCancel:
		if err := r.end(); err != nil || w == nil {
			return err
		}
		p.mutex.Lock()
		w.isCancelled = true
		p.mutex.Unlock()
		w.cancel()
		p.endItems(w, &RequestError{"cancelled", "Cannot answer " + w.Method + ": it was cancelled", Value{}})
		return nil
	case r.kindOf == tCredit && (w == nil || w.window != nil):
		if w == nil {
			return r.credit(newCredit(0, 0))
		}
		return r.credit(w.window)
	case r.kindOf == tItem && hasItems:
		return w.items.put(r, w.Method)
	case r.kindOf == tEnd && hasItems:
		if err := r.end(); err != nil {
			return err
		}
		p.endItems(w, nil)
		return nil
	}
	return protocolError("Cannot take message of type %d for request %d: it does not fit", r.kindOf, id)
}

func (p *Peer) requested(r *reader) error {
	id, err := r.varint()
	if err != nil {
		return err
	}
	w := &Request{Peer: p, id: id, size: uint64(len(r.message))}
	if w.Method, err = r.text(1); err != nil {
		return err
	}
	if r.kindOf&1 != 0 {
		w.window = newCredit(0, 0)
		if err = r.grant(w.window); err != nil {
			return err
		}
	}
	if r.kindOf&4 != 0 { // A trace context.
		if _, err = r.text(1); err != nil {
			return err
		}
		if _, err = r.text(2); err != nil {
			return err
		}
	}
	if w.Params, err = r.value(); err != nil {
		return err
	}
	w.hasItems = r.kindOf&2 != 0
	if w.hasItems {
		w.items = newItems(0, 0, func(items, size uint64) {
			p.mutex.Lock()
			isWanted := w.hasItems && !w.isAnswered
			p.mutex.Unlock()
			if isWanted {
				p.offer(head(answering|tCredit, id, items, size))
			}
		})
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if id <= p.lastWork {
		return protocolError("Cannot take request %d: ids must rise, the last was %d", id, p.lastWork)
	}
	p.lastWork = id
	if count := len(p.works); count > 0 && (count >= maxRequests || p.workBytes+w.size > maxRequestBytes) {
		limits := fmt.Sprintf("%d requests and %d bytes are allowed at a time", maxRequests, maxRequestBytes)
		if w.hasItems {
			return protocolError("Cannot take request %d: %s", id, limits)
		}
		p.mutex.Unlock()
		p.offer(errorMessage(id, &RequestError{"busy", "Cannot answer " + w.Method + ": " + limits, Value{}}))
		p.mutex.Lock()
		return nil
	}
	w.Context, w.cancel = context.WithCancel(context.Background())
	p.works[id] = w
	p.workBytes += w.size
	go p.work(w)
	return nil
}

func (p *Peer) work(w *Request) {
	defer w.cancel()
	message, err := p.handle(w)
	p.mutex.Lock()
	isCancelled, most := w.isCancelled, p.theirs[2]
	p.mutex.Unlock()
	if err == nil && isCancelled && message[0]&0x1f == tResponse {
		err = context.Canceled
	}
	if err == nil && uint64(len(message)) > most {
		err = &RequestError{"invalid-result", "Cannot answer " + w.Method + ": " + tooLarge(uint64(len(message)), most).Text, Value{}}
	}
	if err != nil {
		refusal, isRefusal := err.(*RequestError)
		if isCancelled {
			refusal = &RequestError{"cancelled", "Cannot answer " + w.Method + ": it was cancelled", Value{}}
		} else if !isRefusal {
			if p.OnError != nil {
				p.OnError(w.Method, err)
			}
			refusal = &RequestError{"internal", "Cannot answer " + w.Method + ": its handler failed", Value{}}
		}
		message = errorMessage(w.id, refusal)
	}
	p.mutex.Lock()
	w.isAnswered = true
	// The caller may use the allowance as soon as it has the answer.
	if !w.hasItems {
		p.forget(w)
	}
	p.mutex.Unlock()
	p.offer(message)
}

// handle calls the handler, and gives the message that ends the request.
func (p *Peer) handle(w *Request) (message []byte, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	handler, isKnown := p.handlers[w.Method]
	refuse := func(code, state string) ([]byte, error) {
		return nil, &RequestError{code, "Cannot answer " + w.Method + ": " + state, Value{}}
	}
	switch {
	case !isKnown:
		return refuse("unknown-method", "there is no such method")
	case !w.Params.isValid():
		return refuse("invalid-params", "params are not JSON")
	case handler.Stream != nil && w.window == nil:
		return refuse("wrong-kind", "it gives a stream, use stream()")
	case handler.Stream == nil && w.window != nil:
		return refuse("wrong-kind", "it gives one value, use request()")
	case handler.Stream != nil:
		return head(answering|tEnd, w.id), handler.Stream(w)
	}
	result, err := handler.Value(w)
	if err != nil {
		return nil, err
	}
	value, err := encode(result)
	if err != nil {
		return refuse("invalid-result", "its result is not JSON")
	}
	return append(head(answering|tResponse|value.kind, w.id), value.content...), nil
}

func (p *Peer) endItems(w *Request, err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !w.hasItems {
		return
	}
	w.hasItems = false
	w.items.end(err)
	if w.isAnswered {
		p.forget(w)
	}
}

func (p *Peer) forget(w *Request) {
	if p.works[w.id] == w {
		delete(p.works, w.id)
		p.workBytes -= w.size
	}
}

func (p *Peer) noticed(r *reader) error {
	method, err := r.text(1)
	if err != nil {
		return err
	}
	value, err := r.value()
	handler := p.handlers[method]
	if err != nil || handler.Value == nil || !value.isValid() {
		return err
	}
	// One after the other, in order. Reading stops when too many wait.
	notice := func() {
		defer func() {
			if panicked := recover(); panicked != nil && p.OnError != nil {
				p.OnError(method, panicked)
			}
		}()
		_, err := handler.Value(&Request{Peer: p, Method: method, Params: value, Context: context.Background()})
		if err != nil && p.OnError != nil {
			p.OnError(method, err)
		}
	}
	select {
	case p.notices <- notice:
	case <-p.over:
	}
	return nil
}

// --- The connection ---

func (p *Peer) send(message []byte) error {
	p.mutex.Lock()
	failure, isGreeted, most := p.failure, p.isGreeted, p.theirs[2]
	p.mutex.Unlock()
	if failure != nil {
		return failure
	}
	if isGreeted && uint64(len(message)) > most {
		return tooLarge(uint64(len(message)), most)
	}
	return p.connection.Send(message)
}

// offer sends what need not arrive: the end of the connection settles everything that waits.
func (p *Peer) offer(message []byte) { _ = p.connection.Send(message) }

func (p *Peer) run() {
	isLate := make(chan struct{})
	timer := time.AfterFunc(helloTimeout, func() { close(isLate); p.connection.Abort() })
	err := p.read(timer)
	timer.Stop()
	select {
	case <-isLate:
		err = protocolError("Cannot make requests: no HELLO came within %s", helloTimeout)
	default:
	}
	if err == io.EOF {
		p.fail(&LostError{State: "the peer has ended"})
		p.connection.Close()
		return
	}
	p.fail(err)
	if err != ErrClosed { // Who closes in order waits for the peer.
		p.connection.Abort()
	}
}

func (p *Peer) read(timer *time.Timer) error {
	for {
		message, err := p.connection.Receive()
		if err != nil {
			return err
		}
		r := &reader{message: message, at: 1}
		if len(message) == 0 || message[0]&0x60 == 0x60 {
			return protocolError("Cannot read message: it is empty, or its value is of no kind")
		}
		r.kindOf, r.kind = message[0]&0x1f, message[0]&0x60
		switch {
		case !p.isGreeted:
			timer.Stop()
			err = p.hello(r)
		case message[0] >= answering:
			err = p.answered(r)
		case r.kindOf == tNotify:
			err = p.noticed(r)
		default:
			err = p.asked(r)
		}
		if err != nil {
			return err
		}
	}
}

func (p *Peer) hello(r *reader) error {
	if !strings.HasPrefix(string(r.message), "\x00LWRQ") {
		return protocolError("Cannot make requests: the peer's first message is no HELLO")
	}
	if len(r.message) < 6 || r.message[5] != 1 {
		return protocolError("Cannot make requests: the peer speaks version %x, not 01", r.message[5:])
	}
	r.at = 6
	var theirs [3]uint64
	for i := range theirs {
		var err error
		if theirs[i], err = r.varint(); err != nil {
			return err
		}
	}
	if theirs[0] < 16 || theirs[1] < 64<<10 {
		return protocolError("Cannot make requests: the peer allows %d requests of %d bytes, the least is 16 of 65536", theirs[0], theirs[1])
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.theirs, p.isGreeted = theirs, true
	p.fire()
	return nil
}

// fail: no answer can come any more, and none can be given.
func (p *Peer) fail(err error) {
	p.mutex.Lock()
	if p.failure != nil {
		p.mutex.Unlock()
		return
	}
	p.failure = err
	calls, works := []*call{}, []*Request{}
	for _, c := range p.calls {
		calls = append(calls, c)
	}
	for _, w := range p.works {
		works = append(works, w)
	}
	close(p.over)
	p.fire()
	p.mutex.Unlock()
	for _, c := range calls {
		p.settle(c, Value{}, err)
	}
	for _, w := range works {
		w.cancel()
		p.endItems(w, err)
	}
}

func (p *Peer) fire() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func tooLarge(size, most uint64) *TooLargeError {
	return &TooLargeError{fmt.Sprintf("Cannot send message of %d bytes: the peer takes no more than %d bytes", size, most)}
}

func protocolError(form string, values ...interface{}) error {
	return &ProtocolError{15, fmt.Sprintf(form, values...)}
}

// head is a first byte and numbers.
func head(first byte, numbers ...uint64) []byte {
	message := append(make([]byte, 0, 32), first)
	for _, number := range numbers {
		message = binary.AppendUvarint(message, number)
	}
	return message
}

func errorMessage(id uint64, e *RequestError) []byte {
	code, text := clean(e.Code, 255), clean(e.Message, 8192)
	message := append(head(answering|tError|e.Data.kind, id), byte(len(code)))
	message = append(message, code...)
	message = append(message, byte(len(text)>>8), byte(len(text)))
	message = append(message, text...)
	return append(message, e.Data.content...)
}

// JSONOf makes JSON of a value, for the data of a RequestError. What is no JSON becomes nothing.
func JSONOf(value interface{}) Value {
	content, err := json.Marshal(value)
	if err != nil {
		return Value{}
	}
	return Value{0x20, content}
}

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, text)
}

// --- Reading ---

type reader struct {
	message      []byte
	at           int
	kindOf, kind byte
}

func (r *reader) varint() (value uint64, err error) {
	for shift := 0; shift < 56; shift += 7 {
		if r.at >= len(r.message) {
			return 0, protocolError("Cannot read message: it ends within a number")
		}
		b := r.message[r.at]
		r.at++
		value |= uint64(b&0x7f) << shift
		if b < 0x80 && value < 1<<53 {
			return value, nil
		}
		if b < 0x80 {
			break
		}
	}
	return 0, protocolError("Cannot read message: a number is above 2^53 - 1")
}

func (r *reader) text(bytesOfLength int) (string, error) {
	length := 0
	for i := 0; i < bytesOfLength && r.at < len(r.message); i++ {
		length = length<<8 | int(r.message[r.at])
		r.at++
		bytesOfLength, i = bytesOfLength-1, i-1
	}
	if bytesOfLength > 0 || length > len(r.message)-r.at {
		return "", protocolError("Cannot read message: it ends within a text")
	}
	text := string(r.message[r.at : r.at+length])
	r.at += length
	if !utf8.ValidString(text) {
		return "", protocolError("Cannot read message: a text is not UTF-8")
	}
	return text, nil
}

func (r *reader) value() (Value, error) {
	content := r.message[r.at:]
	if r.kind == 0 && len(content) > 0 {
		return Value{}, protocolError("Cannot read message: bytes follow its end")
	}
	return Value{r.kind, content}, nil
}

func (r *reader) end() error {
	if r.kind != 0 || r.at < len(r.message) {
		return protocolError("Cannot read message: bytes follow its end")
	}
	return nil
}

func (r *reader) grant(to *credit) error {
	items, err := r.varint()
	if err != nil {
		return err
	}
	size, err := r.varint()
	if err != nil {
		return err
	}
	return to.grant(items, size)
}

func (r *reader) credit(to *credit) error {
	if err := r.grant(to); err != nil {
		return err
	}
	return r.end()
}

// --- Streams ---

// credit is what the peer allows this end to send of a stream.
type credit struct {
	mutex       sync.Mutex
	items, size int64
	changed     chan struct{}
}

func newCredit(items, size uint64) *credit {
	return &credit{items: int64(items), size: int64(size), changed: make(chan struct{}, 1)}
}

func (c *credit) grant(items, size uint64) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.items += int64(items)
	c.size += int64(size)
	select {
	case c.changed <- struct{}{}:
	default:
	}
	if c.items > 1<<48 || c.size > 1<<48 {
		return protocolError("Cannot take credit: it is beyond all measure")
	}
	return nil
}

func (c *credit) wait(stop <-chan struct{}) bool {
	for {
		c.mutex.Lock()
		mayGo := c.items > 0 && c.size > 0
		c.mutex.Unlock()
		select {
		case <-stop:
			return false
		default:
		}
		if mayGo {
			return true
		}
		select {
		case <-c.changed:
		case <-stop:
			return false
		}
	}
}

func (c *credit) use(size uint64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.items--
	c.size -= int64(size)
}

// items is the receiving end of a stream.
type items struct {
	mutex       sync.Mutex
	items, size int64 // the peer's credit
	taken       [2]int64
	queue       []item
	isBegun     bool
	isEnded     bool
	err         error
	changed     chan struct{}
	onGrant     func(items, size uint64)
}

type item struct {
	value Value
	size  int64
}

func newItems(count, size uint64, onGrant func(items, size uint64)) *items {
	return &items{items: int64(count), size: int64(size), isBegun: count > 0, onGrant: onGrant, changed: make(chan struct{}, 1)}
}

// begin grants the first credit, when a handler begins to read.
func (s *items) begin() {
	s.mutex.Lock()
	isFirst := !s.isBegun
	if isFirst {
		s.isBegun, s.items, s.size = true, windowItems, windowBytes
	}
	s.mutex.Unlock()
	if isFirst {
		s.onGrant(windowItems, windowBytes)
	}
}

func (s *items) put(r *reader, method string) error {
	value, err := r.value()
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.items < 1 || s.size < 1 {
		return protocolError("Cannot take item of %s: it has no credit", method)
	}
	size := int64(len(r.message))
	s.items--
	s.size -= size
	if s.isEnded {
		return nil
	}
	if !value.isValid() {
		s.isEnded, s.err = true, &RequestError{"invalid-params", "Cannot read items of " + method + ": they are not JSON", Value{}}
	} else {
		s.queue = append(s.queue, item{value, size})
	}
	s.tell()
	return nil
}

func (s *items) end(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.isEnded {
		s.isEnded, s.err = true, err
		s.tell()
	}
}

func (s *items) tell() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *items) next(ctx context.Context) (Value, error) {
	for {
		s.mutex.Lock()
		if len(s.queue) > 0 {
			break
		}
		if s.isEnded {
			s.tell()
			s.mutex.Unlock()
			if s.err != nil {
				return Value{}, s.err
			}
			return Value{}, io.EOF
		}
		s.mutex.Unlock()
		select {
		case <-s.changed:
		case <-ctx.Done():
			return Value{}, ctx.Err()
		}
	}
	first := s.queue[0]
	s.queue = s.queue[1:]
	s.taken[0]++
	s.taken[1] += first.size
	// Credit is granted again after each half window: that needs few messages.
	isDue := !s.isEnded && (s.taken[0]*2 >= windowItems || s.taken[1]*2 >= windowBytes)
	taken := s.taken
	if isDue {
		s.items += taken[0]
		s.size += taken[1]
		s.taken = [2]int64{}
	}
	if len(s.queue) > 0 {
		s.tell()
	}
	s.mutex.Unlock()
	if isDue {
		s.onGrant(uint64(taken[0]), uint64(taken[1]))
	}
	return first.value, nil
}
