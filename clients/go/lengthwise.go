// Package lengthwise is a client of Lengthwise: messages, sessions, requests and streams.
//
// It needs the standard library of Go 1.19 alone: copy its two files into your program.
//
//	connection, err := lengthwise.Connect("tcp://127.0.0.1:7000?session=1", nil)
//	connection.Send([]byte("hello"))
//	message, err := connection.Receive() // io.EOF at the end
//	connection.Close()
//
// Endpoints are tcp://HOST:PORT, tls://HOST:PORT and unix:PATH. ?framing= names the framing: u8,
// u16be to u64le, varint or line; the default is u32be. ?session=1 asks for a session, which survives
// the loss of its sockets. All methods may be called by several goroutines at a time.
//
// docs/protocol.md and docs/requests.md of Lengthwise describe every byte.
package lengthwise

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// ConnectError tells that a connection or session could not be opened.
type ConnectError struct{ Cause error }

func (e *ConnectError) Error() string { return "Cannot connect: " + e.Cause.Error() }
func (e *ConnectError) Unwrap() error { return e.Cause }

// LostError tells that the network or the peer has failed. Of a session, Code is one of
// docs/protocol.md, and Messages are those that the peer has not acknowledged.
type LostError struct {
	Code     int
	State    string
	Messages [][]byte
}

func (e *LostError) Error() string { return "Cannot go on with connection: " + e.State }

// RefusedError tells that the server refuses the session.
type RefusedError struct {
	Code int
	Text string
}

func (e *RefusedError) Error() string {
	return "Cannot open session: the server refused it: " + e.Text
}

// ProtocolError tells that the peer broke the rules.
type ProtocolError struct {
	Code int
	Text string
}

func (e *ProtocolError) Error() string { return e.Text }

// TooLargeError tells that a message is above the limit, or too long for the framing.
type TooLargeError struct{ Text string }

func (e *TooLargeError) Error() string { return e.Text }

// ErrClosed is the error of a connection that this end has closed.
var ErrClosed = errors.New("Cannot use connection: it is closed")

// Options of Connect. What is zero has its default.
type Options struct {
	Framing                string        // the default is u32be
	Token                  string        // sent as the first message
	TLS                    *tls.Config   // of tls:// endpoints
	MaxMessageBytes        int           // 16 MiB
	ConnectTimeout         time.Duration // 10 s
	Session                bool          // ask for a session
	RetentionTime          time.Duration // 2 min
	MaxUnacknowledgedBytes int           // 8 MiB; Send waits above it
	Window                 int           // 1 MiB; received bytes that nobody has read
	HeartbeatInterval      time.Duration // 25 s of silence
	HeartbeatTimeout       time.Duration // 20 s more
	HelloTimeout           time.Duration // 10 s
	MinRetryDelay          time.Duration // 500 ms
	MaxRetryDelay          time.Duration // 30 s
}

