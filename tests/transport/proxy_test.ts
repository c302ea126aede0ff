import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { concat } from "@std/bytes";
import { ProxyError } from "../../errors.ts";
import type { TcpSocket } from "../../internal/runtime/stream_socket.ts";
import { proxyFor } from "../../programs/client/proxy.ts";
import { dial } from "../../transport/dial.ts";
import { parseProxy } from "../../transport/proxy.ts";
import { Program, testWith } from "../interop/peers.ts";
import { byteByByte, everyCut, hex, utf8 } from "../support/bytes.ts";
import { freePort } from "../support/free_port.ts";
import {
  HttpProxy,
  MICROSOCKS,
  NCAT,
  SocksProxy,
  startMicrosocks,
  startNcat,
} from "../support/proxies.ts";
import { RawListener, RawPeer } from "../support/raw.ts";

const NAME = { hostname: "example.com", port: 1234 };
const HELLO = hex("05 01 00");
const HELLO_WITH_USER = hex("05 02 00 02");
const TO_NAME = concat([hex("05 01 00 03 0b"), utf8("example.com"), hex("04d2")]);
const TUNNEL = hex("05 00 00 01 00000000 0000");
const OK = "HTTP/1.1 200 OK\r\n\r\n";
const CONNECT = "CONNECT example.com:1234 HTTP/1.1\r\nHost: example.com:1234\r\n\r\n";

const never = new AbortController().signal;

/** What the proxy hears, then what it answers, in chunks; nothing for a proxy that only listens. */
type Exchange = [request: Uint8Array | string, answer?: string | Uint8Array | Uint8Array[]];

/** How a dialogue with a proxy ended: the first bytes that came through, or the error. */
interface Ending {
  readonly early?: string;
  readonly error?: unknown;
}

/** Dials through a proxy that says what is written here, and then ends its side. */
async function converse(
  scheme: string,
  exchanges: Exchange[],
  target = NAME,
): Promise<Ending> {
  using listener = new RawListener();
  const dialing = dial(target, {
    signal: never,
    proxy: `${scheme}${listener.endpoint.replace("tcp://", "")}`,
  });
  const talking = (async () => {
    using peer = await listener.accept();
    for (const [request, answer = []] of exchanges) {
      const expected = typeof request === "string" ? utf8(request) : request;
      assertEquals(await peer.receive(expected.length), expected);
      for (const chunk of Array.isArray(answer) ? answer : [answer]) await peer.send(chunk);
    }
    await peer.closeWrite();
    await peer.drain();
  })();
  try {
    using tunnel = new RawPeer(await dialing);
    return { early: new TextDecoder().decode(await tunnel.receive(1_000)) };
  } catch (error) {
    return { error };
  } finally {
    await talking;
  }
}

/** The message with which that fails, without the proxy's port, which differs. */
async function failure(scheme: string, exchanges: Exchange[], target = NAME): Promise<string> {
  const { error, early } = await converse(scheme, exchanges, target);
  assertInstanceOf(error, ProxyError, `there was a tunnel, with "${early}"`);
  return error.message.replace(/127\.0\.0\.1:\d+/, "PROXY");
}

/** A server that sends back what it gets, on loopback. */
class Echo implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #served = this.#serve();

  get target() {
    return { hostname: "127.0.0.1", port: this.#listener.addr.port };
  }

  async #serve(): Promise<void> {
    const clients: Promise<void>[] = [];
    try {
      for (;;) clients.push(this.#echo(await this.#listener.accept()));
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await Promise.all(clients);
  }

  async #echo(conn: Deno.Conn): Promise<void> {
    await conn.readable.pipeTo(conn.writable).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#served;
  }
}

/** Sends bytes and gets them back. */
async function assertEchoes(conn: TcpSocket, count = 300_000): Promise<void> {
  using peer = new RawPeer(conn);
  const bytes = Uint8Array.from({ length: count }, (_, i) => i * 7);
  const [received] = await Promise.all([peer.receive(count), peer.send(bytes)]);
  assertEquals(received, bytes);
}

Deno.test("parseProxy() reads the protocol, the host, the port and who one is", () => {
  const name = { hostname: "h", port: 1080, protocol: "socks5", name: "socks5://h:1080" } as const;
  const credentials = { username: "u", password: "p" };
  assertEquals(parseProxy("socks5://h"), name);
  assertEquals(parseProxy("SOCKS5H://h:1080/"), name);
  assertEquals(parseProxy("socks5://u:p@h"), { ...name, credentials });
  assertEquals(parseProxy("http://u:p@[::1]:3128"), {
    protocol: "http",
    hostname: "::1",
    port: 3128,
    credentials,
    name: "http://[::1]:3128",
  });
  assertEquals(parseProxy("http://h").port, 80);
});

