"""A client of Lengthwise for asyncio: messages, sessions, requests and streams.

One file for Python 3.9 and newer, without dependencies: copy it beside your program.

    async with await lengthwise.connect("tcp://127.0.0.1:7000?session=1") as connection:
        await connection.send("hello")
        async for message in connection:
            print(message.decode())

Endpoints are `tcp://HOST:PORT`, `tls://HOST:PORT` and `unix:PATH`. `?framing=` names the framing:
`u8`, `u16be` to `u64le`, `varint` or `line`; the default is `u32be`. `?session=1` asks for a
session, which survives the loss of its sockets. Times are seconds, sizes are bytes.

docs/protocol.md and docs/requests.md of Lengthwise describe every byte.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import random
import socket
import ssl
import struct
from collections import deque
from typing import (Any, AsyncIterable, AsyncIterator, Awaitable, Callable, Deque, Dict, Iterable,
                    List, Mapping, Optional, Set, Tuple, Union)
from urllib.parse import parse_qs, urlsplit

Message = Union[bytes, bytearray, memoryview, str]


class LengthwiseError(Exception):
    """The base of all errors here."""


class ConnectError(LengthwiseError):
    """The connection or session could not be opened."""


class ConnectionClosedError(LengthwiseError):
    """This end has closed the connection."""


class ConnectionLostError(LengthwiseError):
    """The network or the peer has failed."""


class ProtocolError(LengthwiseError):
    """The peer broke the rules."""


class MessageTooLargeError(ProtocolError):
    """A message is above the limit, or too long for the framing."""


class SessionRefusedError(LengthwiseError):
    """The server refuses the session. `code` is one of docs/protocol.md."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"Cannot open session: the server refused it: {text}")
        self.code = code
        self.is_retriable = code in (4, 5, 6, 17)


class SessionLostError(ConnectionLostError):
    """The session is over. `messages` are those that the peer has not acknowledged."""

    def __init__(self, code: int, state: str, messages: List[bytes]) -> None:
        count = len(messages)
        super().__init__(f"Cannot go on with session: {state}; {count} messages not acknowledged")
        self.code = code
        self.messages = messages