func withDefaults(given *Options) Options {
	o := Options{}
	if given != nil {
		o = *given
	}
	if o.Framing == "" {
		o.Framing = "u32be"
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.ConnectTimeout, 10 * time.Second}, {&o.RetentionTime, 120 * time.Second},
		{&o.HeartbeatInterval, 25 * time.Second}, {&o.HeartbeatTimeout, 20 * time.Second},
		{&o.HelloTimeout, 10 * time.Second}, {&o.MinRetryDelay, 500 * time.Millisecond},
		{&o.MaxRetryDelay, 30 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct{ field, value *int }{{&o.MaxMessageBytes, number(16 << 20)},
		{&o.MaxUnacknowledgedBytes, number(8 << 20)}, {&o.Window, number(1 << 20)}} {
		if *d.field == 0 {
			*d.field = *d.value
		}
	}
	return o
}

func number(value int) *int { return &value }

// Connection carries whole messages in order.
type Connection interface {
	// Send sends a message. It waits while the peer is slow.
	Send(message []byte) error
	// Receive gives the next message, and io.EOF at the end.
	Receive() ([]byte, error)
	// Flush waits until the peer of a session has received everything.
	Flush() error
	// Close closes in order. What was not received is dropped.
	Close() error
	// CloseWith tells the peer of a session a code and a reason.
	CloseWith(code uint32, reason string) error
	// Abort ends at once. What was not sent is dropped.
	Abort()
}

// Connect connects, and greets over a session. Its errors are *ConnectError and *RefusedError.
func Connect(endpoint string, given *Options) (Connection, error) {
	o := withDefaults(given)
	if !strings.Contains(endpoint, "://") && !strings.HasPrefix(endpoint, "unix:") {
		endpoint = "tcp://" + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "tcp" && u.Scheme != "tls" && u.Scheme != "unix") {
		return nil, fmt.Errorf("Cannot connect to %s: write tcp://HOST:PORT, tls:// or unix:PATH", endpoint)
	}
	query := u.Query()
	if name := query.Get("framing"); name != "" {
		o.Framing = name
	}
	o.Session = o.Session || query.Get("session") == "1" || query.Get("session") == "true"
	if !isFraming(o.Framing) || (o.Session && (o.Framing == "u8" || o.Framing == "line")) {
		return nil, fmt.Errorf("Cannot use framing %s", o.Framing)
	}
	dial := func(timeout time.Duration) (net.Conn, error) {
		dialer := net.Dialer{Timeout: timeout}
		switch u.Scheme {
		case "unix":
			return dialer.Dial("unix", u.Opaque+u.Path)
		case "tls":
			return tls.DialWithDialer(&dialer, "tcp", u.Host, o.TLS)
		}
		return dialer.Dial("tcp", u.Host)
	}
	if o.Session {
		return openSession(dial, o)
	}
	conn, err := dial(o.ConnectTimeout)
	if err != nil {
		return nil, &ConnectError{err}
	}
	c := &plain{conn: conn, reader: bufio.NewReaderSize(conn, 65536), options: o}
	if o.Token != "" {
		err = c.Send([]byte(o.Token))
	}
	return c, err
}

// --- Framings ---

func prefix(framing string) (size int, order binary.ByteOrder) {
	if strings.HasSuffix(framing, "le") {
		order = binary.LittleEndian
	} else {
		order = binary.BigEndian
	}
	switch strings.TrimSuffix(strings.TrimSuffix(framing, "le"), "be") {
	case "u8":
		size = 1
	case "u16":
		size = 2
	case "u24":
		size = 3
	case "u32":
		size = 4
	case "u64":
		size = 8
	}
	return
}

func isFraming(name string) bool {
	size, _ := prefix(name)
	return name == "varint" || name == "line" || name == "u8" || size > 1
}

func encodeFrame(framing string, message []byte) ([]byte, error) {
	switch framing {
	case "line":
		if bytes.ContainsAny(message, "\r\n") {
			return nil, errors.New("Cannot send message: a line cannot contain line ends")
		}
		return append(append([]byte{}, message...), '\n'), nil
	case "varint":
		head := binary.AppendUvarint(nil, uint64(len(message)))
		return append(head, message...), nil
	}
	size, order := prefix(framing)
	if size < 8 && uint64(len(message)) >= 1<<(8*size) {
		return nil, &TooLargeError{fmt.Sprintf("Cannot send message of %d bytes: too long for %s", len(message), framing)}
	}
	frame := make([]byte, size+len(message))
	var wide [8]byte
	if order == binary.LittleEndian {
		order.PutUint64(wide[:], uint64(len(message)))
		copy(frame, wide[:size])
	} else {
		order.PutUint64(wide[:], uint64(len(message)))
		copy(frame, wide[8-size:])
	}
	copy(frame[size:], message)
	return frame, nil
}

// readFrame gives io.EOF only where a message may end.
func readFrame(r *bufio.Reader, framing string, most int) ([]byte, error) {
	var length uint64
	switch framing {
	case "line":
		return readLine(r, most)
	case "varint":
		for shift := 0; ; shift += 7 {
			b, err := r.ReadByte()
			if err != nil {
				return nil, within(err, shift > 0)
			}
			length |= uint64(b&0x7f) << shift
			if b < 0x80 {
				break
			}
			if shift >= 49 {
				return nil, &ProtocolError{7, "Cannot receive message: its length is above 2^53 - 1"}
			}
		}
	default:
		size, order := prefix(framing)
		var wide [8]byte
		at := 0
		if order == binary.BigEndian {
			at = 8 - size
		}
		n, err := io.ReadFull(r, wide[at:at+size])
		if err != nil {
			return nil, within(err, n > 0)
		}
		length = order.Uint64(wide[:])
	}
	if length > uint64(most) {
		return nil, &TooLargeError{fmt.Sprintf("Cannot receive message of %d bytes: limit is %d bytes", length, most)}
	}
	message := make([]byte, length)
	_, err := io.ReadFull(r, message)
	return message, within(err, true)
}

func readLine(r *bufio.Reader, most int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			line = line[:len(line)-1]
			line = bytes.TrimSuffix(line, []byte("\r"))
		}
		if len(line) > most {
			return nil, &TooLargeError{fmt.Sprintf("Cannot receive message of %d bytes: limit is %d bytes", len(line), most)}
		}
		if err == nil || (err == io.EOF && len(line) > 0) {
			return line, nil
		}
		if err != bufio.ErrBufferFull {
			return nil, err
		}
	}
}