Deno.test("parseProxy() decodes the user and the password", () => {
  const cases: [string, string, string][] = [
    ["a%40b:p%3Aq%2Fr%25", "a@b", "p:q/r%"],
    ["u:p@q/r:s", "u", "p@q/r:s"],
    ["%C3%BC:%E2%82%AC", "ü", "€"],
    ["u", "u", ""],
    ["u:", "u", ""],
  ];
  for (const [text, username, password] of cases) {
    assertEquals(parseProxy(`socks5://${text}@h`).credentials, { username, password }, text);
  }
  assertEquals(parseProxy(`socks5://${"u".repeat(255)}:p@h`).credentials?.username.length, 255);
});

Deno.test("parseProxy() names what is wrong, and never the password", () => {
  const long = "hunter2".repeat(40);
  const cases: [string, string][] = [
    ["hunter2", "Cannot use proxy: it must look like socks5://"],
    ["u:hunter2@h:1080", "Cannot use proxy: it must look like socks5://"],
    ["https://u:hunter2@h", "Cannot use proxy https://…: it must look like socks5://"],
    ["socks4://u:hunter2@h", "Cannot use proxy socks4://…: it must look like"],
    ["socks5://u:hunter2", "Cannot use proxy socks5://…: HOST[:PORT] is missing or wrong"],
    ["socks5://u:hunter2@", "Cannot use proxy socks5://…: HOST[:PORT] is missing or wrong"],
    ["socks5://u:hunter2@h/path", "HOST[:PORT] is missing or wrong"],
    ["socks5://u:hunter2@h?x=y", "HOST[:PORT] is missing or wrong"],
    ["socks5://u:hunter2@::1", "HOST[:PORT] is missing or wrong"],
    ["socks5://u:hunter2@[::1::2]", "the host is no IPv6 address"],
    ["socks5://u:hunter2@h:0", "the port must be from 1 to 65535"],
    ["socks5://u:hunter2@h:65536", "the port must be from 1 to 65535"],
    ["socks5://u:hunter2%@h", 'the password is not percent-encoded UTF-8; write "%" as "%25"'],
    ["socks5://u%ff:hunter2@h", "the user is not percent-encoded UTF-8"],
    ["socks5://:hunter2@h", "the user is empty"],
    [`socks5://u:${long}@h`, "the password is longer than the 255 bytes"],
    [`socks5://${long}:x@h`, "the user is longer than the 255 bytes"],
    ["http://a%3Ab:hunter2@h", 'the user must be without ":"'],
  ];
  for (const [text, what] of cases) {
    const error = assertThrows(() => parseProxy(text), TypeError, what);
    assert(!Deno.inspect(error).replace(/^ +at .*/gm, "").includes("hunter2"), error.message);
  }
});

Deno.test("dial() connects directly without a proxy", async () => {
  await using echo = new Echo();
  await assertEchoes(await dial(echo.target, { signal: never }));
});

Deno.test("dial() rejects with the signal's reason, and leaves no connection behind", async () => {
  using listener = new RawListener();
  const target = { hostname: "127.0.0.1", port: Number(listener.endpoint.split(":").at(-1)) };
  for (const proxy of [undefined, `socks5://127.0.0.1:${target.port}`]) {
    const before = AbortSignal.abort(new Error("before"));
    await assertRejects(() => dial(target, { signal: before, proxy }), Error, "before");
    const during = new AbortController();
    const dialing = dial(target, { signal: during.signal, proxy });
    during.abort(new Error("during"));
    await assertRejects(() => dialing, Error, "during");
  }
});

Deno.test("dial() closes what connects in the moment in which the signal is aborted", async () => {
  using listener = new RawListener();
  const target = { hostname: "127.0.0.1", port: Number(listener.endpoint.split(":").at(-1)) };
  const connect = Deno.connect;
  try {
    for (const proxy of [undefined, `http://127.0.0.1:${target.port}`]) {
      const controller = new AbortController();
      Deno.connect = (async (options: Deno.ConnectOptions) => {
        const conn = await connect(options);
        controller.abort(new Error("just now"));
        return conn;
      }) as typeof Deno.connect;
      const { signal } = controller;
      await assertRejects(() => dial(target, { signal, proxy }), Error, "just now");
    }
  } finally {
    Deno.connect = connect;
  }
});

