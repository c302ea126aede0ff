/** Headers of the PROXY protocol: read at every cut, and refused when they are wrong. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "../../errors.ts";
import { crc32c } from "../../transport/proxied/crc32c.ts";
import { readHeader } from "../../transport/proxied/header.ts";
import { ENDS_IPV6, version1, type Version2, version2 } from "../support/proxy_headers.ts";
import { ascii } from "../support/raw.ts";

const IPV4 = { hostname: "192.0.2.7", port: 50_000 };
const IPV6 = { hostname: "2001:db8::7", port: 50_000 };
const MAPPED = [...Array(10).fill(0), 255, 255, 192, 0, 2, 7];
const UNIX = Array(216).fill(0);

/** Whole headers, and whom they name. */
const RIGHT: [what: string, header: Uint8Array, source: typeof IPV4 | undefined][] = [
  ["TCP4", version1(), IPV4],
  ["TCP6", version1("PROXY TCP6 2001:DB8::7 2001:db8::1 50000 443"), IPV6],
  ["TCP6, mapped", version1("PROXY TCP6 ::ffff:192.0.2.7 ::1 50000 443"), IPV4],
  [
    "TCP6, the longest",
    version1(
      `PROXY TCP6 ${Array(2).fill(Array(8).fill("ffff").join(":")).join(" ")} 65535 65535`,
    ),
    { hostname: Array(8).fill("ffff").join(":"), port: 65_535 },
  ],
  ["ports of zero", version1("PROXY TCP4 192.0.2.7 198.51.100.1 0 0"), { ...IPV4, port: 0 }],
  ["UNKNOWN", version1("PROXY UNKNOWN"), undefined],
  ["UNKNOWN, with what nobody reads", version1("PROXY UNKNOWN ffff::1 what ever"), undefined],
  ["version 2, IPv4", version2(), IPV4],
  ["version 2, IPv6", version2({ family: 0x21, ends: ENDS_IPV6 }), IPV6],
  [
    "version 2, IPv4-mapped",
    version2({ family: 0x21, ends: [...MAPPED, ...ENDS_IPV6.slice(16)] }),
    IPV4,
  ],
  ["version 2, Unix", version2({ family: 0x31, ends: UNIX }), undefined],
  ["version 2, unspecified", version2({ family: 0, ends: [] }), undefined],
  ["LOCAL", version2({ command: 0x20, family: 0, ends: [] }), undefined],
  ["LOCAL with addresses", version2({ command: 0x20 }), undefined],
  ["LOCAL of a family that nobody knows", version2({ command: 0x20, family: 0x99 }), undefined],
  [
    "extensions",
    version2({ extensions: [[1, [0x68, 0x32]], [4, []], [0xea, Array(300).fill(7)]] }),
    IPV4,
  ],
  ["a checksum", version2({ sum: true }), IPV4],
  ["a checksum behind others", version2({ extensions: [[5, [1, 2, 3]]], sum: true }), IPV4],
  ["the longest", version2({ extensions: [[4, Array(4096 - 16 - 12 - 3).fill(0)]] }), IPV4],
];

Deno.test("readHeader() finds the client of a header, cut anywhere, and where the header ends", () => {
  for (const [what, header, source] of RIGHT) {
    for (let cut = 0; cut < header.length; cut++) {
      assertEquals(readHeader(header.subarray(0, cut)), undefined, `${what}, cut at ${cut}`);
    }
    const followed = Uint8Array.from([9, 9, ...header, 13, 10, 0]).subarray(2);
    for (let more = 0; more <= 3; more++) {
      const arrived = followed.subarray(0, header.length + more);
      assertEquals(readHeader(arrived), { bytes: header.length, source }, what);
    }
  }
});