// within tells the end of the stream within a message from one between messages.
func within(err error, isWithin bool) error {
	if err != nil && isWithin && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		return &LostError{State: "the stream ended within it, in a message"}
	}
	return err
}

// --- Plain connections ---

type plain struct {
	conn    net.Conn
	reader  *bufio.Reader
	options Options
	sending sync.Mutex
	reading sync.Mutex
	closed  sync.Once
	isOver  chan struct{}
	over    sync.Once
}

func (c *plain) end() chan struct{} {
	c.over.Do(func() { c.isOver = make(chan struct{}) })
	return c.isOver
}

func (c *plain) Send(message []byte) error {
	frame, err := encodeFrame(c.options.Framing, message)
	if err != nil {
		return err
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	if _, err = c.conn.Write(frame); err != nil {
		return c.failed(err)
	}
	return nil
}

func (c *plain) Receive() ([]byte, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	message, err := readFrame(c.reader, c.options.Framing, c.options.MaxMessageBytes)
	if err != nil && err != io.EOF {
		err = c.failed(err)
		c.Abort()
	}
	return message, err
}

func (c *plain) failed(err error) error {
	select {
	case <-c.end():
		return ErrClosed
	default:
	}
	switch err.(type) {
	case *LostError, *ProtocolError, *TooLargeError:
		return err
	}
	return &LostError{State: err.Error()}
}

func (c *plain) Flush() error { return nil }

func (c *plain) CloseWith(uint32, string) error { return c.Close() }

func (c *plain) Close() error {
	c.closed.Do(func() {
		half, can := c.conn.(interface{ CloseWrite() error })
		if can && half.CloseWrite() == nil {
			c.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			c.reading.Lock()
			io.Copy(io.Discard, c.reader)
			c.reading.Unlock()
		}
		close(c.end())
		c.conn.Close()
	})
	return nil
}

func (c *plain) Abort() {
	c.closed.Do(func() {
		close(c.end())
		conn := c.conn
		if secure, is := conn.(*tls.Conn); is {
			conn = secure.NetConn() // Its own Close tells the peer of an end in order.
		}
		if tcp, is := conn.(*net.TCPConn); is {
			tcp.SetLinger(0)
		}
		conn.Close()
	})
}

// --- Sessions ---

const (
	maxDataBytes = 65521 - 9
	ackDelay     = 25 * time.Millisecond
	lingerTime   = 5 * time.Second
)

// PeerEnd is what the peer of a session said at its end.
type PeerEnd struct {
	HasCode bool
	Code    uint32
	Reason  string
}

// Session is a connection that survives its sockets: each message arrives once and in order.
type Session struct {
	options Options
	dial    func(time.Duration) (net.Conn, error)
	mutex   sync.Mutex
	changed *sync.Cond // for the program: messages, acknowledgments, the end
	carrier *carrier

	id        [16]byte
	attempt   uint32
	resumes   int
	retention time.Duration
	drain     string
	isOver    bool
	over      chan struct{}
	isClosed  bool
	err       error

	// This end's stream: bytes from acked on, and the messages that are not acknowledged.
	out                                  []byte
	unacked                              []sentMessage
	written, acked, sent, maxSent, limit uint64
	end                                  *PeerEnd
	wantsAck                             bool
	askedAt                              int64
	// The peer's stream.
	inbox                             [][]byte
	inboxBytes                        int
	partial                           []byte
	received, toldReceived, toldLimit uint64
	peerEnd                           *PeerEnd
}

type sentMessage struct {
	end     uint64
	message []byte
}

// carrier is a socket of a session. Its fields belong to the session's mutex.
type carrier struct {
	conn      net.Conn
	isGreeted bool
	isEnding  bool
	isOrderly bool
	err       error
	pong      *uint32
	pings     uint32
	isAckDue  bool
	ackTimer  *time.Timer
	wantsPing bool
	heard     time.Time
	isDue     *sync.Cond // for the writer
	gone      chan struct{}
	greeted   chan struct{}
}

func openSession(dial func(time.Duration) (net.Conn, error), o Options) (Connection, error) {
	s := &Session{options: o, dial: dial, retention: o.RetentionTime, askedAt: -1, over: make(chan struct{})}
	s.changed = sync.NewCond(&s.mutex)
	opened := make(chan error, 1)
	go s.keep(opened)
	if err := <-opened; err != nil {
		return nil, err
	}
	return s, nil
}

// Resumes tells how often the session has continued on another socket.
func (s *Session) Resumes() int { s.mutex.Lock(); defer s.mutex.Unlock(); return s.resumes }

// DrainReason is not empty when the server asks for another session elsewhere.
func (s *Session) DrainReason() string { s.mutex.Lock(); defer s.mutex.Unlock(); return s.drain }

// PeerEnd is what the peer said at its end; nil before that.
func (s *Session) PeerEnd() *PeerEnd { s.mutex.Lock(); defer s.mutex.Unlock(); return s.peerEnd }

// Send sends a message. It waits while too many bytes are not acknowledged.
func (s *Session) Send(message []byte) error {
	frame, err := encodeFrame("u32be", message)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for s.written-s.acked >= uint64(s.options.MaxUnacknowledgedBytes) && !s.isClosed {
		s.wantsAck = true
		s.wake()
		s.changed.Wait()
	}
	if s.isClosed {
		return s.failure()
	}
	s.out = append(s.out, frame...)
	s.written += uint64(len(frame))
	s.unacked = append(s.unacked, sentMessage{s.written, frame[4:]})
	s.wake()
	return nil
}

// Receive gives the next message, and io.EOF at the end.
func (s *Session) Receive() ([]byte, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for len(s.inbox) == 0 {
		if s.err != nil || (s.isClosed && s.peerEnd == nil) {
			return nil, s.failure()
		}
		if s.peerEnd != nil {
			return nil, io.EOF
		}
		s.changed.Wait()
	}
	message := s.inbox[0]
	s.inbox[0] = nil
	s.inbox = s.inbox[1:]
	s.inboxBytes -= len(message) + 4
	if s.readLimit()-s.toldLimit >= uint64(s.options.Window/4) {
		s.wake()
	}
	return message, nil
}

// Flush waits until the peer has received everything.
func (s *Session) Flush() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for target := s.written; s.acked < target; s.changed.Wait() {
		if s.isOver {
			return s.failure()
		}
		s.wantsAck = true
		s.wake()
	}
	return nil
}