Deno.test("dial() leaves no connection open, in whichever moment the signal is aborted", async () => {
  using listener = new RawListener();
  const target = { hostname: "127.0.0.1", port: Number(listener.endpoint.split(":").at(-1)) };
  for (let i = 0; i < 100; i++) {
    const controller = new AbortController();
    const dialing = dial(target, { signal: controller.signal });
    const aborted = Promise.withResolvers<void>();
    setTimeout(() => aborted.resolve(controller.abort(new Error("just now"))), 1);
    // Connected before the timer is due, so that this process hears of both at once. In about 5 of
    // 100 the abort comes between the connection and its promise.
    for (const until = performance.now() + 0.9; performance.now() < until;);
    const conn = await dialing.catch(({ message }) => assertEquals(message, "just now"));
    conn?.close();
    await aborted.promise;
  }
});

Deno.test("dial() has nothing to do with the signal any more when it has connected", async () => {
  await using echo = new Echo();
  await using proxy = new SocksProxy();
  for (const url of [undefined, proxy.url]) {
    const controller = new AbortController();
    const conn = await dial(echo.target, { signal: controller.signal, proxy: url });
    controller.abort();
    await assertEchoes(conn, 10);
  }
});

Deno.test("dial() says that the proxy cannot be reached, and why", async () => {
  const port = freePort();
  const error = await assertRejects(
    () => dial(NAME, { signal: never, proxy: `http://u:hunter2@127.0.0.1:${port}` }),
    ProxyError,
  );
  assertEquals(
    error.message,
    `the proxy http://127.0.0.1:${port} cannot be reached: connection refused, nothing listens there`,
  );
});

Deno.test({
  name: "dial() names the permission that the proxy needs",
  permissions: { net: ["example.com"] },
  async fn() {
    const error = await assertRejects(
      () => dial(NAME, { signal: never, proxy: "http://127.0.0.1:9" }),
      Deno.errors.NotCapable,
    );
    assertEquals(error.message, "run with --allow-net=127.0.0.1:9");
  },
});

Deno.test("dial() refuses a host that no proxy understands, before it connects", async () => {
  const wrong = ["", "a b", "a\r\nX: y", "a".repeat(256), "fe80::1%eth0", "a:b", "a/b"];
  for (const hostname of wrong) {
    for (const protocol of ["socks5", "http"]) {
      const proxy = `${protocol}://127.0.0.1:${freePort()}`;
      await assertRejects(
        () => dial({ hostname, port: 1 }, { signal: never, proxy }),
        TypeError,
        "through a proxy, the host must be",
      );
    }
  }
});

Deno.test("SOCKS: a host is asked for by name, IPv4 or IPv6 address", async () => {
  const long = "a".repeat(255);
  const cases: [string, Uint8Array][] = [
    ["example.com", concat([hex("03 0b"), utf8("example.com")])],
    ["bücher.de", concat([hex("03 10"), utf8("xn--bcher-kva.de")])],
    [long, concat([hex("03 ff"), utf8(long)])],
    ["192.0.2.1", hex("01 c0000201")],
    ["::1", hex("04 00000000 00000000 00000000 00000001")],
    ["::", hex("04 00000000 00000000 00000000 00000000")],
    ["2001:DB8:0:0:1::2", hex("04 20010db8 00000000 00010000 00000002")],
    ["1:2:3:4:5:6:7:8", hex("04 00010002 00030004 00050006 00070008")],
    ["::ffff:192.0.2.1", hex("04 00000000 00000000 0000ffff c0000201")],
  ];
  for (const [hostname, address] of cases) {
    const request = concat([hex("05 01 00"), address, hex("ffff")]);
    const target = { hostname, port: 65_535 };
    const exchanges: Exchange[] = [[HELLO, hex("05 00")], [request, TUNNEL]];
    assertEquals(await converse("socks5://", exchanges, target), { early: "" }, hostname);
  }
});

Deno.test("SOCKS: the reply ends where its kind of address ends, in whatever chunks", async () => {
  const addresses = ["01 7f000001", `04 ${"00".repeat(16)}`, "03 00", "03 03 61 62 63"];
  for (const address of addresses) {
    const reply = concat([hex(`05 00 00 ${address} 1234`), utf8("first")]);
    for (const chunks of [[reply], byteByByte(reply), ...everyCut(reply)]) {
      const exchanges: Exchange[] = [[HELLO, byteByByte(hex("05 00"))], [TO_NAME, chunks]];
      assertEquals(await converse("socks5h://", exchanges), { early: "first" });
    }
  }
});

