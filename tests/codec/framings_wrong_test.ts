/** What single framings refuse: streams, with the byte, the value and the limit; and messages. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  contentLength,
  delimiter,
  fcgi,
  fixed,
  type Framing,
  InvalidLengthError,
  InvalidMessageError,
  MessageTooLargeError,
  mllp,
  netstring,
  octetCounted,
  ProtocolError,
  recordMarking,
  tpkt,
  varint,
} from "../../codec.ts";
import { byteByByte, hex, utf8 } from "../support/bytes.ts";

const LIMITED = { maxMessageBytes: 1000 };
const MiB = 1024 * 1024;

// deno-lint-ignore no-explicit-any
type ErrorClass = new (...args: any[]) => ProtocolError;

/** A framing, a stream that breaks its rules, and what is said of it. */
const REFUSED: [framing: Framing, stream: string, error: ErrorClass, message: string][] = [
  ...([
    ["-1:", '"-1:" at byte 0 must be decimal digits and a colon'],
    ["+5:hello,", '"+5:hello," at byte 0 must be decimal digits and a colon'],
    [" 5:hello,", '" 5:hello," at byte 0 must be decimal digits and a colon'],
    ["5 :hello,", '"5 :hello," at byte 0 must be decimal digits and a colon'],
    ["0x5:hello,", '"0x5:hello," at byte 0 must be decimal digits and a colon'],
    [":hello,", '":hello," at byte 0 is not a decimal number'],
    ["5e0:", '"5e0:" at byte 0 must be decimal digits and a colon'],
    ["1:a,05:hello,", '"05:hello," at byte 4 has a leading zero'],
    ["00:,", '"00:," at byte 0 has a leading zero'],
    ["11111111111111111:", '"11111111111111111:" at byte 0 has more than 16 digits'],
    ["1".repeat(100_000), '"111111111111111111111111" at byte 0 has more than 16 digits'],
  ] as const).map(([stream, what]): [Framing, string, ErrorClass, string] => [
    netstring(LIMITED),
    stream,
    InvalidLengthError,
    `length ${what}, limit is 1000 bytes`,
  ]),
  [
    netstring(LIMITED),
    "1:a,1001:",
    MessageTooLargeError,
    "1001 bytes: limit is 1000 bytes (its length is at byte 4)",
  ],
  [
    netstring(LIMITED),
    "9999999999999999:",
    MessageTooLargeError,
    "10000000000000000 bytes: limit is 1000 bytes",
  ],
  [
    netstring(LIMITED),
    "1:a,2:ab;",
    InvalidMessageError,
    "byte 8 is 0x3b, where a netstring ends with a comma",
  ],
  [
    octetCounted(LIMITED),
    "05 hello",
    InvalidLengthError,
    '"05 hello" at byte 0 has a leading zero',
  ],
  [octetCounted(LIMITED), "0 ", InvalidLengthError, '"0 " at byte 0 must not be 0'],
  [
    octetCounted(LIMITED),
    "5:hello",
    InvalidLengthError,
    'length "5:hello" at byte 0 is followed by 0x3a and not by a space, limit is 1000 bytes',
  ],
  [octetCounted(LIMITED), "1".repeat(17), InvalidLengthError, "has more than 16 digits"],
  [
    octetCounted(LIMITED),
    "<1>a\n1001 ",
    MessageTooLargeError,
    "1001 bytes: limit is 1000 bytes (its length is at byte 5)",
  ],
  [octetCounted(LIMITED), "<".repeat(1001), MessageTooLargeError, "its line begins at byte 0"],
  [
    octetCounted({ accept: "counted", ...LIMITED }),
    "1 a<1>hello\n",
    InvalidLengthError,
    '"<1>hello\\n" at byte 3 must be decimal digits and a space',
  ],
  ...([
    ["-5", '"-5\\r\\n\\r\\n" at byte 16 is not a decimal number'],
    ["+5", '"+5\\r\\n\\r\\n" at byte 16 is not a decimal number'],
    ["", '"\\r\\n\\r\\n" at byte 16 is not a decimal number'],
    ["5 5", '"5 5\\r\\n\\r\\n" at byte 16 is not a decimal number'],
    ["5, 5", '"5, 5\\r\\n\\r\\n" at byte 16 is not a decimal number'],
    ["0x5", '"0x5\\r\\n\\r\\n" at byte 16 is not a decimal number'],
    ["1e3", '"1e3\\r\\n\\r\\n" at byte 16 is not a decimal number'],
    ["005", '"005\\r\\n\\r\\n" at byte 16 has a leading zero'],
    ["1".repeat(17), '"11111111111111111\\r\\n\\r\\n" at byte 16 has more than 16 digits'],
  ] as const).map(([value, what]): [Framing, string, ErrorClass, string] => [
    contentLength(LIMITED),
    `Content-Length: ${value}\r\n\r\n`,
    InvalidLengthError,
    `length ${what}, limit is 1000 bytes`,
  ]),
  [
    contentLength(LIMITED),
    "Content-Length: 1\r\n\r\naContent-Length: 1001\r\n\r\n",
    MessageTooLargeError,
    "1001 bytes: limit is 1000 bytes",
  ],
  [
    contentLength(LIMITED),
    "Content-Length: 1\r\ncontent-length: 1\r\n\r\n",
    InvalidLengthError,
    "its header has a second Content-Length at byte 19",
  ],
  [
    contentLength(LIMITED),
    "Content-Type: a\r\n\r\n",
    InvalidLengthError,
    "its header at byte 0 has no Content-Length",
  ],
  [
    contentLength(LIMITED),
    "Content-Length: 1\nContent-Type: a\r\n\r\n",
    InvalidMessageError,
    "its header has a newline without a carriage return at byte 17",
  ],
  [
    contentLength(LIMITED),
    "GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n",
    InvalidMessageError,
    '"GET / HTTP/1.1" at byte 0 is no field of a header',
  ],
  [
    contentLength(LIMITED),
    "Content-Length : 1\r\n\r\n",
    InvalidMessageError,
    '"Content-Length : 1" at byte 0 is no field of a header',
  ],
  [
    contentLength(LIMITED),
    "\r\n\r\n",
    InvalidMessageError,
    "byte 0 is 0x0d, where a header begins",
  ],
  [
    contentLength(LIMITED),
    '{"jsonrpc":"2.0"}',
    InvalidMessageError,
    'byte 0 is 0x7b, where a header begins (it looks like text, "{\\"js")',
  ],
  [
    contentLength(LIMITED),
    `X: ${"a".repeat(MiB)}\r\n\r\n`,
    InvalidMessageError,
    "its header at byte 0 has more than 8192 bytes",
  ],
  [
    recordMarking(LIMITED),
    "\x00\x00\x00\x00",
    InvalidLengthError,
    "the fragment at byte 0 has length 0 and is not the last",
  ],
  [
    recordMarking(LIMITED),
    "\x00\x00\x00\x01a\x80\x00\x03\xe8",
    MessageTooLargeError,
    "1001 bytes: limit is 1000 bytes (with the fragment at byte 5)",
  ],
  [
    recordMarking(LIMITED),
    "GET / HTTP/1.1\r\n",
    MessageTooLargeError,
    'limit is 1000 bytes (it looks like an HTTP request, "GET ")',
  ],
  [
    fcgi(),
    "\x02\x01",
    InvalidMessageError,
    "byte 0 is 2, where a FastCGI record begins with version 1",
  ],
  [
    fcgi(LIMITED),
    "\x01\x05\x00\x01\x03\xe1\x00\x00",
    MessageTooLargeError,
    "1001 bytes: limit is 1000 bytes (its length is at byte 4)",
  ],
  [
    tpkt(),
    "GET / HTTP/1.1",
    InvalidMessageError,
    'byte 0 is 71, where a TPKT begins with version 3 (it looks like an HTTP request, "GET ")',
  ],
  [
    tpkt(),
    "\x03\x00\x00\x04\x03\x00\x00\x03",
    InvalidLengthError,
    "length 3 at byte 6 is too small, the header alone has 4 bytes",
  ],
  [
    tpkt(LIMITED),
    "\x03\x00\xff\xff",
    MessageTooLargeError,
    "65531 bytes: limit is 1000 bytes (its length is at byte 2)",
  ],
  [
    mllp(LIMITED),
    "MSH|^~\\&|",
    InvalidMessageError,
    'byte 0 is 0x4d, where framing mllp begins with 0x0b (it looks like text, "MSH|")',
  ],
  [mllp(LIMITED), "\x0ba\x1c\rb", InvalidMessageError, "byte 4 is 0x62, where framing mllp begins"],
  [mllp(LIMITED), "\x0b" + "a".repeat(1010), MessageTooLargeError, "its frame begins at byte 0"],
  [
    delimiter("\r\n", LIMITED),
    "a\r\n" + "b".repeat(1002),
    MessageTooLargeError,
    "1001 bytes: limit is 1000 bytes (at least, its frame begins at byte 3)",
  ],
  [
    varint({ endian: "big", ...LIMITED }),
    "\xff".repeat(10),
    InvalidLengthError,
    "its varint is longer than 10 bytes",
  ],
  [varint({ endian: "big", ...LIMITED }), "\x87\x69", MessageTooLargeError, "1001 bytes: limit"],
];