// Close ends this end's stream, and returns when both ends have ended and have everything.
func (s *Session) Close() error { return s.close(&PeerEnd{}) }

// CloseWith is Close with a code and a reason for the peer.
func (s *Session) CloseWith(code uint32, reason string) error {
	return s.close(&PeerEnd{true, code, reason})
}

func (s *Session) close(end *PeerEnd) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.isClosed = true
	s.inbox, s.inboxBytes = nil, 0
	if s.end == nil {
		s.end = end
	}
	s.wake()
	s.changed.Broadcast()
	for !s.isOver || s.carrier != nil {
		s.changed.Wait()
	}
	return s.err
}

// Abort ends the session at once, and tells the peer.
func (s *Session) Abort() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.reset(15, "the program aborted it", nil)
	for s.carrier != nil { // At most a second, for its last word.
		s.changed.Wait()
	}
}

func (s *Session) failure() error {
	if s.err != nil {
		return s.err
	}
	return ErrClosed
}

func (s *Session) wake() {
	if s.carrier != nil {
		s.carrier.isDue.Signal()
	}
}

// readLimit: what waits in the inbox is not read. The start of a message has left the window, and
// comes back with its end; but a limit never falls.
func (s *Session) readLimit() uint64 {
	received := s.received
	if s.peerEnd != nil {
		received--
	}
	if limit := received + uint64(s.options.Window) - uint64(s.inboxBytes); limit > s.toldLimit {
		return limit
	}
	return s.toldLimit
}

func (s *Session) isComplete() bool {
	return s.end != nil && s.acked == s.written+1 && s.peerEnd != nil
}