Deno.test("SOCKS: user and password are sent when the proxy wants them", async () => {
  const login = hex("01 04 75736572 05 7040733a77");
  const scheme = "socks5://user:p%40s%3Aw@";
  const cases: Exchange[][] = [
    [[HELLO_WITH_USER, hex("05 02")], [login, byteByByte(hex("01 00"))], [TO_NAME, TUNNEL]],
    [[HELLO_WITH_USER, hex("05 02")], [login, hex("05 00")], [TO_NAME, TUNNEL]],
    [[HELLO_WITH_USER, hex("05 00")], [TO_NAME, TUNNEL]],
  ];
  for (const exchanges of cases) assertEquals(await converse(scheme, exchanges), { early: "" });
  assertEquals(
    await failure(scheme, [[HELLO_WITH_USER, hex("05 02")], [login, hex("01 01")]]),
    "the proxy socks5://PROXY does not accept the user and the password",
  );
});

Deno.test("SOCKS: a proxy that wants to know more than was offered is named", async () => {
  const cases: [string, Uint8Array, string, string][] = [
    ["socks5://", HELLO, "05 ff", "wants a user and a password; write them as socks5://USER:PASS"],
    ["socks5://u:p@", HELLO_WITH_USER, "05 ff", "accepts no user and password, and nobody without"],
    ["socks5://", HELLO, "05 02", "wants authentication method 2, which was not offered"],
    ["socks5://u:p@", HELLO_WITH_USER, "05 01", "wants authentication method 1, which was not"],
  ];
  for (const [scheme, hello, answer, what] of cases) {
    const message = await failure(scheme, [[hello, hex(answer)]]);
    assert(message.startsWith(`the proxy socks5://PROXY ${what}`), message);
  }
});

Deno.test("SOCKS: every reason to refuse is told in words", async () => {
  const reasons = [
    "general failure",
    "connection not allowed by ruleset",
    "network unreachable",
    "host unreachable",
    "connection refused, nothing listens there",
    "time to live expired",
    "command not supported",
    "address type not supported",
    "code 9",
  ];
  for (const [i, reason] of reasons.entries()) {
    // Some proxies end after the code.
    for (const reply of [[5, i + 1], [5, i + 1, 0, 1, 0, 0, 0, 0, 0, 0]]) {
      assertEquals(
        await failure("socks5://", [[HELLO, hex("05 00")], [TO_NAME, Uint8Array.from(reply)]]),
        `the proxy socks5://PROXY refused: ${reason}`,
      );
    }
  }
});

Deno.test("SOCKS: what is no SOCKS proxy is recognized", async () => {
  const cases: [Exchange[], string][] = [
    [
      [[HELLO, "HTTP/1.1 400 Bad Request\r\n\r\n"]],
      "does not speak SOCKS 5, but HTTP; try http:// in its URL",
    ],
    [[[HELLO, hex("00 5b")]], "does not speak SOCKS 5: it answered with the bytes 00 5b"],
    [[[HELLO, "SSH-2.0-x\r\n"]], "does not speak SOCKS 5: it answered with the bytes 53 53"],
    [
      [[HELLO, hex("05 00")], [TO_NAME, hex("16 03 01")]],
      "does not speak SOCKS 5: it answered with the bytes 16 03",
    ],
    [
      [[HELLO, hex("05 00")], [TO_NAME, hex("05 00 00 02 00")]],
      "answered with address type 2, of 1, 3 and 4",
    ],
  ];
  for (const [exchanges, what] of cases) {
    assertEquals(await failure("socks5://", exchanges), `the proxy socks5://PROXY ${what}`);
  }
});

Deno.test("SOCKS: a proxy that ends inside its answers is named", async () => {
  const login = hex("01 01 75 01 70");
  const cases: Exchange[][] = [
    [[HELLO_WITH_USER]],
    [[HELLO_WITH_USER, hex("05")]],
    [[HELLO_WITH_USER, hex("05 02")], [login]],
    [[HELLO_WITH_USER, hex("05 02")], [login, hex("01")]],
    ...Array.from({ length: TUNNEL.length }, (_, cut): Exchange[] => [
      [HELLO_WITH_USER, hex("05 00")],
      [TO_NAME, TUNNEL.subarray(0, cut)],
    ]),
  ];
  for (const exchanges of cases) {
    assertEquals(
      await failure("socks5://u:p@", exchanges),
      "the proxy socks5://PROXY closed the connection instead of answering",
    );
  }
});

Deno.test("CONNECT: a host is asked for by name or address", async () => {
  for (const host of ["example.com", "192.0.2.1", "[2001:db8::1]"]) {
    const request = `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`;
    const target = { hostname: host.replace(/[\[\]]/g, ""), port: 443 };
    assertEquals(await converse("http://", [[request, OK]], target), { early: "" });
  }
});

