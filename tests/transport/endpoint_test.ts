/** Endpoints: where one listens or connects, written as a URL. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { FRAMING_NAMES } from "../../codec.ts";
import {
  type Endpoint,
  formatAddress,
  formatEndpoint,
  framingOf,
  parseEndpoint,
} from "../../transport.ts";

const tcp = (hostname: string, port: number) => ({ transport: "tcp", hostname, port } as const);

const RIGHT: [text: string, endpoint: Endpoint, canonical: string][] = [
  ["tcp://127.0.0.1:1234", tcp("127.0.0.1", 1234), "tcp://127.0.0.1:1234"],
  ["TCP://127.0.0.1:1234/", tcp("127.0.0.1", 1234), "tcp://127.0.0.1:1234"],
  ["127.0.0.1:1234", tcp("127.0.0.1", 1234), "tcp://127.0.0.1:1234"],
  ["chat.example:80", tcp("chat.example", 80), "tcp://chat.example:80"],
  ["tcp.example:80", tcp("tcp.example", 80), "tcp://tcp.example:80"],
  ["localhost:0", tcp("localhost", 0), "tcp://localhost:0"],
  [":1234", tcp("127.0.0.1", 1234), "tcp://127.0.0.1:1234"],
  ["tcp://:65535", tcp("127.0.0.1", 65535), "tcp://127.0.0.1:65535"],
  ["0.0.0.0:7", tcp("0.0.0.0", 7), "tcp://0.0.0.0:7"],
  ["[::1]:1234", tcp("::1", 1234), "tcp://[::1]:1234"],
  ["tcp://[2001:db8::7]:1234", tcp("2001:db8::7", 1234), "tcp://[2001:db8::7]:1234"],
  ["[::ffff:127.0.0.1]:1", tcp("::ffff:127.0.0.1", 1), "tcp://[::ffff:127.0.0.1]:1"],
  ["[fe80::1%eth0]:1", tcp("fe80::1%eth0", 1), "tcp://[fe80::1%eth0]:1"],
  ["my-host_2:01", tcp("my-host_2", 1), "tcp://my-host_2:1"],
  [":1?framing=u8", { ...tcp("127.0.0.1", 1), framing: "u8" }, "tcp://127.0.0.1:1?framing=u8"],
  [
    "tcp://a:1/?framing=line",
    { ...tcp("a", 1), framing: "line" },
    "tcp://a:1?framing=line",
  ],
  [":1?", tcp("127.0.0.1", 1), "tcp://127.0.0.1:1"],
  [
    ":1?framing=length(bytes:4,offset:1,adjustment:-4,strip:0)",
    {
      ...tcp("127.0.0.1", 1),
      framing: "length(offset:1,adjustment:-4,strip:0)",
    },
    "tcp://127.0.0.1:1?framing=length(offset:1,adjustment:-4,strip:0)",
  ],
  [
    ":1?framing=line(telnet%3Afalse)",
    { ...tcp("127.0.0.1", 1), framing: "line(telnet:false)" },
    "tcp://127.0.0.1:1?framing=line(telnet:false)",
  ],
  [
    "unix:/run/x?framing=length(bytes:1)",
    { transport: "unix", path: "/run/x", framing: "u8" },
    "unix:/run/x?framing=u8",
  ],
];

for (const [text, endpoint, canonical] of RIGHT) {
  Deno.test(`parseEndpoint() reads ${text}`, () => {
    assertEquals(parseEndpoint(text), endpoint);
  });

  Deno.test(`formatEndpoint() writes ${text} as ${canonical}, which reads the same`, () => {
    assertEquals(formatEndpoint(endpoint), canonical);
    assertEquals(parseEndpoint(canonical), endpoint);
  });
}

Deno.test("parseEndpoint() knows every framing by its name", () => {
  for (const framing of FRAMING_NAMES) {
    assertEquals(framingOf(parseEndpoint(`:1?framing=${framing}`)), framing);
  }
});

const LOOKS = "it must look like tcp://HOST:PORT, HOST:PORT or :PORT, PORT up to 65535";

const WRONG: [text: string, reason: string][] = [
  ["", LOOKS],
  ["localhost", LOOKS],
  ["1234", `${LOOKS}; did you mean :1234?`],
  ["123456", LOOKS],
  ["localhost:", LOOKS],
  ["localhost:http", LOOKS],
  ["localhost:65536", LOOKS],
  ["localhost:123456", LOOKS],
  ["localhost:-1", LOOKS],
  ["localhost:1.5", LOOKS],
  ["localhost: 1", LOOKS],
  [" localhost:1", LOOKS],
  ["local host:1", LOOKS],
  ["::1:1234", LOOKS],
  ["[::1]", LOOKS],
  ["[::1:1234", LOOKS],
  ["[localhost]:1", LOOKS],
  ["user@localhost:1", LOOKS],
  ["tcp:localhost:1", LOOKS],
  ["tcp:///:1", LOOKS],
  ["localhost:1/path", LOOKS],
  ["localhost:1#fragment", LOOKS],
  ["localhost:1\n", LOOKS],
  [
    "http://localhost:1",
    'transport "http" is unknown; use tcp://HOST:PORT, HOST:PORT or :PORT, tls://, udp://, ws://, wss://, unix:PATH or memory:NAME',
  ],
  ["ws://localhost:99999", "it must look like ws://HOST:PORT/PATH, PORT up to 65535"],
  ["ws://localhost:1/a b", "it must look like ws://HOST:PORT/PATH, PORT up to 65535"],
  [
    "wss://:1/?framing=u8",
    "WebSocket has its own framing, a WebSocket message is a message",
  ],
  [
    "udp://:1?framing=u8",
    "a datagram is a message; its framing can only be line, or none be given",
  ],
  ["udp://:1?ttl=256", 'ttl "256" must be a number from 1 to 255'],
  ["udp://:1?broadcast=yes", 'broadcast "yes" must be 0 or 1'],
  ["udp://:1?group=x.y", 'group "x.y" must be a multicast address, such as 239.1.2.3'],
  [":1?farming=u8", 'option "farming" is unknown; use framing or session or proxy'],
  [":1?framing=u8&more=1", 'option "more" is unknown; use framing or session or proxy'],
  [":1?framing=u32bee", 'framing "u32bee" is unknown, the nearest is "u32be"'],
  [":1?framing=LINE", 'framing "LINE" is unknown, the nearest is "line"'],
  [":1?framing=lenght", 'framing "lenght" is unknown, the nearest is "length"'],
  [
    ":1?framing=length(ofset:1)",
    'framing "length(ofset:1)" is wrong: "ofset" at column 8 is unknown; the nearest is "offset"',
  ],
];

for (const [text, reason] of WRONG) {
  Deno.test(`parseEndpoint() refuses ${JSON.stringify(text)}: ${reason}`, () => {
    const error = assertThrows(() => parseEndpoint(text), TypeError);
    assertEquals(error.message, `Cannot use endpoint "${text}": ${reason}`);
  });
}

Deno.test("parseEndpoint() takes linear time, however long the text", () => {
  const startedAt = performance.now();
  for (const part of ["a", ":", "[", "a:", "[::", "%", "1", "tcp://"]) {
    assertThrows(() => parseEndpoint(part.repeat(100_000)), TypeError);
  }
  assert(performance.now() - startedAt < 10_000);
});

Deno.test("formatAddress() puts IPv6 addresses in brackets", () => {
  assertEquals(formatAddress("127.0.0.1", 1), "127.0.0.1:1");
  assertEquals(formatAddress("::1", 1), "[::1]:1");
});

for (
  const text of [
    "tls://example.com:443?framing=u16be&session=1",
    "tcp://[::1]:7000?session=1",
    "unix:/run/lw.sock?session=1",
    "ws://127.0.0.1:8080/",
    "wss://example.com:443/chat?room=1&session=1",
    "udp://239.1.2.3:5000?group=239.1.2.3&ttl=2&broadcast=1&framing=line",
    "memory:a",
  ]
) {
  Deno.test(`formatEndpoint() writes what parseEndpoint() reads: ${text}`, () => {
    assertEquals(formatEndpoint(parseEndpoint(text)), text);
  });
}

Deno.test("parseEndpoint() leaves the query of a WebSocket to the server, but for session", () => {
  assertEquals(parseEndpoint("ws://example.com?session=0"), {
    transport: "ws",
    hostname: "example.com",
    port: 80,
    path: "/",
    session: false,
  });
  assertEquals(parseEndpoint("wss://example.com?a=1&session=1&b=2"), {
    transport: "wss",
    hostname: "example.com",
    port: 443,
    path: "/?a=1&b=2",
    session: true,
  });
});

for (
  const text of [
    "tcp://user:hunter2@host:1",
    "user:hunter2@host:1",
    "ws://user:hunter2@host:1/",
    "wss://u:hunter2@host/x?framing=u8",
    "udp://u:hunter2@h:1?ttl=999",
    "tls://:hunter2@h:1",
    "foo://u:hunter2@h:1",
    "tcp://u:p/w?hunter2@h:1",
    "memory:u:hunter2@x",
  ]
) {
  Deno.test(`parseEndpoint() refuses ${text}, and does not repeat the password`, () => {
    const error = assertThrows(() => parseEndpoint(text), TypeError);
    assert(!error.message.includes("hunter2"), error.message);
    assert(error.message.endsWith("; an endpoint has no user or password"), error.message);
  });
}