// keep makes a new carrier whenever the session has lost one.
func (s *Session) keep(opened chan error) {
	failures, expiry := 0, time.Now().Add(s.retention)
	isOpen := false
	for {
		s.mutex.Lock()
		progress := s.acked + s.received
		s.mutex.Unlock()
		timeout := s.options.ConnectTimeout
		if left := time.Until(expiry); left < timeout {
			timeout = left
		}
		if timeout <= 0 {
			timeout = time.Millisecond
		}
		var err error
		isOrderly := false
		conn, err := s.dial(timeout)
		if err == nil {
			c := &carrier{conn: conn, gone: make(chan struct{}), greeted: make(chan struct{})}
			c.isDue = sync.NewCond(&s.mutex)
			err = s.carry(c, func() {
				if !isOpen {
					isOpen = true
					opened <- nil
				}
			})
			s.mutex.Lock()
			isOrderly = c.isOrderly
			if c.isGreeted {
				expiry = time.Now().Add(s.retention)
			}
			s.mutex.Unlock()
		}
		refusal, isRefusal := err.(*RefusedError)
		s.mutex.Lock()
		if s.isComplete() && (isOrderly || isRefusal) {
			s.finish(nil)
		}
		if !isOpen {
			s.isOver, s.isClosed = true, true
			if !isRefusal {
				err = &ConnectError{err}
			}
			s.mutex.Unlock()
			opened <- err
			return
		}
		if isRefusal && refusal.Code != 4 && refusal.Code != 5 && refusal.Code != 6 && refusal.Code != 17 {
			s.lose(refusal.Code, refusal.Error())
		}
		if !time.Now().Before(expiry) {
			if s.peerEnd != nil && s.acked == s.written {
				s.finish(nil)
			} else {
				s.lose(16, "the peer stayed away for "+s.retention.String())
			}
		}
		failures++
		if s.acked+s.received > progress {
			failures = 1
		}
		isOver := s.isOver
		s.mutex.Unlock()
		if isOver {
			return
		}
		most := s.options.MaxRetryDelay
		if failures < 32 && s.options.MinRetryDelay<<(failures-1) < most {
			most = s.options.MinRetryDelay << (failures - 1)
		}
		wait, _ := rand.Int(rand.Reader, big.NewInt(int64(most)+1))
		timer := time.NewTimer(time.Duration(wait.Int64()))
		select {
		case <-timer.C:
		case <-s.over:
			timer.Stop()
			return
		}
	}
}

// carry lives on one carrier until that is lost. It gives the reason.
func (s *Session) carry(c *carrier, opened func()) error {
	s.mutex.Lock()
	if s.isOver {
		s.mutex.Unlock()
		c.conn.Close()
		return ErrClosed
	}
	s.carrier = c
	s.attempt++
	s.told(c)
	hello := []byte{1, 'L', 'W', 'S', 'P', 1}
	hello = append(hello, s.id[:]...)
	hello = binary.BigEndian.AppendUint64(hello, s.received)
	hello = binary.BigEndian.AppendUint64(hello, s.toldLimit)
	hello = binary.BigEndian.AppendUint32(hello, uint32(s.options.RetentionTime.Milliseconds()))
	hello = binary.BigEndian.AppendUint32(hello, s.attempt)
	s.mutex.Unlock()
	var first []byte
	if s.options.Token != "" {
		first, _ = encodeFrame(s.options.Framing, []byte(s.options.Token))
	}
	frame, _ := encodeFrame(s.options.Framing, hello)
	writing := make(chan struct{})
	go func() {
		defer close(writing)
		if _, err := c.conn.Write(append(first, frame...)); err == nil {
			s.write(c)
		}
	}()
	go s.read(c)
	timer := time.NewTimer(s.options.HelloTimeout)
	select {
	case <-c.greeted:
		opened()
	case <-c.gone:
	case <-timer.C:
		s.drop(c, &LostError{State: "no WELCOME came within " + s.options.HelloTimeout.String()})
	}
	timer.Stop()
	s.watch(c)
	<-c.gone
	c.conn.Close()
	s.mutex.Lock()
	s.carrier, s.askedAt = nil, -1
	c.isEnding = true
	c.isDue.Broadcast()
	s.told(c)
	s.changed.Broadcast()
	s.mutex.Unlock()
	<-writing
	return c.err
}

// watch asks a silent peer whether it is there, until the carrier is gone.
func (s *Session) watch(c *carrier) {
	isAsking, extensions := false, 0
	asked := time.Now()
	for {
		s.mutex.Lock()
		heard := c.heard
		s.mutex.Unlock()
		due := heard.Add(s.options.HeartbeatInterval)
		if isAsking && !heard.After(asked) {
			due = asked.Add(s.options.HeartbeatTimeout)
		} else {
			isAsking, extensions = false, 0
		}
		timer := time.NewTimer(time.Until(due))
		select {
		case <-c.gone:
			timer.Stop()
			return
		case <-timer.C:
		}
		s.mutex.Lock()
		isNews := c.heard.After(heard)
		s.mutex.Unlock()
		if isNews {
			continue
		}
		if isAsking {
			// If this process stood still, bytes of the peer may wait to be read.
			if extensions++; time.Since(due) <= s.options.HeartbeatTimeout/20 || extensions > 3 {
				s.drop(c, &LostError{State: "the peer is silent"})
				return
			}
		}
		isAsking, asked = true, time.Now()
		s.mutex.Lock()
		c.wantsPing = true
		s.wake()
		s.mutex.Unlock()
	}
}