Deno.test("CONNECT: user and password are sent as Basic", async () => {
  // RFC 7617, sections 2 and 2.1.
  const cases = [
    ["Aladdin:open%20sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="],
    ["test:123%C2%A3", "dGVzdDoxMjPCow=="],
    ["u:a:b", "dTphOmI="],
  ];
  for (const [user, basic] of cases) {
    const request = CONNECT.replace(/\r\n$/, `Proxy-Authorization: Basic ${basic}\r\n\r\n`);
    assertEquals(await converse(`http://${user}@`, [[request, OK]]), { early: "" });
  }
});

Deno.test("CONNECT: the head ends at the empty line, in whatever chunks", async () => {
  const heads = [
    OK,
    "HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n",
    "HTTP/1.1 299\r\n\r\n",
    "HTTP/1.1 200 \n\n",
    "HTTP/1.1 200 OK\nVia: x\r\n\n",
    "HTTP/1.1 200 OK\r\nVia: \rx\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
  ];
  for (const head of heads) {
    for (const early of ["", "\n", "\r\n\r\nfirst", "HTTP/1.1 200 OK\r\n\r\n"]) {
      const answer = utf8(head + early);
      for (const chunks of [[answer], byteByByte(answer)]) {
        assertEquals(await converse("http://", [[CONNECT, chunks]]), { early }, head);
      }
    }
  }
  for (const chunks of everyCut(utf8(`${OK}first`))) {
    assertEquals(await converse("http://", [[CONNECT, chunks]]), { early: "first" });
  }
});

Deno.test("CONNECT: the head may have 16 KiB and no more", async () => {
  const head = (bytes: number) => `HTTP/1.1 200 OK\r\nX: ${"x".repeat(bytes - 24)}\r\n\r\n`;
  assertEquals(head(16_384).length, 16_384);
  assertEquals(await converse("http://", [[CONNECT, `${head(16_384)}first`]]), { early: "first" });
  const tooLong = "the proxy http://PROXY answered with a head of more than 16384 bytes";
  const interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000);
  for (const answer of [head(16_385), interim, `HTTP/1.1 200 ${"x".repeat(20_000)}`]) {
    assertEquals(await failure("http://", [[CONNECT, answer]]), tooLong);
  }
});

Deno.test("CONNECT: every refusal is told", async () => {
  const basic = 'HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n';
  const others = "HTTP/1.1 407 Who?\r\nproxy-authenticate: Negotiate\r\n" +
    "Proxy-Authenticate: \x1b[2J realm\r\n\r\n";
  const cases: [string, string, string][] = [
    ["", basic, "wants a user and a password; write them as http://USER:PASSWORD@HOST:PORT"],
    [
      "",
      "HTTP/1.1 407 \r\n\r\n",
      "wants a user and a password; write them as http://USER:PASSWORD@HOST:PORT",
    ],
    ["u:p@", basic, "does not accept the user and the password"],
    ["", others, "wants authentication by Negotiate or \\x1b[2J, and only Basic is known here"],
    ["", "HTTP/1.1 403 Forbidden\r\n\r\n", "refused: HTTP/1.1 403 Forbidden"],
    ["", "HTTP/1.0 502 Bad\x1b[2JGateway\n\n", "refused: HTTP/1.0 502 Bad\\x1b[2JGateway"],
    ["", "HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n", "refused: HTTP/1.1 302 Found"],
    ["", "HTTP/1.1 101 Switching\r\n\r\n", "refused: HTTP/1.1 101 Switching"],
    ["", `HTTP/1.1 500 ${"x".repeat(500)}\r\n\r\n`, `refused: HTTP/1.1 500 ${"x".repeat(87)}…`],
  ];
  for (const [user, answer, what] of cases) {
    const request = user === ""
      ? CONNECT
      : CONNECT.replace(/\r\n$/, "Proxy-Authorization: Basic dTpw\r\n\r\n");
    const message = await failure(`http://${user}`, [[request, answer]]);
    assertEquals(message, `the proxy http://PROXY ${what}`);
  }
});

Deno.test("CONNECT: what is no HTTP proxy is recognized by its first bytes", async () => {
  const cases: [string | Uint8Array, string][] = [
    ["SSH-2.0-OpenSSH_9.2\r\n", 'does not speak HTTP: it answered "SSH-2"'],
    [hex("05 ff 00 00 00"), "does not speak HTTP, but SOCKS 5; try socks5:// in its URL"],
    [hex("1b 5b 32 4a 07"), 'does not speak HTTP: it answered "\\x1b[2J\\x07"'],
    ["HTTP/2 200\r\n\r\n", 'does not speak HTTP: it answered "HTTP/2 200"'],
    ["HTTP/1.1 2000\r\n\r\n", 'does not speak HTTP: it answered "HTTP/1.1 2000"'],
    ["HTTP/1.1 20\r\n\r\n", 'does not speak HTTP: it answered "HTTP/1.1 20"'],
    ["HTTP/\r\n\r\n", 'does not speak HTTP: it answered "HTTP/"'],
    ["", "closed the connection instead of answering"],
    ["HTT", "closed the connection instead of answering"],
    ["HTTP/1.1 200 OK\r\n", "closed the connection instead of answering"],
  ];
  for (const [answer, what] of cases) {
    assertEquals(await failure("http://", [[CONNECT, answer]]), `the proxy http://PROXY ${what}`);
  }
});