class RequestError(LengthwiseError):
    """An answer that is an error. Handlers raise it to answer with one."""

    def __init__(self, code: str, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class _Violation(ProtocolError):
    """What the other end of a session did wrong."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"Cannot receive session frame: {text}")
        self.code = code


# --- Framings ---------------------------------------------------------------------------------

_PREFIXES: Dict[str, Tuple[int, Any]] = {"u8": (1, "big")}
for _bits in (16, 24, 32, 64):
    _PREFIXES[f"u{_bits}be"] = (_bits // 8, "big")
    _PREFIXES[f"u{_bits}le"] = (_bits // 8, "little")


class _Framing:
    """Turns messages into frames, and a buffer of bytes into messages."""

    def __init__(self, name: str, max_bytes: int) -> None:
        if name not in _PREFIXES and name not in ("varint", "line"):
            raise ValueError(f"Cannot use framing {name}: there is u8 to u64le, varint, and line")
        self.name = name
        self.max_bytes = max_bytes
        self._size, self._order = _PREFIXES.get(name, (0, "big"))

    def encode(self, message: bytes) -> bytes:
        if self.name == "line":
            if b"\n" in message or b"\r" in message:
                raise ValueError("Cannot send message: a line cannot contain line ends")
            return message + b"\n"
        if self.name == "varint":
            return _varint(len(message)) + message
        if len(message) >= 1 << 8 * self._size:
            raise MessageTooLargeError(
                f"Cannot send message of {len(message)} bytes: too long for {self.name}")
        return len(message).to_bytes(self._size, self._order) + message

    def decode(self, buffer: bytearray) -> List[bytes]:
        """Takes all whole messages out of the buffer."""
        messages: List[bytes] = []
        at = 0
        while True:
            start, end, following = self._find(buffer, at)
            if end - start > self.max_bytes:
                raise MessageTooLargeError(f"Cannot receive message of {end - start} bytes: "
                                           f"limit is {self.max_bytes} bytes")
            if following < 0 or following > len(buffer):
                break
            messages.append(bytes(buffer[start:end]))
            at = following
        del buffer[:at]
        return messages

    def _find(self, buffer: bytearray, at: int) -> Tuple[int, int, int]:
        """Where the next message starts and ends, and where the one after it starts."""
        if self.name == "line":
            end = buffer.find(b"\n", at)
            if end < 0:
                return at, len(buffer), -1
            return at, end - (end > at and buffer[end - 1] == 13), end + 1
        start, length = at + self._size, 0
        if self.name == "varint":
            try:
                length, start = _read_varint(buffer, at)
            except IndexError:
                return 0, 0, -1
        elif start > len(buffer):
            return 0, 0, -1
        else:
            length = int.from_bytes(buffer[at:start], self._order)
        return start, start + length, start + length


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(buffer: Union[bytes, bytearray], at: int) -> Tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        byte = buffer[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value < 1 << 53:
                return value, at
            break
    raise ProtocolError("Cannot read message: a number is above 2^53 - 1")


# --- Connections ------------------------------------------------------------------------------

class _Signal:
    """Wakes everybody who waits for a change."""

    def __init__(self) -> None:
        self._waiting: List[asyncio.Future[None]] = []

    async def wait(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def fire(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class _Carrier(asyncio.Protocol):
    """A socket with a framing."""

    def __init__(self, framing: _Framing) -> None:
        self.framing = framing
        self.is_full = False
        self.is_at_end = self.is_orderly = False
        self.closed: asyncio.Future[Optional[Exception]] = \
            asyncio.get_running_loop().create_future()
        self.took: Optional[Callable[[List[bytes]], None]] = None
        self.changed: Callable[[], None] = lambda: None
        self.error: Optional[Exception] = None
        self._is_ending = False
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self, took: Callable[[List[bytes]], None], changed: Callable[[], None]) -> None:
        """Somebody takes the messages from now on, also those that came before."""
        self.took, self.changed = took, changed
        self.data_received(b"")
        if self.is_at_end:
            self._finish()
        changed()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self.error is not None or self.took is None:
            return
        try:
            messages = self.framing.decode(self._buffer)
        except ProtocolError as error:
            self.fail(error)
        else:
            if messages:
                self.took(messages)

    def eof_received(self) -> bool:
        self.is_at_end = True
        if self.took is not None:
            self._finish()
        return not self._is_ending and self.transport.can_write_eof()

    def _finish(self) -> None:
        assert self.took is not None
        self.is_orderly = not self._buffer
        if self._buffer and self.framing.name == "line":
            self.is_orderly = True
            self.took([bytes(self._buffer)])
        elif self._buffer:
            self.fail(ConnectionLostError("Cannot receive message: the stream ended within it"))
        self.changed()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        self.is_full = False
        self.error = self.error or exc
        if not self.closed.done():
            self.closed.set_result(self.error)
        self.changed()

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        self.changed()

    def write(self, *messages: bytes) -> None:
        if messages and not self.transport.is_closing():
            self.transport.write(b"".join(map(self.framing.encode, messages)))

    def fail(self, error: Exception) -> None:
        """Gives the socket up."""
        self.error = self.error or error
        self.transport.abort()

    def end(self, linger: float) -> None:
        """Closes in order; waits for the peer's end, but not for long."""
        if self._is_ending:
            return
        self._is_ending = True
        if self.is_orderly or not self.transport.can_write_eof():
            self.transport.close()
        else:
            self.transport.write_eof()
        # Over TLS, closing waits for the peer's end, too.
        asyncio.get_running_loop().call_later(linger, self.transport.abort)


class Connection:
    """A connection. `send()` waits while the peer is slow; iterating gives whole messages."""

    def __init__(self, carrier: Optional[_Carrier], window: int) -> None:
        self._carrier = carrier
        self._window = window
        self._changed = _Signal()
        self._sending = asyncio.Lock()
        self._inbox: Deque[bytes] = deque()
        self._inbox_bytes = 0
        self._is_ended = False
        self._is_closed = False
        self._error: Optional[Exception] = None
        if carrier is not None:
            carrier.start(self._take, self._check)

    async def send(self, message: Message) -> None:
        """Sends a message. A cancelled `send()` has sent nothing."""
        content = _bytes(message)
        if self._sending.locked() or self._is_full():
            async with self._sending:
                while self._is_full():
                    self._room_wanted()
                    await self._changed.wait()
        self.offer(content)

    def offer(self, message: Message) -> None:
        """Sends a message without waiting for a slow peer: memory has to hold it."""
        if self._is_closed or self._error is not None:
            raise self._error or ConnectionClosedError("Cannot send: connection is closed")
        self._write(_bytes(message))

    async def receive(self) -> Optional[bytes]:
        """The next message; None at the end."""
        while not self._inbox:
            if self._error is not None:
                raise self._error
            if self._is_ended or self._is_closed:
                return None
            await self._changed.wait()
        message = self._inbox.popleft()
        self._inbox_bytes -= len(message) + 4
        self._read()
        return message

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        message = await self.receive()
        if message is None:
            raise StopAsyncIteration
        return message

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            await self.close()
        else:
            await self.abort()

    async def flush(self) -> None:
        """Of a session: returns when the peer has received everything."""

    async def close(self, code: Optional[int] = None, reason: str = "") -> None:
        """Closes in order. What was not received is dropped. Only sessions tell code and reason."""
        carrier = self._carrier
        assert carrier is not None
        self._is_closed = True
        carrier.transport.resume_reading() if not carrier.transport.is_closing() else None
        carrier.end(5)
        self._changed.fire()
        await asyncio.shield(carrier.closed)

    async def abort(self) -> None:
        """Ends at once. What was not sent is dropped."""
        self._is_closed = True
        if self._carrier is not None:
            self._carrier.transport.abort()
            await asyncio.shield(self._carrier.closed)

    # What a session does in another way.

    def _is_full(self) -> bool:
        assert self._carrier is not None
        return self._carrier.is_full and not self._is_closed

    def _room_wanted(self) -> None:
        pass

    def _write(self, message: bytes) -> None:
        assert self._carrier is not None
        self._carrier.write(message)

    def _take(self, messages: List[bytes]) -> None:
        if self._is_closed:
            return
        self._inbox.extend(messages)
        self._inbox_bytes += sum(map(len, messages)) + 4 * len(messages)
        if self._carrier is not None and self._inbox_bytes > self._window:
            self._carrier.transport.pause_reading()
        self._changed.fire()

    def _read(self) -> None:
        assert self._carrier is not None
        if self._inbox_bytes <= self._window // 2 and not self._carrier.transport.is_closing():
            self._carrier.transport.resume_reading()

    def _check(self) -> None:
        carrier = self._carrier
        assert carrier is not None
        self._is_ended |= carrier.is_orderly
        if carrier.closed.done() and not self._is_closed and self._error is None:
            error = carrier.closed.result()
            if isinstance(error, LengthwiseError):
                self._error = error
            elif error is not None or not self._is_ended:
                self._error = ConnectionLostError(f"Cannot go on with connection: {error}")
            else:
                self._is_closed = True
        self._changed.fire()


def _bytes(message: Message) -> bytes:
    return message.encode() if isinstance(message, str) else bytes(message)


# --- Sessions ---------------------------------------------------------------------------------

_MAX_DATA = 65521 - 9
_MAX_BATCH = 256 << 10


class Session(Connection):
    """A connection that survives its sockets: each message arrives once and in order."""

    def __init__(self, dial: Callable[[], Awaitable[_Carrier]], max_message_bytes: int, *,
                 token: Optional[Message] = None, connect_timeout: float = 10,
                 retention_time: float = 120, max_unacknowledged_bytes: int = 8 << 20,
                 window: int = 1 << 20, heartbeat_interval: float = 25,
                 heartbeat_timeout: float = 20, hello_timeout: float = 10,
                 retry_delays: Tuple[float, float] = (0.5, 30)) -> None:
        super().__init__(None, window)
        self.resumes = 0
        """How often the session has continued on another socket."""
        self.peer_end: Optional[Tuple[Optional[int], str]] = None
        """The code and the reason with which the peer has ended."""
        self.drain_reason: Optional[str] = None
        """Set when the server asks for another session elsewhere."""
        self._dial, self._token, self._connect_timeout = dial, token, connect_timeout
        self._retention, self._max_unacked = retention_time, max_unacknowledged_bytes
        self._heartbeat, self._hello_timeout = (heartbeat_interval, heartbeat_timeout), hello_timeout
        self._retry_delays = retry_delays
        self._framing = _Framing("u32be", max_message_bytes)
        self._partial = bytearray()
        self._id, self._attempt, self._ping_token = bytes(16), 0, 0
        # This end's stream: bytes from `acked` on, and the messages that are not acknowledged.
        self._out = bytearray()
        self._unacked: Deque[Tuple[int, bytes]] = deque()
        self._written = self._acked = self._sent = self._max_sent = self._limit = 0
        self._end: Optional[Tuple[Optional[int], str]] = None
        # The peer's stream.
        self._received = self._told_received = self._told_limit = 0
        self._pong: Optional[int] = None
        self._wants_ack = self._is_ack_due = self._is_pumping = False
        self._asked_at = -1
        self._ack_timer: Optional[asyncio.TimerHandle] = None
        self._is_over = False
        self._due, self._is_asking = 0.0, False
        self._greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def _open(self) -> Session:
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeping = asyncio.ensure_future(self._keep(opened))

        def kept(task: asyncio.Future[None]) -> None:
            error = None if task.cancelled() else task.exception()
            if error is not None and isinstance(error, Exception):
                self._finish(error)
                if not opened.done():
                    opened.set_exception(error)

        self._keeping.add_done_callback(kept)
        try:
            await opened
        except asyncio.CancelledError:
            await self.abort()
            raise
        return self

    async def flush(self) -> None:
        target = self._written
        while self._acked < target:
            if self._error is not None:
                raise self._error
            self._room_wanted()
            await self._changed.wait()

    async def close(self, code: Optional[int] = None, reason: str = "") -> None:
        """Ends this end's stream, and returns when both ends have ended and have everything."""
        self._is_closed = True
        self._inbox.clear()
        self._inbox_bytes = 0
        if self._end is None:
            self._end = (code, reason)
        self._pump()
        self._changed.fire()
        while not self._is_over:
            await self._changed.wait()
        if self._error is not None:
            raise self._error

    async def abort(self) -> None:
        self._is_closed = True
        self._reset(15, "the program aborted it")
        await asyncio.wait({self._keeping})

    def _is_full(self) -> bool:
        return self._written - self._acked >= self._max_unacked and self._error is None

    def _room_wanted(self) -> None:
        self._wants_ack = True
        self._pump_soon()

    def _write(self, message: bytes) -> None:
        frame = self._framing.encode(message)
        self._out += frame
        self._written += len(frame)
        self._unacked.append((self._written, message))
        self._pump_soon()

    def _read(self) -> None:
        if self._read_limit() - self._told_limit >= self._window // 4:
            self._pump_soon()

    def _read_limit(self) -> int:
        """What waits in the inbox is not read. The start of a message has left the window, and
        comes back with its end; but a limit never falls."""
        received = self._received - (self.peer_end is not None)
        return max(self._told_limit, received - self._inbox_bytes + self._window)

    def _is_complete(self) -> bool:
        return self._end is not None and self._acked == self._written + 1 and \
            self.peer_end is not None

    async def _keep(self, opened: asyncio.Future[None]) -> None:
        """Makes a new carrier whenever the session has lost one."""
        loop = asyncio.get_running_loop()
        failures, expiry = 0, loop.time() + self._retention
        while True:
            progress = self._acked + self._received
            error: Exception
            is_orderly = False
            try:
                time_left = max(0.001, expiry - loop.time())
                dialled = self._dial()
                carrier = await asyncio.wait_for(dialled, min(self._connect_timeout, time_left))
                error = await self._carry(carrier, opened)
                is_orderly = carrier.is_orderly
            except (OSError, LengthwiseError, asyncio.TimeoutError) as failure:
                error = failure
            if self._greeted.done():
                self._greeted = loop.create_future()
                expiry = loop.time() + self._retention
            refusal = error if isinstance(error, SessionRefusedError) else None
            if self._is_complete() and (is_orderly or refusal is not None):
                self._finish(None)
            if self._is_over:
                if not opened.done():
                    opened.set_exception(self._error or error)
                return
            if not opened.done():
                self._is_over = True
                reason = str(error) or "it took too long"
                opened.set_exception(refusal or ConnectError(f"Cannot connect: {reason}"))
                return
            failures = 1 if self._acked + self._received > progress else failures + 1
            least, most = self._retry_delays
            wait = random.random() * min(most, least * 2 ** min(failures - 1, 32))
            if refusal is not None and not refusal.is_retriable:
                self._lose(refusal.code, str(refusal))
            elif loop.time() >= expiry:
                if self.peer_end is not None and self._acked == self._written:
                    self._finish(None)
                else:
                    self._lose(16, f"the peer stayed away for {self._retention} s")
            else:
                await asyncio.sleep(min(wait, max(0, expiry - loop.time())))
            if self._is_over:
                return

    async def _carry(self, carrier: _Carrier, opened: asyncio.Future[None]) -> Exception:
        """Lives on one carrier until that is lost. Gives the reason."""
        loop = asyncio.get_running_loop()
        self._carrier = carrier
        carrier.start(self._take, lambda: carrier.end(1) if carrier.is_orderly else self._pump())
        try:
            if self._is_over:
                return ConnectionClosedError("Cannot go on with session: it is over")
            if self._token is not None:
                carrier.write(_bytes(self._token))
            self._attempt += 1
            self._told()
            carrier.write(struct.pack(">B4sB16sQQII", 1, b"LWSP", 1, self._id, self._received,
                                      self._told_limit, int(self._retention * 1000), self._attempt))
            waiting: Set[asyncio.Future[Any]] = {carrier.closed, self._greeted}
            await asyncio.wait(waiting, timeout=self._hello_timeout,
                               return_when=asyncio.FIRST_COMPLETED)
            if not self._greeted.done() and not carrier.closed.done():
                return ConnectionLostError(f"Cannot use carrier: no WELCOME came within "
                                           f"{self._hello_timeout} s")
            if self._greeted.done() and not opened.done() and not self._is_over:
                opened.set_result(None)
            extensions, (interval, timeout) = 0, self._heartbeat
            while not carrier.closed.done():
                await asyncio.wait({carrier.closed}, timeout=max(0, self._due - loop.time()))
                late = loop.time() - self._due
                if carrier.closed.done() or late < 0:
                    continue
                if self._is_asking:
                    # If this process stood still, bytes of the peer may wait to be read.
                    extensions = extensions + 1 if late > timeout / 20 else 4
                    if extensions > 3:
                        return ConnectionLostError("Cannot use carrier: the peer is silent")
                else:
                    extensions = 0
                self._is_asking = True
                self._due = loop.time() + timeout
                carrier.write(self._ping())
            return carrier.closed.result() or ConnectionLostError(
                "Cannot go on with session: the server closed the carrier")
        finally:
            carrier.transport.abort()
            self._carrier, self._pong, self._asked_at, self._is_ack_due = None, None, -1, False

    def _ping(self) -> bytes:
        self._ping_token = self._ping_token + 1 & 0xFFFFFFFF
        return struct.pack(">BI", 6, self._ping_token)

    def _told(self) -> None:
        self._told_received, self._told_limit = self._received, self._read_limit()
        self._is_ack_due = False
        if self._ack_timer is not None:
            self._ack_timer.cancel()
            self._ack_timer = None

    def _ack_later(self) -> None:
        self._ack_timer = None
        self._is_ack_due = True
        self._pump()

    def _pump_soon(self) -> None:
        """All that is written in one turn of the event loop leaves together."""
        if not self._is_pumping and self._carrier is not None:
            self._is_pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        """Sends what can be sent now, at most some of it. It leaves in one write: a TLS transport
        whose socket has failed does not say so before the next turn of the event loop."""
        self._is_pumping = False
        carrier = self._carrier
        if carrier is None or not self._greeted.done() or self._is_over:
            return
        received, limit = self._received - self._told_received, self._read_limit() - self._told_limit
        batch: List[bytes] = []
        is_much = max(received, limit) >= self._window // 4
        if is_much or self._is_ack_due or (self._pong is not None and (received or limit)):
            self._told()
            batch.append(struct.pack(">BQQ", 5, self._told_received, self._told_limit))
        if self._pong is not None:
            batch.append(struct.pack(">BI", 7, self._pong))
            self._pong = None
        is_blocked = False
        most = self._sent + _MAX_BATCH
        while not carrier.is_full and self._sent < min(self._written, most):
            wanted = min(self._written - self._sent, _MAX_DATA)
            size = min(wanted, self._limit - self._sent)
            if size < min(wanted, 16384) and (size <= 0 or self._sent > self._acked):
                # Little credit is not worth a frame while more credit is expected.
                is_blocked = self._sent - self._acked < (self._limit - self._acked) / 3
                break
            at = self._sent - self._acked
            batch.append(struct.pack(">BQ", 4, self._sent) + bytes(self._out[at:at + size]))
            self._sent += size
        if self._end is not None and self._sent == self._written and not carrier.is_full:
            code, reason = self._end
            text = reason.encode()[:1000].decode(errors="ignore").encode()
            batch.append(struct.pack(">BQBI", 8, self._sent, code is not None, code or 0) + text)
            self._sent += 1
        self._max_sent = max(self._max_sent, self._sent)
        if is_blocked or (self._wants_ack and self._sent >= self._written):
            self._wants_ack = self._wants_ack and self._sent < self._written
            if self._asked_at != self._sent:
                self._asked_at = self._sent
                batch.append(self._ping())
        carrier.write(*batch)
        if most <= self._sent < self._written:
            self._pump_soon()
        if self._is_complete():
            carrier.end(5)

    def _take(self, messages: List[bytes]) -> None:
        carrier = self._carrier
        if carrier is None or self._is_over:
            return
        self._due, self._is_asking = asyncio.get_running_loop().time() + self._heartbeat[0], False
        try:
            for frame in messages:
                if not self._is_over:
                    self._frame(carrier, frame)
        except _Violation as error:
            if self._greeted.done():
                self._reset(error.code, str(error), error)
            else:
                carrier.fail(ProtocolError(
                    f"Cannot use carrier: the server does not speak of sessions: {error}"))
        except MessageTooLargeError as error:
            self._reset(15, str(error), error)
        self._pump()
        self._changed.fire()

    def _frame(self, carrier: _Carrier, frame: bytes) -> None:
        kind = frame[0] if frame else 0
        if not self._greeted.done() and kind not in (2, 3, 9):
            raise _Violation(9, "no WELCOME came before it")
        if kind == 2:
            if frame[1:2] != b"\x01":
                raise _Violation(1, f"the server speaks version {frame[1:2].hex()}, this end 1")
            flags, identity, received, limit, retention = _unpack(">xxB16sQQI", frame, False)
            is_resumed = bool(flags & 1)
            if self._greeted.done() or is_resumed != any(self._id) or \
                    (is_resumed and identity != self._id):
                raise _Violation(9, "the greeting is over, or it is of another session")
            self._id, self._retention = identity, min(self._retention, retention / 1000)
            self.resumes += is_resumed
            self._greeted.set_result(None)
            if received < self._acked:
                raise _Violation(12, f"{self._acked} were acknowledged before, now {received}")
            self._acknowledged(received, limit)
            self._sent = received
            carrier.write(self._ping())
        elif kind == 3:
            code, = _unpack(">xH", frame, True)
            carrier.fail(SessionRefusedError(code, _text(frame[3:])))
        elif kind == 4:
            offset, = _unpack(">xQ", frame[:9], False)
            self._data(offset, frame[9:])
        elif kind == 5:
            self._acknowledged(*_unpack(">xQQ", frame, False))
        elif kind == 6:
            self._pong, = _unpack(">xI", frame, False)
        elif kind == 7:
            _unpack(">xI", frame, False)
        elif kind == 8:
            offset, flags, code = _unpack(">xQBI", frame, True)
            self._ended(offset, flags, code, _text(frame[14:]))
        elif kind == 9:
            code, = _unpack(">xH", frame, True)
            self._lose(code, f"the peer ended it: {_text(frame[3:])}")
            carrier.end(1)
        elif kind == 10:
            self.drain_reason = _text(frame[1:])
        else:
            raise _Violation(9 if kind == 1 else 8, f"type {kind} is not allowed")

    def _data(self, offset: int, content: bytes) -> None:
        end = offset + len(content)
        if not content:
            raise _Violation(7, "it is empty")
        if offset > self._received:
            raise _Violation(11, f"byte {offset} comes after {self._received}")
        if self.peer_end is not None and end >= self._received:
            raise _Violation(14, "bytes follow the end")
        if end > self._told_limit:
            raise _Violation(13, f"byte {end} is beyond the limit {self._told_limit}")
        if end > self._received:
            self._partial += content[self._received - offset:]
            self._received = end
            messages = self._framing.decode(self._partial)
            if messages:
                Connection._take(self, messages) if not self._is_closed else None
        if self._ack_timer is None:
            self._ack_timer = asyncio.get_running_loop().call_later(0.025, self._ack_later)

    def _ended(self, offset: int, flags: int, code: int, text: str) -> None:
        if offset > self._received:
            raise _Violation(11, f"the end {offset} comes after {self._received}")
        if self.peer_end is None and offset == self._received:
            self.peer_end = (code if flags & 1 else None, text)
            self._received += 1
            self._is_ended = True
            if self._partial and not self._is_closed:
                self._error = ConnectionLostError("Cannot receive message: the end came within it")
        elif self.peer_end is None or offset != self._received - 1:
            raise _Violation(14, f"it ended at {offset} and went on to {self._received}")
        self._is_ack_due = True

    def _acknowledged(self, received: int, limit: int) -> None:
        if received > self._max_sent:
            raise _Violation(12, f"{received} bytes are acknowledged, {self._max_sent} were sent")
        self._limit = max(self._limit, limit)
        if received > self._acked:
            del self._out[:received - self._acked]
            self._acked = received
            while self._unacked and self._unacked[0][0] <= received:
                self._unacked.popleft()

    def _reset(self, code: int, text: str, cause: Optional[Exception] = None) -> None:
        """Ends the session at once, and tells the peer if that is possible."""
        if self._is_over:
            return
        carrier = self._carrier
        if carrier is not None and self._greeted.done():
            carrier.write(struct.pack(">BH", 9, code) + text.encode()[:1000])
            carrier.end(1)
        elif carrier is not None:
            carrier.transport.abort()
        self._error = cause
        self._lose(code, text)

    def _lose(self, code: int, state: str) -> None:
        messages = [message for _, message in self._unacked]
        self._finish(self._error or SessionLostError(code, state, messages))

    def _finish(self, error: Optional[Exception]) -> None:
        if self._is_over:
            return
        self._is_over = self._is_closed = True
        self._error = error
        self._told()
        if asyncio.current_task() is not self._keeping and self._carrier is None:
            self._keeping.cancel()
        self._changed.fire()


def _unpack(form: str, frame: bytes, has_text: bool) -> Tuple[Any, ...]:
    """The fields of a frame, whose length must be right."""
    size = struct.calcsize(form)
    if len(frame) < size or (len(frame) > size and not has_text):
        raise _Violation(7, f"{len(frame)} bytes are too few or too many")
    fields = struct.unpack(form, frame[:size])
    if any(isinstance(field, int) and field >= 1 << 53 for field in fields):
        raise _Violation(7, "a number is above 2^53 - 1")
    return fields


def _text(content: bytes) -> str:
    if len(content) > 1000:
        raise _Violation(7, "its text is above 1000 bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _Violation(7, "its text is not UTF-8") from None


async def connect(endpoint: str, *, framing: Optional[str] = None, token: Optional[Message] = None,
                  max_message_bytes: int = 16 << 20, connect_timeout: float = 10,
                  tls: Optional[ssl.SSLContext] = None, session: Optional[bool] = None,
                  **session_options: Any) -> Connection:
    """Connects. `session_options` are those of `Session`, such as `retention_time`.

    Raises ConnectError, or SessionRefusedError when the server refuses the session.
    """
    if "://" not in endpoint and not endpoint.startswith("unix:"):
        endpoint = "tcp://" + endpoint
    scheme, host, path, query, _ = urlsplit(endpoint)
    said = {name: values[-1] for name, values in parse_qs(query).items()}
    address = urlsplit(endpoint)
    if scheme not in ("tcp", "tls", "unix") or (scheme != "unix" and address.port is None):
        raise ValueError(f"Cannot connect to {endpoint}: write tcp://HOST:PORT, tls:// or unix:PATH")
    is_session = said.get("session", "0") in ("1", "true") if session is None else session
    name = framing or said.get("framing", "u32be")
    if is_session and name in ("u8", "line"):
        raise ValueError(f"Cannot use framing {name} for a session")
    rule = _Framing(name, 65536 if is_session else max_message_bytes)
    loop = asyncio.get_running_loop()

    async def dial() -> _Carrier:
        if scheme == "unix":
            return (await loop.create_unix_connection(lambda: _Carrier(rule), path))[1]
        context = (tls or ssl.create_default_context()) if scheme == "tls" else None
        return (await loop.create_connection(lambda: _Carrier(rule), address.hostname or "127.0.0.1",
                                             address.port or 0, ssl=context))[1]

    if is_session:
        return await Session(dial, max_message_bytes, token=token, connect_timeout=connect_timeout,
                             **session_options)._open()
    if session_options:
        raise TypeError(f"Cannot connect: {', '.join(session_options)} are options of sessions")
    try:
        carrier = await asyncio.wait_for(dial(), connect_timeout)
    except (OSError, asyncio.TimeoutError) as error:
        raise ConnectError(f"Cannot connect to {endpoint}: {error or 'it took too long'}") from error
    connection = Connection(carrier, 1 << 20)
    if token is not None:
        connection.offer(token)
    return connection


# --- Requests ---------------------------------------------------------------------------------

NULL = object()
"""JSON's null as params, result or item. None is "nothing": a value that is not there."""

Handler = Callable[[Any, "Context"], Any]
_LEAST = (16, 64 << 10, 1024)
_WINDOW = (64, 256 << 10)
_HELLO, _NOTIFY, _CANCEL, _ITEM, _END, _CREDIT, _RESPONSE, _ERROR, _REQUEST = *range(8), 16
_ANSWERING = 0x80


def _encode(value: Any) -> Tuple[int, bytes]:
    """The kind and the bytes of a value."""
    if value is None:
        return 0, b""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return 0x40, bytes(value)
    value = None if value is NULL else value
    return 0x20, json.dumps(value, separators=(",", ":"), ensure_ascii=False,
                            allow_nan=False).encode()


def _decode(kind: int, content: bytes) -> Any:
    if kind == 0x20:
        return json.loads(content.decode(), parse_constant=_refuse)
    return content if kind == 0x40 else None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class _Reader:
    """Reads a message field by field. What cannot be read breaks the rules."""

    def __init__(self, message: bytes) -> None:
        if not message or message[0] & 0x60 == 0x60:
            raise ProtocolError("Cannot read message: it is empty, or its value is of no kind")
        self.message, self.at = message, 1
        self.type, self.kind = message[0] & 0x1F, message[0] & 0x60
        self.is_answering = message[0] >= _ANSWERING

    def varint(self) -> int:
        try:
            value, self.at = _read_varint(self.message, self.at)
        except IndexError:
            raise ProtocolError("Cannot read message: it ends within a number") from None
        return value

    def text(self, bytes_of_length: int) -> str:
        start = self.at + bytes_of_length
        self.at = start + int.from_bytes(self.message[self.at:start], "big")
        if max(start, self.at) > len(self.message):
            raise ProtocolError("Cannot read message: it ends within a text")
        try:
            return self.message[start:self.at].decode()
        except UnicodeDecodeError:
            raise ProtocolError("Cannot read message: a text is not UTF-8") from None

    def value(self) -> bytes:
        if self.kind == 0 and self.at < len(self.message):
            raise ProtocolError("Cannot read message: bytes follow its end")
        return self.message[self.at:]

    def end(self) -> None:
        if self.kind != 0 or self.at < len(self.message):
            raise ProtocolError("Cannot read message: bytes follow its end")


class _Items:
    """The receiving end of a stream: items within the credit that was granted."""

    def __init__(self, items: int, size: int, grant: Callable[[int, int], None]) -> None:
        self._credit, self._grant = [items, size], grant
        self._taken = [0, 0]
        self._queue: Deque[Tuple[Any, int]] = deque()
        self._signal = _Signal()
        self._is_ended, self._error = False, None  # type: bool, Optional[Exception]

    def put(self, reader: _Reader, what: str) -> None:
        size = len(reader.message)
        if min(self._credit) < 1:
            raise ProtocolError(f"Cannot take item of {what}: it has no credit")
        self._credit = [self._credit[0] - 1, self._credit[1] - size]
        content = reader.value()
        if not self._is_ended:
            try:
                self._queue.append((_decode(reader.kind, content), size))
            except ValueError:
                self.end(RequestError("invalid-params", f"Cannot read items of {what}: not JSON"))
        self._signal.fire()

    def end(self, error: Optional[Exception] = None) -> None:
        if not self._is_ended:
            self._is_ended, self._error = True, error
            self._signal.fire()

    def grant(self, items: int, size: int) -> None:
        self._credit = [self._credit[0] + items, self._credit[1] + size]
        self._grant(items, size)

    async def next(self) -> Any:
        """The next item. Raises StopAsyncIteration at the end."""
        while not self._queue:
            if self._is_ended:
                raise self._error or StopAsyncIteration
            await self._signal.wait()
        value, size = self._queue.popleft()
        self._taken = [self._taken[0] + 1, self._taken[1] + size]
        # Credit is granted again after each half window: that needs few messages.
        if not self._is_ended and (self._taken[0] * 2 >= _WINDOW[0] or
                                   self._taken[1] * 2 >= _WINDOW[1]):
            taken, self._taken = self._taken, [0, 0]
            self.grant(*taken)
        return value


class _Sender:
    """The sending end of a stream: waits for credit."""

    def __init__(self, peer: Peer, first: int, number: int, items: int, size: int) -> None:
        self._peer, self._first, self._number = peer, first, number
        self._credit, self._signal = [items, size], _Signal()

    def grant(self, items: int, size: int) -> None:
        self._credit = [self._credit[0] + items, self._credit[1] + size]
        if max(self._credit) > 1 << 48:
            raise ProtocolError("Cannot take credit: it is beyond all measure")
        self._signal.fire()

    async def run(self, items: Union[AsyncIterable[Any], Iterable[Any]]) -> None:
        iterator = items if hasattr(items, "__aiter__") else _each(items)
        try:
            async for item in iterator:
                while min(self._credit) < 1:
                    await self._signal.wait()
                kind, content = _encode(item)
                message = bytes([self._first | kind]) + _varint(self._number) + content
                await self._peer._send(message)
                self._credit = [self._credit[0] - 1, self._credit[1] - len(message)]
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


class _Call:
    """A request of this end, until its answer has come."""

    def __init__(self, method: str) -> None:
        self.method, self.number, self.size = method, 0, 0
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.is_abandoned = False
        self.reader: Optional[_Items] = None
        self.sender: Optional[_Sender] = None
        self.sending: Optional[asyncio.Future[None]] = None


class Context:
    """What a handler gets beside the params."""

    def __init__(self, peer: Peer, method: str) -> None:
        self.peer, self.method = peer, method
        self._number, self._size = 0, 0
        self._window: Optional[Tuple[int, int]] = None
        self._is_started = self._is_cancelled = self._is_answered = self._has_items = False
        self._items: Optional[_Items] = None
        self._sender: Optional[_Sender] = None
        self._task: Optional[asyncio.Future[None]] = None

    def __aiter__(self) -> Context:
        """The items that the caller sends: `async for item in context`."""
        return self

    async def __anext__(self) -> Any:
        if self._items is None:
            self._items = _Items(0, 0, self._grant)
            if self._has_items:
                self._items.grant(*_WINDOW)
            else:
                self._items.end()
        return await self._items.next()

    def _grant(self, items: int, size: int) -> None:
        if self._has_items and not self._is_answered:
            self.peer._offer(_head(_ANSWERING | _CREDIT, self._number, items, size))


def _head(first: int, *numbers: int) -> bytes:
    return bytes([first]) + b"".join(map(_varint, numbers))


def _name(text: str) -> bytes:
    name = text.encode()
    if len(name) > 255:
        raise ValueError(f"Cannot request {text[:32]}…: its name is above 255 bytes")
    return bytes([len(name)]) + name


class Peer:
    """The other end of a connection that carries requests. Both ends may ask.

    A handler is `def`, `async def`, or for a stream an async generator, of `(params, context)`.
    It answers with an error by raising RequestError. It is cancelled when the caller cancels.
    """

    def __init__(self, connection: Connection, handlers: Optional[Mapping[str, Handler]] = None, *,
                 max_requests: int = 1000, max_request_bytes: int = 4 << 20,
                 max_message_bytes: int = 16 << 20, hello_timeout: float = 10) -> None:
        self._connection, self._handlers = connection, dict(handlers or {})
        self._own, self._theirs = (max_requests, max_request_bytes, max_message_bytes), _LEAST
        self._is_greeted = False
        self._failure: Optional[Exception] = None
        self._changed, self._turn = _Signal(), asyncio.Lock()
        self._calls: Dict[int, _Call] = {}
        self._call_bytes = self._last_call = 0
        self._works: Dict[int, Context] = {}
        self._work_bytes = self._last_work = 0
        self._notices: Set[asyncio.Future[Any]] = set()
        connection.offer(_head(_HELLO) + b"LWRQ\x01" + _head(0, *self._own)[1:])
        self._reading = asyncio.ensure_future(self._run(hello_timeout))

    async def __aenter__(self) -> Peer:
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        await self.close()

    async def request(self, method: str, params: Any = None, *, timeout: Optional[float] = None,
                      items: Union[AsyncIterable[Any], Iterable[Any], None] = None) -> Any:
        """Asks for one value. `items` are sent along. Raises RequestError."""
        try:
            return await asyncio.wait_for(self._ask(method, params, items), timeout)
        except asyncio.TimeoutError:
            text = f"Cannot request {method}: no answer within {timeout} s"
            raise RequestError("timeout", text) from None

    async def _ask(self, method: str, params: Any, items: Any) -> Any:
        call = _Call(method)
        await self._start(call, params, items)
        try:
            return await call.answer
        finally:
            self._give_up(call)

    async def stream(self, method: str, params: Any = None, *,
                     items: Union[AsyncIterable[Any], Iterable[Any], None] = None
                     ) -> AsyncIterator[Any]:
        """Asks for a stream: `async for item in peer.stream(…)`. Leaving the loop cancels it."""
        call = _Call(method)
        call.reader = _Items(*_WINDOW, lambda items, size: self._offer(
            _head(_CREDIT, call.number, items, size)) if call.number in self._calls else None)
        await self._start(call, params, items)
        try:
            while True:
                try:
                    yield await call.reader.next()
                except StopAsyncIteration:
                    return
        finally:
            self._give_up(call)

    async def notify(self, method: str, params: Any = None) -> None:
        """Tells something that has no answer."""
        kind, content = _encode(params)
        message = bytes([_NOTIFY | kind]) + _name(method) + content
        while not self._is_greeted and len(message) > self._theirs[2] and self._failure is None:
            await self._changed.wait()
        await self._send(message)

    async def close(self) -> None:
        """Closes the connection. Requests without an answer fail, handlers are cancelled."""
        for call in list(self._calls.values()):
            self._give_up(call)
        self._fail(ConnectionClosedError("Cannot go on with requests: this end has closed"))
        await self._connection.close()
        await asyncio.wait({self._reading})

    # This end's requests.

    async def _start(self, call: _Call, params: Any, items: Any) -> None:
        kind, content = _encode(params)
        rest = _name(call.method) + (_head(0, *_WINDOW)[1:] if call.reader else b"") + content
        first = _REQUEST | kind | (call.reader is not None) | (items is not None) << 1
        async with self._turn:
            self._last_call += 1
            call.number = self._last_call
            message = _head(first, call.number) + rest
            while self._failure is None and not self._may_go(len(message)):
                await self._changed.wait()
            await self._send(message)
            call.size = len(message)
            self._calls[call.number] = call
            self._call_bytes += call.size
        if items is not None:
            call.sender = _Sender(self, _ITEM, call.number, 0, 0)
            call.sending = asyncio.ensure_future(self._send_items(call, items))

    def _may_go(self, size: int) -> bool:
        requests, most, message_bytes = self._theirs
        return len(self._calls) < requests and (
            not self._calls or self._call_bytes + size <= most) and (
            self._is_greeted or size <= message_bytes)

    async def _send_items(self, call: _Call, items: Any) -> None:
        assert call.sender is not None
        try:
            await call.sender.run(items)
            call.sender = None
            self._offer(_head(_END, call.number))
        except Exception as error:  # What the program's items raise, the caller gets.
            if not call.answer.done():
                call.answer.set_exception(error)
            if call.reader is not None:
                call.reader.end(error)
            self._give_up(call)

    def _give_up(self, call: _Call) -> None:
        """Nobody wants the answer any more, if it has not come."""
        if call.number in self._calls and not call.is_abandoned:
            call.is_abandoned = True
            call.sender = None
            if call.sending is not None:
                call.sending.cancel()
            self._offer(_head(_CANCEL, call.number))

    def _answered(self, reader: _Reader) -> None:
        number = reader.varint()
        call = self._calls.get(number)
        if call is None:
            raise ProtocolError(f"Cannot take answer: no request {number} is without one")
        is_stream = call.reader is not None
        if reader.type == _ITEM and call.reader is not None:
            return call.reader.put(reader, call.method)
        if reader.type == _CREDIT:
            items, size = reader.varint(), reader.varint()
            reader.end()
            if call.sending is not None:
                return call.sender.grant(items, size) if call.sender is not None else None
        value, error = None, None  # type: Any, Optional[Exception]
        if reader.type == _ERROR:
            code, text = _printable(reader.text(1)), _printable(reader.text(2))
            content = reader.value()
            try:
                error = RequestError(code, text, _decode(reader.kind, content))
            except ValueError:
                error = RequestError(code, text)
        elif reader.type == _END and is_stream:
            reader.end()
        elif reader.type == _RESPONSE and not is_stream:
            content = reader.value()
            try:
                value = _decode(reader.kind, content)
            except ValueError:
                text = f"Cannot read answer of {call.method}: it is not JSON"
                error = RequestError("invalid-result", text)
        else:
            raise ProtocolError(f"Cannot take message of type {reader.type} for request {number}")
        del self._calls[number]
        self._call_bytes -= call.size
        if call.sender is not None and call.sending is not None:
            call.sender = None
            call.sending.cancel()
            self._offer(_head(_END, number))
        self._settle(call, value, error)
        self._changed.fire()

    def _settle(self, call: _Call, value: Any, error: Optional[Exception]) -> None:
        if call.reader is not None:
            call.reader.end(error)
        if not call.answer.done():
            call.answer.set_exception(error) if error else call.answer.set_result(value)

    # The peer's requests.

    def _asked(self, reader: _Reader) -> None:
        if _REQUEST <= reader.type < _REQUEST + 8:
            return self._requested(reader)
        number = reader.varint()
        work = self._works.get(number)
        if number > self._last_work:
            raise ProtocolError(f"Cannot take message for request {number}: it was never asked")
        if reader.type == _CANCEL:
            reader.end()
            if work is not None:
                self._cancel(work)
        elif reader.type == _CREDIT:
            items, size = reader.varint(), reader.varint()
            reader.end()
            if work is not None and work._window is None:
                raise ProtocolError(f"Cannot take credit of request {number}: it is no stream")
            if work is not None and work._window is not None:
                work._window = (work._window[0] + items, work._window[1] + size)
                if work._sender is not None:
                    work._sender.grant(items, size)
        elif reader.type == _ITEM and work is not None and work._has_items:
            if work._items is None:
                raise ProtocolError(f"Cannot take item of request {number}: it has no credit")
            work._items.put(reader, work.method)
        elif reader.type == _END and work is not None and work._has_items:
            reader.end()
            self._end_items(work, None)
        else:
            raise ProtocolError(f"Cannot take message of type {reader.type} for request {number}")

    def _requested(self, reader: _Reader) -> None:
        number, method = reader.varint(), reader.text(1)
        work = Context(self, method)
        if reader.type & 1:
            work._window = (reader.varint(), reader.varint())
        if reader.type & 4:  # A trace context.
            reader.text(1), reader.text(2)
        content = reader.value()
        if number <= self._last_work:
            raise ProtocolError(f"Cannot take request {number}: ids must rise")
        self._last_work = work._number = number
        work._size, work._has_items = len(reader.message), bool(reader.type & 2)
        requests, most, _ = self._own
        if self._works and (len(self._works) >= requests or
                            self._work_bytes + work._size > most):
            limits = f"{requests} requests and {most} bytes are allowed at a time"
            if work._has_items or self._connection._is_full():
                raise ProtocolError(f"Cannot take request {number}: {limits}")
            return self._offer(_error(number, "busy", f"Cannot answer {method}: {limits}"))
        self._works[number] = work
        self._work_bytes += work._size
        work._task = asyncio.ensure_future(self._work(work, reader.kind, content))

    async def _work(self, work: Context, kind: int, content: bytes) -> None:
        work._is_started = True
        number, method = work._number, work.method
        try:
            message = await self._handle(work, kind, content)
            if len(message) > self._theirs[2]:
                state = f"its result has {len(message)} bytes, limit is {self._theirs[2]} bytes"
                raise RequestError("invalid-result", f"Cannot answer {method}: {state}")
        except asyncio.CancelledError:
            if not work._is_cancelled:
                raise
            message = _error(number, "cancelled", f"Cannot answer {method}: it was cancelled")
        except RequestError as error:
            message = _error(number, error.code, error.message, error.data)
        except Exception:
            logging.getLogger("lengthwise").exception("Cannot answer %s", method)
            message = _error(number, "internal", f"Cannot answer {method}: its handler failed")
        if work._is_cancelled and message[0] & 0x1F == _RESPONSE:
            message = _error(number, "cancelled", f"Cannot answer {method}: it was cancelled")
        try:
            self._connection.offer(message) if work._is_cancelled else await self._send(message)
        except asyncio.CancelledError:  # Cancelled while it waited: nothing was sent.
            if not work._is_cancelled:
                raise
            self._offer(_error(number, "cancelled", f"Cannot answer {method}: it was cancelled"))
        except LengthwiseError:
            pass  # The connection has ended: nobody waits for the answer.
        work._is_answered = True
        if not work._has_items:
            self._forget(work)

    async def _handle(self, work: Context, kind: int, content: bytes) -> bytes:
        """Calls the handler. Gives the message that ends the request."""
        if work._is_cancelled:
            raise asyncio.CancelledError
        handler = self._handlers.get(work.method)
        if handler is None:
            text = f"Cannot answer {work.method}: there is no such method"
            raise RequestError("unknown-method", text)
        try:
            params = _decode(kind, content)
        except ValueError:
            text = f"Cannot answer {work.method}: params are not JSON"
            raise RequestError("invalid-params", text) from None
        result = handler(params, work)
        if inspect.isawaitable(result):
            result = await result
        is_stream = hasattr(result, "__aiter__")
        if is_stream != (work._window is not None):
            given = "a stream, use stream()" if is_stream else "one value, use request()"
            text = f"Cannot answer {work.method}: it gives {given}"
            raise RequestError("wrong-kind", text)
        if work._window is not None:
            work._sender = _Sender(self, _ANSWERING | _ITEM, work._number, *work._window)
            await work._sender.run(result)
            return _head(_ANSWERING | _END, work._number)
        try:
            kind, content = _encode(result)
        except (TypeError, ValueError):
            text = f"Cannot answer {work.method}: its result is not JSON"
            raise RequestError("invalid-result", text) from None
        return _head(_ANSWERING | _RESPONSE | kind, work._number) + content

    def _cancel(self, work: Context) -> None:
        if work._is_cancelled:
            return
        work._is_cancelled = True
        gone = RequestError("cancelled", f"Cannot answer {work.method}: it was cancelled")
        if work._has_items:
            self._end_items(work, gone)
        if work._is_started and not work._is_answered and work._task is not None:
            work._task.cancel()

    def _end_items(self, work: Context, error: Optional[Exception]) -> None:
        work._has_items = False
        if work._items is not None:
            work._items.end(error)
        if work._is_answered:
            self._forget(work)

    def _forget(self, work: Context) -> None:
        if self._works.pop(work._number, None) is not None:
            self._work_bytes -= work._size

    def _noticed(self, reader: _Reader) -> None:
        method, content = reader.text(1), reader.value()
        handler = self._handlers.get(method)
        if handler is None:
            return
        task = asyncio.ensure_future(self._notice(handler, method, reader.kind, content))
        self._notices.add(task)

        def done(_: asyncio.Future[Any]) -> None:
            self._notices.discard(task)
            self._changed.fire()

        task.add_done_callback(done)

    async def _notice(self, handler: Handler, method: str, kind: int, content: bytes) -> None:
        try:
            result = handler(_decode(kind, content), Context(self, method))
            if inspect.isawaitable(result):
                await result
        except Exception:
            logging.getLogger("lengthwise").exception("Cannot take notification %s", method)

    # The connection.

    async def _send(self, message: bytes) -> None:
        self._sendable(message)
        await self._connection.send(message)

    def _sendable(self, message: bytes) -> None:
        if self._failure is not None:
            raise self._failure
        if self._is_greeted and len(message) > self._theirs[2]:
            raise MessageTooLargeError(f"Cannot send message of {len(message)} bytes: the peer "
                                       f"takes no more than {self._theirs[2]} bytes")

    def _offer(self, message: bytes) -> None:
        try:
            self._connection.offer(message)
        except LengthwiseError:
            pass  # The end of the connection settles everything that waits.

    async def _run(self, hello_timeout: float) -> None:
        error: Exception = ConnectionLostError("Cannot go on with requests: the peer has ended")
        try:
            try:
                message = await asyncio.wait_for(self._connection.receive(), hello_timeout)
            except asyncio.TimeoutError:
                text = f"Cannot make requests: no HELLO came within {hello_timeout} s"
                raise ProtocolError(text) from None
            if message is not None:
                self._hello(_Reader(message))
            async for message in self._connection:
                reader = _Reader(message)
                if reader.is_answering:
                    self._answered(reader)
                elif reader.type == _NOTIFY:
                    self._noticed(reader)
                else:
                    self._asked(reader)
                while len(self._notices) >= self._own[0] and self._failure is None:
                    await self._changed.wait()
            self._fail(error)
            await self._connection.close()
        except LengthwiseError as failure:
            self._fail(failure)
            await self._connection.abort()

    def _hello(self, reader: _Reader) -> None:
        if reader.message[:5] != b"\0LWRQ":
            raise ProtocolError("Cannot make requests: the peer's first message is no HELLO")
        if reader.message[5:6] != b"\x01":
            version = reader.message[5:6].hex()
            raise ProtocolError(f"Cannot make requests: the peer speaks version {version}, not 01")
        reader.at = 6
        theirs = reader.varint(), reader.varint(), reader.varint()
        if theirs[0] < _LEAST[0] or theirs[1] < _LEAST[1]:
            raise ProtocolError(f"Cannot make requests: the peer allows {theirs[0]} requests of "
                                f"{theirs[1]} bytes, the least is 16 of 65536")
        self._theirs, self._is_greeted = theirs, True
        self._changed.fire()

    def _fail(self, error: Exception) -> None:
        """No answer can come any more, and none can be given."""
        if self._failure is not None:
            return
        self._failure = error
        for call in list(self._calls.values()):
            if call.sending is not None:
                call.sending.cancel()
            self._settle(call, None, error)
        self._calls.clear()
        for task in [work._task for work in self._works.values()] + list(self._notices):
            if task is not None:
                task.cancel()
        self._works.clear()
        self._changed.fire()


def _error(number: int, code: str, text: str, data: Any = None) -> bytes:
    kind, content = _encode(data)
    name = code.encode()[:255].decode(errors="ignore").encode()
    words = text.encode()[:8192].decode(errors="ignore").encode()
    return _head(_ANSWERING | _ERROR | kind, number) + bytes([len(name)]) + name + \
        len(words).to_bytes(2, "big") + words + content


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def requests(connection: Connection, handlers: Optional[Mapping[str, Handler]] = None,
             **options: Any) -> Peer:
    """Adds requests, notifications and streams to a connection or session. See `Peer`."""
    return Peer(connection, handlers, **options)