// drop gives a carrier up.
func (s *Session) drop(c *carrier, err error) {
	s.mutex.Lock()
	if c.err == nil {
		c.err = err
	}
	s.mutex.Unlock()
	c.conn.Close()
}

func (s *Session) told(c *carrier) {
	s.toldReceived, s.toldLimit = s.received, s.readLimit()
	c.isAckDue = false
	if c.ackTimer != nil {
		c.ackTimer.Stop()
		c.ackTimer = nil
	}
}

// write sends what can be sent, and waits for more. All that is there leaves in one write.
func (s *Session) write(c *carrier) {
	for {
		s.mutex.Lock()
		var batch []byte
		for {
			batch = s.next(c)
			if len(batch) > 0 || c.isEnding {
				break
			}
			c.isDue.Wait()
		}
		isLast := c.isEnding
		s.mutex.Unlock()
		if len(batch) > 0 {
			if _, err := c.conn.Write(batch); err != nil {
				return
			}
		}
		if isLast {
			if half, can := c.conn.(interface{ CloseWrite() error }); can {
				half.CloseWrite()
			}
			c.conn.SetReadDeadline(time.Now().Add(lingerTime))
			return
		}
	}
}

// next gives the frames that can be sent now, at most some of them.
func (s *Session) next(c *carrier) (batch []byte) {
	add := func(fields ...interface{}) {
		frame := &bytes.Buffer{}
		for _, field := range fields {
			binary.Write(frame, binary.BigEndian, field)
		}
		framed, _ := encodeFrame(s.options.Framing, frame.Bytes())
		batch = append(batch, framed...)
	}
	if !c.isGreeted || c.isEnding {
		return nil
	}
	if s.isOver {
		c.isEnding = true
		if lost, is := s.err.(*LostError); s.err != nil && (!is || lost.Code != 0) {
			add(uint8(9), uint16(s.resetCode()), []byte(clean(s.err.Error(), 1000)))
		}
		return
	}
	received, limit := s.received-s.toldReceived, s.readLimit()-s.toldLimit
	quarter := uint64(s.options.Window / 4)
	if received >= quarter || limit >= quarter || c.isAckDue || (c.pong != nil && received+limit > 0) {
		s.told(c)
		add(uint8(5), s.toldReceived, s.toldLimit)
	}
	if c.pong != nil {
		add(uint8(7), *c.pong)
		c.pong = nil
	}
	isBlocked := false
	for s.sent < s.written && len(batch) < 256*1024 {
		wanted := least(s.written-s.sent, maxDataBytes)
		size := uint64(0)
		if s.limit > s.sent {
			size = least(wanted, s.limit-s.sent)
		}
		if size < least(wanted, 16384) && (size == 0 || s.sent > s.acked) {
			// Little credit is not worth a frame while more credit is expected.
			isBlocked = s.sent-s.acked < (s.limit-s.acked)/3
			break
		}
		at := s.sent - s.acked
		add(uint8(4), s.sent, s.out[at:at+size])
		s.sent += size
	}
	if s.end != nil && s.sent == s.written {
		flags := uint8(0)
		if s.end.HasCode {
			flags = 1
		}
		add(uint8(8), s.sent, flags, s.end.Code, []byte(clean(s.end.Reason, 1000)))
		s.sent++
	}
	if s.sent > s.maxSent {
		s.maxSent = s.sent
	}
	isAsked := false
	if isBlocked || (s.wantsAck && s.sent >= s.written) {
		if s.sent >= s.written {
			s.wantsAck = false
		}
		isAsked = s.askedAt != int64(s.sent)
		s.askedAt = int64(s.sent)
	}
	if isAsked || c.wantsPing {
		c.wantsPing = false
		c.pings++
		add(uint8(6), c.pings)
	}
	if s.isComplete() && s.toldReceived == s.received {
		c.isEnding = true
	}
	return
}

func (s *Session) resetCode() int {
	switch err := s.err.(type) {
	case *ProtocolError:
		return err.Code
	case *LostError:
		return err.Code
	}
	return 15
}