const KINDS = { "SOCKS 5": SocksProxy, "CONNECT": HttpProxy };

for (const [kind, Proxy] of Object.entries(KINDS)) {
  Deno.test(`dial() goes through a ${kind} proxy`, async () => {
    await using echo = new Echo();
    for (const options of [{}, { user: "me:se cret" }, { byteByByte: true }]) {
      await using proxy = new Proxy(options);
      await assertEchoes(await dial(echo.target, { signal: never, proxy: proxy.url }));
      assertEquals(proxy.destinations, [`127.0.0.1:${echo.target.port}`]);
    }
  });

  Deno.test(`dial() lets a ${kind} proxy look up the host`, async () => {
    await using echo = new Echo();
    await using proxy = new Proxy();
    const { port } = echo.target;
    const target = { hostname: "localhost", port };
    await assertEchoes(await dial(target, { signal: never, proxy: proxy.url }), 10);
    assertEquals(proxy.destinations, [`localhost:${port}`]);
  });

  Deno.test(`dial() fails when a ${kind} proxy refuses, knows somebody else or says nonsense`, async () => {
    await using echo = new Echo();
    const cases = [
      [{ refuse: kind === "CONNECT" ? 403 : 2 }, "refused: "],
      [{ user: "other:password" }, "wants a user and a password"],
      [{ garbage: hex("00 ff 00 ff 00 ff") }, "does not speak"],
    ] as const;
    for (const [options, what] of cases) {
      await using proxy = new Proxy(options);
      const url = proxy.url.replace(/\/\/.*@/, "//");
      await assertRejects(() => dial(echo.target, { signal: never, proxy: url }), ProxyError, what);
    }
  });

  Deno.test(`dial() gives a hanging ${kind} proxy up when the signal is aborted`, async () => {
    const answers = kind === "CONNECT" ? 1 : 3;
    await using echo = new Echo();
    for (let hangAfter = 0; hangAfter < answers; hangAfter++) {
      await using proxy = new Proxy({ user: "me:secret", hangAfter });
      const controller = new AbortController();
      const dialing = dial(echo.target, { signal: controller.signal, proxy: proxy.url });
      await proxy.hanging;
      controller.abort(new Error("too slow"));
      await assertRejects(() => dialing, Error, "too slow");
    }
  });

  await testWith(NCAT, `${Proxy.name} serves Ncat, so it is a ${kind} proxy`, async () => {
    await using echo = new Echo();
    await using proxy = new Proxy({ user: "me:secret" });
    const { hostname, port } = echo.target;
    await using client = new Program([
      ...["ncat", "--proxy", `127.0.0.1:${proxy.port}`, "--proxy-auth", "me:secret"],
      ...["--proxy-type", kind === "CONNECT" ? "http" : "socks5", hostname, `${port}`],
    ]);
    await client.type("hello\n");
    assertEquals(await client.until("\n"), "hello\n");
  });
}

await testWith(NCAT, "dial() goes through Ncat as an HTTP proxy", async () => {
  await using echo = new Echo();
  await using proxy = await startNcat("me:secret");
  const url = `http://me:secret@127.0.0.1:${proxy.port}`;
  await assertEchoes(await dial(echo.target, { signal: never, proxy: url }));
  const messages = [
    ["http://", "wants a user and a password"],
    ["http://me:wrong@", "does not accept the user and the password"],
  ];
  for (const [scheme, message] of messages) {
    await assertRejects(
      () => dial(echo.target, { signal: never, proxy: `${scheme}127.0.0.1:${proxy.port}` }),
      ProxyError,
      message,
    );
  }
});