for (const [i, [framing, stream, type, message]] of REFUSED.entries()) {
  const shown = JSON.stringify(stream.length > 40 ? `${stream.slice(0, 40)}…` : stream);
  Deno.test(`${framing.name} refuses ${shown} (${i}): ${message.slice(0, 60)}`, () => {
    const bytes = Uint8Array.from(stream, (sign) => sign.charCodeAt(0));
    const ways = [[bytes], ...(bytes.length < 200 ? [byteByByte(bytes)] : [])];
    for (const chunks of ways) {
      const decoder = framing.decoder();
      const error = assertThrows(() => {
        for (const chunk of chunks) decoder.decode(chunk.slice());
      }, type) as ProtocolError;
      if (chunks.length === 1) {
        assert(error.message.startsWith("Cannot receive message"), error.message);
        assert(error.message.includes(message), error.message);
      }
      assertEquals(decoder.pendingBytes, 0);
      assertStrictEquals(assertThrows(() => decoder.decode(bytes.slice())), error);
    }
  });
}

/** A framing, a message that it cannot carry, and why. */
const UNSENT: [framing: Framing, message: Uint8Array, reason: string][] = [
  [fixed(3), utf8("hi"), "2 bytes: framing fixed(3) has messages of 3 bytes only"],
  [delimiter("\0"), hex("6100"), "it has a delimiter that ends at byte 2"],
  [delimiter("aa"), utf8("xa"), "its end and the delimiter behind it look like another delimiter"],
  [delimiter(["\n", "\r\n"]), utf8("x\r"), "its end and the delimiter behind it look like another"],
  [delimiter(["\r\n", "\n"]), utf8("x\ny"), "it has a delimiter that ends at byte 2"],
  [delimiter("\n", { keep: true }), utf8("x"), "it must have a delimiter at its end"],
  [delimiter("\n", { keep: true }), utf8("x\ny\n"), "and nowhere else"],
  [delimiter("\n", { keep: true }), utf8(""), "it must have a delimiter at its end"],
  [octetCounted(), utf8(""), "0 bytes: syslog has no empty messages"],
  [octetCounted({ send: "lines" }), utf8("5 x"), "it begins with a digit, which receivers take"],
  [octetCounted({ send: "lines" }), utf8("a\nb"), "it has a newline at byte 1"],
  [mllp(), hex("61 1c0d 62"), "it has 1c0d at byte 1, which ends a message of framing mllp"],
  [fcgi(), hex("01050001 000000"), "7 bytes: it must begin with a FastCGI header, version 1"],
  [fcgi(), hex("02050001 00000000"), "it must begin with a FastCGI header, version 1"],
  [fcgi(), hex("01050001 00000200 0000"), "it announces 2 bytes of padding"],
  [fcgi({ keepPadding: true }), hex("01050001 00000200 00"), "it has not the 2 bytes of padding"],
  [
    fcgi(),
    concat([hex("01050001 00000000"), new Uint8Array(65_536)]),
    "65544 bytes: limit is 65543",
  ],
  [tpkt(), new Uint8Array(65_532), "65532 bytes: limit is 65531 bytes (framing tpkt)"],
  [tpkt({ keepHeader: true }), hex("020000"), "it must begin with a TPKT header, version 3"],
  [
    contentLength({ keepHeader: true }),
    utf8("{}"),
    "it must begin with a header and an empty line",
  ],
  [
    contentLength({ keepHeader: true }),
    utf8("Content-Length: 3\r\n\r\n{}"),
    "its header says 3 bytes, but 2 follow",
  ],
  [contentLength({ keepHeader: true }), utf8("a: b\r\n\r\n"), "the header at its start is wrong"],
];

for (const [i, [framing, message, reason]] of UNSENT.entries()) {
  Deno.test(`${framing.name} does not send (${i}): ${reason}`, () => {
    for (const method of ["frameBytes", "encode", "encodeParts"] as const) {
      const error = assertThrows(() => framing[method](message), ProtocolError);
      assert(error.message.startsWith("Cannot send message"), error.message);
      assert(error.message.includes(reason), error.message);
    }
  });
}