// read takes frames until the carrier is lost.
func (s *Session) read(c *carrier) {
	defer close(c.gone)
	reader := bufio.NewReaderSize(c.conn, 128*1024)
	for {
		frame, err := readFrame(reader, s.options.Framing, 65536)
		s.mutex.Lock()
		if err != nil {
			_, isTooLarge := err.(*TooLargeError)
			if isTooLarge && c.isGreeted {
				s.reset(10, err.Error(), &ProtocolError{10, err.Error()})
			}
			c.isOrderly = err == io.EOF
			if err == io.EOF {
				err = &LostError{State: "the server closed the carrier"}
			}
			if c.err == nil {
				c.err = err
			}
			s.mutex.Unlock()
			return
		}
		c.heard = time.Now()
		if !s.isOver {
			wrong := s.take(c, frame)
			if wrong != nil && c.isGreeted {
				s.reset(wrong.Code, wrong.Text, wrong)
			} else if wrong != nil {
				c.err = &ProtocolError{wrong.Code, "Cannot use carrier: the server does not speak of sessions: " + wrong.Text}
			}
		}
		isLost := c.err != nil
		s.wake()
		s.changed.Broadcast()
		s.mutex.Unlock()
		if isLost {
			return
		}
	}
}

func violation(code int, form string, values ...interface{}) *ProtocolError {
	return &ProtocolError{code, "Cannot receive session frame: " + fmt.Sprintf(form, values...)}
}

// lengths of the frames' fields, by type; and whether a text follows.
var lengths = [...]struct {
	bytes   int
	hasText bool
}{2: {39, false}, 3: {3, true}, 4: {9, true}, 5: {17, false}, 6: {5, false}, 7: {5, false}, 8: {14, true}, 9: {3, true}, 10: {1, true}}

func (s *Session) take(c *carrier, frame []byte) *ProtocolError {
	kind := 0
	if len(frame) > 0 {
		kind = int(frame[0])
	}
	if !c.isGreeted && kind != 2 && kind != 3 && kind != 9 {
		return violation(9, "no WELCOME came before it")
	}
	if kind == 0 || kind >= len(lengths) {
		return violation(8, "there is no type %d", kind)
	}
	if kind == 1 || (kind == 2 && c.isGreeted) {
		return violation(9, "the greeting is over")
	}
	if kind == 2 && len(frame) > 1 && frame[1] != 1 {
		return violation(1, "the server speaks version %d, this end 1", frame[1])
	}
	rule := lengths[kind]
	if len(frame) < rule.bytes || (len(frame) > rule.bytes && !rule.hasText) {
		return violation(7, "%d bytes are too few or too many", len(frame))
	}
	text := frame[rule.bytes:]
	if kind != 4 && (len(text) > 1000 || !utf8.Valid(text)) {
		return violation(7, "its text is above 1000 bytes, or is not UTF-8")
	}
	wide := func(at int) uint64 { return binary.BigEndian.Uint64(frame[at:]) }
	isTooMuch := false
	for _, at := range map[int][]int{2: {19, 27}, 4: {1}, 5: {1, 9}, 8: {1}}[kind] {
		isTooMuch = isTooMuch || wide(at) >= 1<<53
	}
	if isTooMuch {
		return violation(7, "a number is above 2^53 - 1")
	}
	switch kind {
	case 2:
		return s.welcome(c, frame[2]&1 != 0, frame[3:19], wide(19), wide(27), binary.BigEndian.Uint32(frame[35:]))
	case 3:
		c.err = &RefusedError{int(binary.BigEndian.Uint16(frame[1:])), string(text)}
	case 4:
		return s.data(c, wide(1), text)
	case 5:
		return s.acknowledged(wide(1), wide(9))
	case 6:
		token := binary.BigEndian.Uint32(frame[1:])
		c.pong = &token
	case 8:
		return s.ended(c, wide(1), frame[9]&1 != 0, binary.BigEndian.Uint32(frame[10:]), string(text))
	case 9:
		s.lose(int(binary.BigEndian.Uint16(frame[1:])), "the peer ended it: "+string(text))
		c.isEnding = true
	case 10:
		s.drain = string(text)
	}
	return nil
}