await testWith(MICROSOCKS, "dial() goes through microsocks", async () => {
  await using echo = new Echo();
  await using proxy = await startMicrosocks("me", "secret");
  const address = `127.0.0.1:${proxy.port}`;
  const url = `socks5://me:secret@${address}`;
  await assertEchoes(await dial(echo.target, { signal: never, proxy: url }));
  const { port } = echo.target;
  const byName = { hostname: "localhost", port };
  await assertEchoes(await dial(byName, { signal: never, proxy: url }), 10);
  const closed = { hostname: "127.0.0.1", port: freePort() };
  const cases = [
    [echo.target, `socks5://${address}`, "wants a user and a password"],
    [echo.target, `socks5://me:wrong@${address}`, "does not accept the user and the password"],
    [closed, url, "refused: connection refused, nothing listens there"],
  ] as const;
  for (const [target, proxy, message] of cases) {
    await assertRejects(() => dial(target, { signal: never, proxy }), ProxyError, message);
  }
});

/** The proxy for an endpoint in an environment. */
function proxyIn(
  variables: Record<string, string>,
  endpoint: string,
  warn?: (message: string) => void,
): string | undefined {
  return proxyFor(endpoint, undefined, (name) => variables[name], warn);
}

Deno.test("proxyFor() takes what --proxy says for whatever goes by TCP", () => {
  const endpoints = ["tcp://h:1", "tls://h:1", "ws://h/", "wss://h/", "tcp://127.0.0.1:1"];
  for (const endpoint of endpoints) {
    assertEquals(proxyFor(endpoint, "socks5://p", () => "http://other"), "socks5://p");
  }
  assertEquals(
    proxyFor({ transport: "tcp", hostname: "h", port: 1 }, "http://p", () => "*"),
    "http://p",
  );
});

Deno.test("proxyFor() refuses --proxy for what cannot go through one, and a wrong one", () => {
  for (const endpoint of ["udp://h:1", "unix:/tmp/x", "memory:x"]) {
    const error = assertThrows(() => proxyFor(endpoint, "socks5://u:hunter2@p"), TypeError);
    assertEquals(
      error.message,
      `Cannot use --proxy socks5://p:1080 together with "${endpoint}": ` +
        "only tcp, tls, wss, ws go through a proxy",
    );
    assertEquals(proxyIn({ ALL_PROXY: "socks5://p", http_proxy: "p:1" }, endpoint), undefined);
  }
  assertThrows(() => proxyFor("tcp://h:1", "ftp://p"), TypeError, "Cannot use proxy ftp://…");
});

Deno.test("proxyFor() looks at the variables that fit the transport", () => {
  const cases: [Record<string, string>, string, string | undefined][] = [
    [{}, "tcp://h:1", undefined],
    [{ ALL_PROXY: "socks5://a" }, "tcp://h:1", "socks5://a"],
    [{ all_proxy: "socks5://b", ALL_PROXY: "socks5://a" }, "tcp://h:1", "socks5://b"],
    [{ all_proxy: "", ALL_PROXY: "socks5://a" }, "tcp://h:1", "socks5://a"],
    [{ HTTPS_PROXY: "http://s", http_proxy: "http://h" }, "tcp://h:1", undefined],
    [{ HTTPS_PROXY: "http://s", ALL_PROXY: "http://a" }, "tls://h:1", "http://s"],
    [{ HTTPS_PROXY: "http://s", ALL_PROXY: "http://a" }, "wss://h/", "http://s"],
    [{ HTTPS_PROXY: "http://s", ALL_PROXY: "http://a" }, "ws://h/", "http://a"],
    [{ http_proxy: "http://l", ALL_PROXY: "http://a" }, "ws://h/", "http://l"],
    [{ HTTP_PROXY: "http://cgi" }, "ws://h/", undefined],
    [{ ALL_PROXY: "proxy:3128" }, "tcp://h:1", "http://proxy:3128"],
  ];
  for (const [variables, endpoint, expected] of cases) {
    assertEquals(proxyIn(variables, endpoint), expected, Deno.inspect([variables, endpoint]));
  }
});

