"""Messages over TCP with the standard library of Python: struct, socket and threading.

usage: peer.py ROLE FRAMING PORT SEED COUNT (README.md tells what these mean)
"""

import os
import socket
import struct
import sys
import threading

HEADERS = {
    "u8": struct.Struct("B"),
    "u16be": struct.Struct(">H"),
    "u16le": struct.Struct("<H"),
    "u32be": struct.Struct(">I"),
    "u32le": struct.Struct("<I"),
    "u64be": struct.Struct(">Q"),
}
LONGEST = {"u8": 255, "u16be": 65535, "u16le": 65535, "line": 60000, "varint": 60000}
ALPHABET = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ.,?éßñЖλ€漢語"
POOL_SIZE = 100000


def encode(framing, message):
    """Puts a message into a frame."""
    size = len(message)
    if framing == "line":
        return message + b"\n"
    if framing == "varint":
        header = bytearray()
        while size > 127:
            header.append(size & 127 | 128)
            size >>= 7
        header.append(size)
        return bytes(header) + message
    if framing == "u24be":
        return size.to_bytes(3, "big") + message
    return HEADERS[framing].pack(size) + message


def receive_exactly(sock, size):
    """Receives size bytes, however many pieces they come in; None at the end of the stream."""
    chunks = []
    missing = size
    while missing > 0:
        chunk = sock.recv(missing)
        if not chunk:
            if missing < size:
                raise EOFError(f"the stream ended {missing} bytes before the end of a part")
            return None
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)


def receive_size(sock, framing):
    if framing == "varint":
        size = shift = 0
        while True:
            byte = receive_exactly(sock, 1)
            if byte is None:
                return None
            size |= (byte[0] & 127) << shift
            shift += 7
            if byte[0] < 128:
                return size
    width = 3 if framing == "u24be" else HEADERS[framing].size
    header = receive_exactly(sock, width)
    if header is None:
        return None
    if framing == "u24be":
        return int.from_bytes(header, "big")
    return HEADERS[framing].unpack(header)[0]


def receive_messages(sock, framing):
    """Gives one message after another until the stream ends."""
    if framing == "line":
        with sock.makefile("rb") as lines:
            for line in lines:
                yield line.removesuffix(b"\n").removesuffix(b"\r")
        return
    while (size := receive_size(sock, framing)) is not None:
        message = receive_exactly(sock, size)
        if message is None:
            raise EOFError("the stream ended after a header")
        yield message


def make_messages(framing, seed, count):
    state = seed

    def draw(bound):
        nonlocal state
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (state >> 8) * bound >> 24

    pool = bytes(draw(256) for _ in range(POOL_SIZE))
    text = framing in ("line", "varint")
    if text:
        pool = "".join(ALPHABET[byte % 64] for byte in pool)
    longest = LONGEST.get(framing, 70000)
    for index in range(count):
        if index < 2:
            size = index * longest
        else:
            roll = draw(100)
            size = draw(min(longest, longest if roll < 1 else 2000 if roll < 10 else 60) + 1)
        offset = draw(POOL_SIZE - size + 1)
        part = pool[offset : offset + size]
        yield part.encode() if text else part


def client(framing, port, seed, count):
    with socket.create_connection(("127.0.0.1", port)) as sock:

        def send_all():
            for message in make_messages(framing, seed, count):
                sock.sendall(encode(framing, message))
            sock.shutdown(socket.SHUT_WR)

        threading.Thread(target=send_all, daemon=True).start()
        received = receive_messages(sock, framing)
        for index, expected in enumerate(make_messages(framing, seed, count)):
            message = next(received, None)
            if message is None:
                sys.exit(f"the stream ended before message {index}")
            if message != expected:
                sys.exit(
                    f"message {index} differs: {len(expected)} bytes sent, {len(message)} received"
                )
        if next(received, None) is not None:
            sys.exit(f"more than {count} messages received")
    print(f"ok {count}")


def server(framing):
    def watch_stdin():
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=watch_stdin, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            sock, _ = listener.accept()
            with sock:
                for message in receive_messages(sock, framing):
                    sock.sendall(encode(framing, message))


if __name__ == "__main__":
    role, framing, port, seed, count = sys.argv[1:]
    if role == "server":
        server(framing)
    else:
        client(framing, int(port), int(seed), int(count))
