/** How the libraries of programming languages frame. */

import type { ProgramFormat } from "./format.ts";

/** Python's multiprocessing. */
export const PYTHON_CONNECTION: ProgramFormat = {
  name: "pythonConnection",
  programs: "Python's multiprocessing.connection: Listener, Client, Pipe",
  bytes: "00 00 00 02 | 68 69",
  parts: "length, content",
  message: "the content; behind send() it is a pickle, which no stranger's bytes should be",
  endpoint: "tcp://127.0.0.1:6000?framing=pythonConnection",
  order: "big-endian",
  counts: "what follows it; -1 stands before a length of 8 bytes",
  limit: 16_777_216,
  above:
    "recv_bytes(maxlength) throws “OSError: bad message length” and closes; by default there is no limit",
  version: "Python 3.11.2",
  surprises: ["The form of 8 bytes, which it sends above 2 GiB, it takes for every length."],
};

/** Qt's byte arrays. */
export const QT_BYTE_ARRAY: ProgramFormat = {
  name: "qtByteArray",
  programs: "Qt: QDataStream << QByteArray",
  bytes: "00 00 00 02 | 68 69",
  parts: "length, content",
  message: "the content; QT_NULL is a null",
  endpoint: "tcp://127.0.0.1:1234?framing=qtByteArray",
  order: "big-endian",
  counts: "what follows it; 0xFFFFFFFF is a null",
  limit: 16_777_216,
  above: "Qt reads in steps of 1 MiB until memory or data ends",
  version: "Qt 5.15.8 with PyQt 5.15.9",
  surprises: [
    "Null is not empty: it has a length of its own, and no content.",
    "Qt 6 writes 0xFFFFFFFE and a length of 8 bytes for more than 4 GiB; that is refused here.",
  ],
};

/** Qt's strings. */
export const QT_STRING: ProgramFormat = {
  name: "qtString",
  programs: "Qt: QDataStream << QString",
  bytes: "00 00 00 04 | 00 68 00 69",
  parts: "length, the text in UTF-16",
  message: "the text in UTF-8; QT_NULL is a null",
  endpoint: "tcp://127.0.0.1:1234?framing=qtString",
  order: "big-endian",
  counts: "the bytes that follow it, not the characters; 0xFFFFFFFF is a null",
  limit: 16_777_216,
  above: "Qt reads in steps of 1 MiB until memory or data ends",
  version: "Qt 5.15.8 with PyQt 5.15.9",
  surprises: [
    "Python has no null string: PyQt reads a null as an empty string, and sends that back.",
  ],
};

/** Java's strings. */
export const JAVA_UTF: ProgramFormat = {
  name: "javaUtf",
  programs: "Java: DataOutputStream.writeUTF, RMI, class files",
  bytes: "00 02 | c0 80",
  parts: "length, the text in modified UTF-8: NUL",
  message: "the text in UTF-8",
  endpoint: "tcp://127.0.0.1:1234?framing=javaUtf",
  order: "big-endian",
  counts: "the bytes that follow it, in modified UTF-8",
  limit: 65_535,
  above: "writeUTF throws UTFDataFormatException; the length cannot say more",
  version: "OpenJDK 17.0.15",
  surprises: [
    "NUL has two bytes, and a character above U+FFFF has six, so the length is not that of the UTF-8.",
  ],
};

/** .NET's strings. */
export const DOTNET_STRING: ProgramFormat = {
  name: "dotnetString",
  programs: ".NET and Mono: BinaryWriter.Write(string)",
  bytes: "02 | 68 69",
  parts: "length, the text in UTF-8",
  message: "the text",
  endpoint: "tcp://127.0.0.1:1234?framing=dotnetString",
  order: "little-endian",
  counts: "the bytes that follow it, in groups of 7 bits, 1 to 5 bytes",
  limit: 16_777_216,
  above: "the length can say 2 147 483 647 bytes, and there is no other limit",
  version: "Mono 6.8.0",
  surprises: ["Mono takes a length that is longer than need be."],
};

/** Go's gob. */
export const GOB: ProgramFormat = {
  name: "gob",
  programs: "Go: encoding/gob, net/rpc",
  bytes: "03 | 04 00 0e",
  parts: "length, content: the number 7",
  message: "the content",
  endpoint: "tcp://127.0.0.1:1234?framing=gob",
  order: "big-endian",
  counts: "what follows it: one byte below 128, else its bytes behind their negated number",
  limit: 16_777_216,
  above: "Go stops with “message too big” above 1 GiB",
  version: "Go 1.19.8",
  surprises: [
    "The first messages define types, so that a reader needs all messages of a stream, in order.",
  ],
};

/** Erlang's modes. */
export const ERLANG: ProgramFormat = {
  name: "erlang",
  programs: "Erlang and Elixir: {packet, Mode} of gen_tcp and ssl",
  bytes: "00 00 00 02 | 68 69",
  parts: "length, content; here erlang(4)",
  message: "the content; in line, asn1, cdr, fcgi and tpkt the whole frame, but for the newline",
  endpoint: "tcp://127.0.0.1:1234?framing=erlang(4)",
  order: "big-endian",
  counts: "what follows it",
  limit: 16_777_216,
  above: "Erlang has no limit but packet_size, above which it closes with emsgsize",
  version: "Erlang/OTP 25.2.3",
  surprises: [
    "The modes are raw, 1, 2, 4, line, asn1, cdr, sunrm, fcgi and tpkt. http parses, and does not frame.",
    "In 1 and 2 Erlang sends a wrong length for a message that is too long; here it is refused.",
    "In line Erlang keeps the newline, and cuts a line that is longer than its buffer.",
    "In sunrm Erlang hands over each fragment with its header; here they are put together without it.",
    "Of a value of indefinite length, Erlang hands over the pieces in asn1; here it is one message.",
    "In fcgi Erlang drops the padding, and leaves in the header how long it was; here the header says 0.",
  ],
};