/** Wrong headers, what is wrong, and how many bytes tell it at least. */
const WRONG: [header: Uint8Array, state: string, from?: number][] = [
  [ascii("GET / HTTP/1.1\r\n"), 'it begins with "GET / HTTP/1.1\\x0d\\x0a"', 16],
  [Uint8Array.of(0, 0, 0, 5, 1), 'it begins with "\\x00\\x00\\x00\\x05\\x01"', 5],
  [ascii("PROXY\tTCP4"), 'it begins with "PROXY\tTCP4"', 10],
  [ascii(`PROXY ${"x".repeat(101)}`), "its line is longer than 107 bytes", 107],
  [ascii(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`), "its line is longer than 107 bytes", 107],
  [ascii("PROXY UNKNOWN\n"), "its line does not end in CR LF"],
  ...[
    "PROXY ",
    "PROXY TCP4",
    "PROXY UNKNOWNS",
    "PROXY TCP4 192.0.2.7 198.51.100.1 50000",
    "PROXY TCP4 192.0.2.7 198.51.100.1 50000 443 1",
    "PROXY TCP4  192.0.2.7 198.51.100.1 50000 443",
    "PROXY TCP4 192.0.2.7 198.51.100.1 65536 443",
    "PROXY TCP4 192.0.2.7 198.51.100.1 050 443",
    "PROXY TCP4 192.0.2.7 198.51.100.1 -1 443",
    "PROXY TCP4 192.0.2.256 198.51.100.1 1 443",
    "PROXY TCP4 192.0.2.07 198.51.100.1 1 443",
    "PROXY TCP4 ::1 ::2 50000 443",
    "PROXY TCP4 localhost 198.51.100.1 1 443",
    "PROXY TCP6 192.0.2.7 198.51.100.1 50000 443",
    "PROXY TCP6 fe80::1%eth0 ::1 50000 443",
    "PROXY TCP5 192.0.2.7 198.51.100.1 50000 443",
    "PROXY UDP4 192.0.2.7 198.51.100.1 50000 443",
  ].map((line): [Uint8Array, string] => [version1(line), `its line is "${line}"`]),
  [version2({ command: 0x11 }), "its version and command are 0x11", 13],
  [version2({ command: 0x22 }), "its version and command are 0x22", 13],
  [version2({ length: 4081 }), "it says that it has 4097 bytes, limit is 4096 bytes", 16],
  [version2({ length: 65_535 }), "it says that it has 65551 bytes, limit is 4096 bytes", 16],
  [version2({ family: 0x41 }), "its family of addresses is 0x41"],
  [version2({ family: 0x13 }), "its family of addresses is 0x13"],
  [version2({ family: 0x12 }), "it is of a protocol that is no stream"],
  [version2({ family: 0x22, ends: ENDS_IPV6 }), "it is of a protocol that is no stream"],
  [version2({ family: 0x10 }), "it is of a protocol that is no stream"],
  [version2({ family: 0x21 }), "its addresses are cut"],
  [version2({ ends: [1, 2, 3] }), "its addresses are cut"],
  [version2({ extensions: [[1, [1]]], length: 15 }), "an extension is cut"],
  [version2({ extensions: [[1, [1]]], length: 14 }), "an extension is cut"],
  [version2({ extensions: [[1, [1]]], length: 13 }), "an extension is cut"],
  [
    version2({ extensions: [[3, [1, 2, 3, 4]]] }),
    "its checksum (CRC-32C) is not that of its bytes",
  ],
  [version2({ extensions: [[3, [1, 2, 3]]] }), "its checksum has 3 bytes"],
];

Deno.test("readHeader() refuses a wrong header as soon as that can be told", () => {
  for (const [header, state, from = header.length] of WRONG) {
    const error = assertThrows(() => readHeader(header), ProtocolError);
    assertEquals(error.message, `Cannot read PROXY header: ${state}`);
    if (from < header.length) {
      assertThrows(() => readHeader(header.subarray(0, from)), ProtocolError);
    }
  }
});

Deno.test("readHeader() finds each bit of a header with a checksum that is flipped", () => {
  const options: Version2 = { extensions: [[5, [1, 2, 3]]], sum: true };
  for (let bit = 0; bit < version2(options).length * 8; bit++) {
    const header = version2(options);
    header[bit >> 3] ^= 1 << (bit & 7);
    // The extension is another one then, LOCAL says nothing, and a greater length waits for more.
    if (bit >> 3 === header.length - 7 || header[12] === 0x20) continue;
    if (header.length < 16 + (header[14] << 8 | header[15])) continue;
    assertThrows(() => readHeader(header), ProtocolError);
  }
});

Deno.test("readHeader() refuses what is wrong by a ProtocolError, whatever bytes come", () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const starts = [Uint8Array.of(), version1().subarray(0, 11), version2().subarray(0, 12)];
  fc.assert(fc.property(fc.constantFrom(...starts), bytes, (start, rest) => {
    const arrived = Uint8Array.from([...start, ...rest]);
    try {
      const header = readHeader(arrived);
      if (header !== undefined) assert(header.bytes <= arrived.length);
    } catch (error) {
      assert(error instanceof ProtocolError, String(error));
    }
  }));
});

Deno.test("crc32c() is that of the catalogues", () => {
  assertEquals(crc32c(ascii("123456789")), 0xe306_9283);
  assertEquals(crc32c(new Uint8Array(32)), 0x8a91_36aa); // RFC 3720, B.4
});