Deno.test("proxyFor() passes over variables that it does not understand, with one warning", () => {
  const wrong = "https://u:hunter2@p";
  const cases: [Record<string, string>, string, string | undefined, RegExp | undefined][] = [
    [{ ALL_PROXY: wrong }, "tcp://h:1", undefined, /'s ALL_PROXY says: connecting without/],
    [{ all_proxy: wrong, ALL_PROXY: wrong }, "tcp://h:1", undefined, /'s all_proxy and ALL_PROXY/],
    [{ all_proxy: wrong, ALL_PROXY: "socks5://a" }, "tcp://h:1", "socks5://a", /the next variable/],
    [
      { https_proxy: "ftp://x", ALL_PROXY: "http://a" },
      "wss://h/",
      "http://a",
      /^Cannot use proxy ftp/,
    ],
    [{ http_proxy: ":", ALL_PROXY: "socks4://a" }, "ws://h/", undefined, /^Cannot use proxy http/],
    [{ all_proxy: "direct://" }, "tcp://h:1", undefined, /^Cannot use proxy direct/],
    [{ all_proxy: wrong }, "tcp://127.0.0.1:1", undefined, undefined],
    [{ all_proxy: wrong, no_proxy: "h" }, "tcp://h:1", undefined, undefined],
  ];
  for (const [variables, endpoint, expected, warning] of cases) {
    const warnings: string[] = [];
    const what = Deno.inspect([variables, endpoint]);
    assertEquals(proxyIn(variables, endpoint, (text) => warnings.push(text)), expected, what);
    assertEquals(warnings.length, warning === undefined ? 0 : 1, what);
    if (warning !== undefined) assertMatch(warnings[0], warning);
    assert(!warnings.join().includes("hunter2"));
  }
});

Deno.test("parseProxy() takes the socks:// that desktops set for SOCKS5", () => {
  for (const url of ["socks://h:1080/", "SOCKS://h:1080", "socks://h"]) {
    assertEquals(parseProxy(url), parseProxy("socks5://h:1080"));
  }
  assertEquals(
    proxyIn({ all_proxy: "socks://10.0.0.1:9/" }, "tcp://h:1"),
    "socks://10.0.0.1:9/",
  );
});

Deno.test("proxyFor() leaves this machine out of the environment's proxies", () => {
  const near = ["127.0.0.1", "127.9.9.9", "localhost", "a.LOCALHOST", "localhost.", "0.0.0.0"];
  near.push("[::1]", "[::]", "[0:0::1]", "[::ffff:127.0.0.1]", "[fe80::1%eth0]");
  for (const host of near) {
    assertEquals(proxyIn({ ALL_PROXY: "http://a" }, `tcp://${host}:1`), undefined, host);
  }
  for (const host of ["128.0.0.1", "notlocalhost", "localhost.example", "[::2]"]) {
    assertEquals(proxyIn({ ALL_PROXY: "http://a" }, `tcp://${host}:1`), "http://a", host);
  }
});

Deno.test("proxyFor() leaves out what NO_PROXY lists", () => {
  const cases: [list: string, out: string[], through: string[]][] = [
    ["*", ["h", "10.0.0.1", "[fd00::1]"], []],
    ["", [], ["h"]],
    ["a.b", ["a.b", "x.a.b", "A.B", "a.b."], ["xa.b", "b", "a.b.c"]],
    [".a.b", ["a.b", "x.a.b"], ["xa.b"]],
    ["*.a.b", ["x.a.b"], ["xa.b"]],
    [" x , a.b,, y ", ["a.b", "x", "y"], ["z"]],
    ["A.B.", ["a.b"], []],
    ["a.b:1", ["a.b"], []],
    ["a.b:2", [], ["a.b"]],
    ["10.0.0.1", ["10.0.0.1"], ["10.0.0.2", "110.0.0.1"]],
    ["0.0.1", [], ["10.0.0.1"]],
    ["10.0.0.0/8", ["10.0.0.1", "10.255.0.1"], ["11.0.0.1", "h"]],
    ["10.0.0.1:1,10.0.0.2:2", ["10.0.0.1"], ["10.0.0.2"]],
    ["fd00::/8", ["[fd12::1]"], ["[fe00::1]"]],
    ["[fd00::1]:1", ["[fd00::1]", "[fd00:0::1]"], ["[fd00::2]"]],
    ["fd00::1", ["[fd00::1]"], ["[fd00::2]"]],
    ["/,:,[,],.,10.0.0.0/99,10.0.0.0/x,::/129", [], ["10.0.0.0", "h", "[fd00::1]"]],
  ];
  for (const [list, out, through] of cases) {
    for (const name of ["NO_PROXY", "no_proxy"]) {
      const variables = { ALL_PROXY: "http://a", [name]: list };
      for (const host of out) {
        assertEquals(proxyIn(variables, `tcp://${host}:1`), undefined, `${list} and ${host}`);
      }
      for (const host of through) {
        assertEquals(proxyIn(variables, `tcp://${host}:1`), "http://a", `${list} and ${host}`);
      }
    }
  }
});

Deno.test({
  name: "proxyFor() does not read variables that it may not read",
  permissions: { env: ["NO_PROXY"] },
  fn: () => assertEquals(proxyFor("tcp://h:1"), undefined),
});

Deno.test("parseProxy() leaves out what a file puts behind a URL or a password", () => {
  for (const line of ["http://ada:secret@proxy:8080\n", "http://ada:secret%0D%0A@proxy:8080\r\n"]) {
    assertEquals(parseProxy(line), parseProxy("http://ada:secret@proxy:8080"));
  }
});