func (s *Session) welcome(c *carrier, isResumed bool, id []byte, received, limit uint64, retention uint32) *ProtocolError {
	if isResumed != (s.id != [16]byte{}) || (isResumed && !bytes.Equal(id, s.id[:])) {
		return violation(9, "it is of another session")
	}
	copy(s.id[:], id)
	if theirs := time.Duration(retention) * time.Millisecond; theirs < s.retention {
		s.retention = theirs
	}
	if isResumed {
		s.resumes++
	}
	c.isGreeted, c.wantsPing = true, true
	close(c.greeted)
	if received < s.acked {
		return violation(12, "%d were acknowledged before, now %d", s.acked, received)
	}
	if wrong := s.acknowledged(received, limit); wrong != nil {
		return wrong
	}
	s.sent = received
	return nil
}

func (s *Session) data(c *carrier, offset uint64, content []byte) *ProtocolError {
	end := offset + uint64(len(content))
	switch {
	case len(content) == 0:
		return violation(7, "it is empty")
	case offset > s.received:
		return violation(11, "byte %d comes after %d", offset, s.received)
	case s.peerEnd != nil && end >= s.received:
		return violation(14, "bytes follow the end")
	case end > s.toldLimit:
		return violation(13, "byte %d is beyond the limit %d", end, s.toldLimit)
	}
	if end > s.received {
		s.partial = append(s.partial, content[s.received-offset:]...)
		s.received = end
		if wrong := s.messages(); wrong != nil {
			return wrong
		}
	}
	if c.ackTimer == nil {
		c.ackTimer = time.AfterFunc(ackDelay, func() {
			s.mutex.Lock()
			defer s.mutex.Unlock()
			c.isAckDue = true
			c.isDue.Signal()
		})
	}
	return nil
}

// messages takes whole messages out of the bytes that were received.
func (s *Session) messages() *ProtocolError {
	at := 0
	for len(s.partial)-at >= 4 {
		length := int(binary.BigEndian.Uint32(s.partial[at:]))
		if length > s.options.MaxMessageBytes {
			return &ProtocolError{15, fmt.Sprintf("Cannot receive message of %d bytes: limit is %d bytes", length, s.options.MaxMessageBytes)}
		}
		if len(s.partial)-at-4 < length {
			break
		}
		at += 4
		if !s.isClosed {
			s.inbox = append(s.inbox, append([]byte{}, s.partial[at:at+length]...))
			s.inboxBytes += 4 + length
		}
		at += length
	}
	s.partial = s.partial[:copy(s.partial, s.partial[at:])]
	return nil
}

func (s *Session) ended(c *carrier, offset uint64, hasCode bool, code uint32, text string) *ProtocolError {
	if offset > s.received {
		return violation(11, "the end %d comes after %d", offset, s.received)
	}
	if s.peerEnd == nil && offset == s.received {
		s.peerEnd = &PeerEnd{hasCode, code, text}
		s.received++
		if len(s.partial) > 0 && !s.isClosed {
			s.err = &LostError{State: "the stream ended within it, in a message"}
		}
	} else if s.peerEnd == nil || offset != s.received-1 {
		return violation(14, "it ended at %d and went on to %d", offset, s.received)
	}
	c.isAckDue = true
	return nil
}

func (s *Session) acknowledged(received, limit uint64) *ProtocolError {
	if received > s.maxSent {
		return violation(12, "%d bytes are acknowledged, %d were sent", received, s.maxSent)
	}
	if limit > s.limit {
		s.limit = limit
	}
	if received > s.acked {
		s.out = s.out[least(received-s.acked, uint64(len(s.out))):]
		s.acked = received
		for len(s.unacked) > 0 && s.unacked[0].end <= received {
			s.unacked[0].message = nil
			s.unacked = s.unacked[1:]
		}
	}
	return nil
}

// reset ends the session at once. The writer tells the peer if that is possible.
func (s *Session) reset(code int, text string, cause error) {
	if s.isOver {
		return
	}
	if cause == nil {
		s.lose(code, text)
	} else {
		s.finish(cause)
	}
	if c := s.carrier; c != nil {
		if c.isGreeted {
			c.conn.SetReadDeadline(time.Now().Add(time.Second))
		} else {
			c.conn.Close()
		}
	}
}

func (s *Session) lose(code int, state string) {
	messages := make([][]byte, 0, len(s.unacked))
	for _, sent := range s.unacked {
		messages = append(messages, sent.message)
	}
	s.finish(&LostError{code, state, messages})
}

func (s *Session) finish(err error) {
	if s.isOver {
		return
	}
	s.isOver, s.isClosed = true, true
	close(s.over)
	if s.err == nil {
		s.err = err
	}
	s.wake()
	s.changed.Broadcast()
}

func least(a, b uint64) uint64 {
	if a < b {
		return a
	}
	return b
}

// clean cuts a text before the character that does not fit.
func clean(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
