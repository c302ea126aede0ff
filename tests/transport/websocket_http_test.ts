import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { createHash } from "node:crypto";
import { connect, ConnectError, listen, type ListenOptions } from "../../mod.ts";
import type { Server } from "../../server.ts";
import { parseEndpoint, type WebSocketEndpoint } from "../../transport.ts";
import { allowsOrigin, parseOrigins } from "../../transport/websocket/origin.ts";
import { hex } from "../support/bytes.ts";
import { ascii, connectResettable, RawListener, RawPeer } from "../support/raw.ts";
import { receiveText } from "../support/texts.ts";

const HANDSHAKE = [
  "Upgrade: websocket",
  "Connection: keep-alive, Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
];

/** A server that echoes, and what it said of those that it turned away. */
async function serve(options: ListenOptions = {}, path = "/") {
  const refusals: string[] = [];
  let refused = Promise.withResolvers<void>();
  const server = await listen(`ws://127.0.0.1:0${path}`, {
    ...options,
    onRefuse({ error }) {
      refusals.push((error as Error)?.message);
      refused.resolve();
      refused = Promise.withResolvers();
    },
  }, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
  const { port } = parseEndpoint(server.endpoints[0]) as WebSocketEndpoint;
  return {
    server,
    refusals,
    /** Waits for so many of them. */
    async refused(count = 1) {
      while (refusals.length < count) await refused.promise;
      assertEquals(refusals.length, count);
      return refusals;
    },
    host: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** The lines of a request. */
function request(startLine: string, ...fields: string[]): string {
  return [startLine, ...fields].map((line) => `${line}\r\n`).join("") + "\r\n";
}

/** A request without a WebSocket, after which the server closes. */
function plain(startLine: string, ...fields: string[]): string {
  return request(startLine, "Connection: close", ...fields);
}

/** A handshake for a path, with more fields, or without those whose lines begin with `without`. */
function upgrade(host: string, path = "/", more: string[] = [], without = "-"): string {
  const fields = HANDSHAKE.filter((line) => !line.startsWith(without));
  return request(`GET ${path} HTTP/1.1`, `Host: ${host}`, ...fields, ...more);
}

function raw(server: Server): Promise<RawPeer> {
  const { hostname, port } = parseEndpoint(server.endpoints[0]) as WebSocketEndpoint;
  return RawPeer.connect(`tcp://${hostname}:${port}`);
}

/** Sends a request; the answer up to the end of the stream, or of the head of a 101. */
async function ask(server: Server, text: string | Uint8Array): Promise<string> {
  using peer = await raw(server);
  await peer.send(text);
  return await readAnswer(peer);
}

async function readAnswer(peer: RawPeer): Promise<string> {
  let answer = "";
  for (;;) {
    const byte = await peer.receive(1);
    if (byte.length === 0) return answer;
    answer += String.fromCharCode(byte[0]);
    if (answer.startsWith("HTTP/1.1 101") && answer.endsWith("\r\n\r\n")) return answer;
  }
}

async function curl(...args: string[]): Promise<string> {
  const command = new Deno.Command("curl", { args: ["-s", "-i", "--max-time", "60", ...args] });
  const { stdout } = await command.output();
  return new TextDecoder().decode(stdout);
}

Deno.test("ws: answers the handshake of RFC 6455, section 1.3, and no subprotocol or extension", async () => {
  await using at = await serve({ web: { subprotocols: [] } }, "/chat");
  const more = ["Sec-WebSocket-Protocol: chat, superchat", "Sec-WebSocket-Extensions: x"];
  assertEquals(
    await ask(at.server, upgrade(at.host, "/chat", more)),
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
  );
});

Deno.test("ws: picks the first subprotocol offered, in one field or several, and refuses what is no name", async () => {
  await using at = await serve();
  const field = "Sec-WebSocket-Protocol:";
  const cases: [string[], RegExp][] = [
    [[`${field} chat, superchat`], /Sec-WebSocket-Protocol: chat\r\n\r\n$/],
    [[`${field}superchat`, `${field} chat`], /Sec-WebSocket-Protocol: superchat\r\n\r\n$/],
    [[`${field} a b`], /^HTTP\/1.1 400 .*"a b", which is no name/s],
    [[`${field} a,,b`], /^HTTP\/1.1 400 .*"", which is no name/s],
  ];
  for (const [more, answer] of cases) {
    assertMatch(await ask(at.server, upgrade(at.host, "/", more)), answer);
  }
});

Deno.test("ws: reads what comes in one chunk with the handshake, and a handshake that comes in bytes", async () => {
  await using at = await serve();
  const hello = hex("8185 37fa213d 7f9f4d5158");
  const bytes = new Uint8Array([...ascii(upgrade(at.host)), ...hello]);
  for (const send of ["send", "sendByteByByte"] as const) {
    using peer = await raw(at.server);
    await peer[send](bytes);
    assertMatch(await readAnswer(peer), /^HTTP\/1.1 101 /);
    assertEquals(await peer.receive(7), hex("8105 48656c6c6f"));
  }
});

Deno.test("ws: answers plain requests, as curl sees it, and does not count them as connections", async () => {
  await using at = await serve({}, "/chat");
  const url = `http://${at.host}`;
  assertMatch(
    await curl(`${url}/health`),
    /^HTTP\/1.1 200 OK\r\n[^]*\r\nContent-Length: 3\r\nDate: .* GMT\r\nConnection: keep-alive\r\n\r\nok\n$/,
  );
  const head = await curl("--head", `${url}/health`);
  assertMatch(head, /^HTTP\/1.1 200 OK\r\n[^]*Content-Length: 3\r\n[^]*\r\n\r\n$/);
  assertMatch(await curl("-0", `${url}/health`), /^HTTP\/1.1 200 OK/);
  const other = await curl(`${url}/`);
  assertMatch(other, /^HTTP\/1.1 426 Upgrade Required\r\n/);
  assertMatch(other, /\r\nConnection: close, Upgrade\r\n/);
  assertMatch(other, /\r\nupgrade: websocket\r\n/i);
  assert(other.endsWith(`\r\n\r\nHere is a WebSocket server; connect to ws://${at.host}/chat\n`));
  assertMatch(await curl("-X", "POST", "-d", "a body", url), /^HTTP\/1.1 426 Upgrade Required/);
  assertEquals([at.server.stats.accepted, at.server.stats.refused], [0, 0]);
});

Deno.test("ws: an answer arrives although the request's body is still on its way", async () => {
  await using at = await serve();
  using peer = await raw(at.server);
  await peer.send(request("PUT / HTTP/1.1", "Host: h", "Content-Length: 150000"));
  await peer.send(new Uint8Array(150_000));
  assertMatch(await readAnswer(peer), /^HTTP\/1.1 426 [^]*Here is a WebSocket server/);
});

Deno.test("ws: takes the path of its endpoint only, with any query unless it has its own", async () => {
  const cases: [endpoint: string, path: string, status: number][] = [
    ["/", "/", 101],
    ["/", "/?token=1", 101],
    ["/", "/chat", 404],
    ["/chat", "/chat", 101],
    ["/chat", "/chat?a=b", 101],
    ["/chat", "/chat/", 404],
    ["/chat", "/Chat", 404],
    ["/chat", "/x/../chat", 101],
    ["/chat", "http://example.com/chat", 101],
    ["/chat?v=1", "/chat?v=1", 101],
    ["/chat?v=1", "/chat", 404],
  ];
  for (const [endpoint, path, status] of cases) {
    await using at = await serve({}, endpoint);
    const answer = await ask(at.server, upgrade(at.host, path));
    assertStringIncludes(answer.slice(0, 14), ` ${status} `, `${endpoint} ${path}`);
  }
});

/** Requests that are refused: what, request, status, text. */
const REFUSED: [what: string, request: string, status: number, text: string][] = [
  [
    "version 8",
    upgrade("h", "/", ["Sec-WebSocket-Version: 8"], "Sec-WebSocket-V"),
    426,
    "it must be 13",
  ],
  ["no version", upgrade("h", "/", [], "Sec-WebSocket-V"), 426, "version is none"],
  ["no key", upgrade("h", "/", [], "Sec-WebSocket-K"), 400, "Sec-WebSocket-Key is not 16 bytes"],
  [
    "a short key",
    upgrade("h", "/", ["Sec-WebSocket-Key: YQ=="], "Sec-WebSocket-K"),
    400,
    "is not 16",
  ],
  ["two keys", upgrade("h", "/", [HANDSHAKE[2]]), 400, "Sec-WebSocket-Key twice"],
  [
    "no Connection",
    upgrade("h", "/", [], "Connection"),
    400,
    "a proxy in between may have dropped",
  ],
  ["POST", upgrade("h").replace("GET", "POST"), 400, "it needs GET of HTTP/1.1, not POST"],
  ["HTTP/1.0", upgrade("h").replace("1.1", "1.0"), 400, "not GET of HTTP/1.0"],
  ["no Host", request("GET / HTTP/1.1", ...HANDSHAKE), 400, "host or target is wrong"],
  ["a wrong Host", upgrade("a b"), 400, "host or target is wrong"],
  ["a Host with a path", upgrade("a/b"), 400, "host or target is wrong"],
  ["two Hosts", upgrade("h", "/", ["Host: other"]), 400, "Host twice"],
  ["a wrong target", upgrade("h", "chat"), 400, "host or target is wrong"],
  ["LF alone", "GET / HTTP/1.1\nHost: h\n\n", 400, "does not end in CR LF"],
  [
    "a folded field",
    request("GET / HTTP/1.1", "Host: h", " more"),
    400,
    'no field in line " more"',
  ],
  ["a space before the colon", request("GET / HTTP/1.1", "Host : h"), 400, "no field in line"],
  ["a field without colon", request("GET / HTTP/1.1", "Host"), 400, 'no field in line "Host"'],
  ["a NUL in a field", request("GET / HTTP/1.1", "Host: h\0"), 400, "no field in line"],
  ["a CR in a field", request("GET / HTTP/1.1", "Host: h\rX: y"), 400, "no field in line"],
  ["an escape sequence", request("GET /\x1b[2J HTTP/1.1", "Host: h"), 400, "control characters"],
  ["an empty line first", `\r\n${upgrade("h")}`, 400, "no HTTP request came"],
  ["small letters", "get / http/1.1\r\n", 400, 'it looks like text, "get "'],
  [
    "the preface of HTTP/2",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    400,
    '"PRI * HTTP/2.0" is no request',
  ],
  ["SSH", "SSH-2.0-OpenSSH_9.6\r\n\r\n", 400, "is no request of HTTP/1.1"],
  ["a framed message", "\0\0\0\x05hello", 400, "no HTTP request came"],
  ["CONNECT", request("CONNECT h:443 HTTP/1.1", "Host: h"), 400, "host or target is wrong"],
  ["TRACE", request("TRACE / HTTP/1.1", "Host: h"), 501, "method TRACE is not supported"],
  ["a body", `${upgrade("h", "/", ["Content-Length: 4"])}body`, 413, "the request has a body"],
  ["chunks", upgrade("h", "/", ["Transfer-Encoding: chunked"]), 413, "the request has a body"],
  ["101 fields", request("GET / HTTP/1.1", ...Array(101).fill("a: b")), 431, "limit is 100"],
  ["17 KiB", request("GET / HTTP/1.1", `a: ${"b".repeat(17_000)}`), 431, "larger than 16384 bytes"],
  ["no end", `GET /${"a".repeat(17_000)}`, 431, "larger than 16384 bytes"],
];

for (const [what, text, status, reason] of REFUSED) {
  Deno.test(`ws: refuses ${what} with ${status}, saying why to the peer and to the server`, async () => {
    await using at = await serve();
    const answer = await ask(at.server, text);
    assertMatch(answer, new RegExp(`^HTTP/1.1 ${status} [^]*\r\n\r\nCannot accept WebSocket: `));
    assertStringIncludes(answer, reason);
    assertEquals(answer.includes("\r\nSec-WebSocket-Version: 13\r\n"), status === 426);
    assertStringIncludes(answer, (await at.refused())[0]);
  });
}

Deno.test("ws: hangs up on a TLS hello without a word, and says which scheme it takes", async () => {
  await using at = await serve();
  assertEquals(await ask(at.server, hex("16030100c8010000c40303")), "");
  assertEquals(await at.refused(), [
    "Cannot accept WebSocket: it looks like a TLS hello, for which an endpoint must be wss://",
  ]);
});

Deno.test("ws: who says nothing, or stops inside the head, is closed at handshakeTimeout; nobody waits for it", async () => {
  await using at = await serve({ handshakeTimeout: 600 });
  using silent = await raw(at.server);
  using slow = await raw(at.server);
  await slow.send("GET / HTTP/1.1\r\nHo");
  await using client = await connect(at.server.endpoints[0]);
  await client.send("at once");
  assertEquals(await receiveText(client), "at once");
  assertEquals([await silent.drain(), await slow.drain()], [0, 0]);
  const reason = "handshake was not finished within 600 ms";
  assertEquals(await at.refused(2), [reason, reason]);
});

Deno.test("ws: who leaves without a byte, in order or not, is no refusal; who leaves after one is", async () => {
  await using at = await serve();
  for (let i = 0; i < 3; i++) {
    using speculative = await raw(at.server);
    await speculative.closeWrite();
    assertEquals(await speculative.drain(), 0);
  }
  (await connectResettable(at.server.endpoints[0].replace("ws:", "tcp:"))).resetAndDestroy();
  using begun = await raw(at.server);
  await begun.send("G");
  await begun.closeWrite();
  assertEquals(await begun.drain(), 0);
  assertEquals(await at.refused(), ["the peer ended inside its HTTP head"]);
  assertEquals(at.server.stats.refused, 1);
  assertEquals(await ask(at.server, upgrade(at.host)).then((answer) => answer.slice(9, 12)), "101");
});

Deno.test("ws: pages connect to their own server, and others only if they are listed", async () => {
  const cases: [origin: string, origins: string[], status: number][] = [
    ["http://HOST", [], 101],
    ["https://HOST", [], 101],
    ["http://evil.example", [], 403],
    ["http://127.0.0.1", [], 403],
    ["null", [], 403],
    ["nonsense", [], 403],
    ["http://HOST.evil.example", [], 403],
    ["https://good.example", ["https://good.example"], 101],
    ["https://good.example", ["https://GOOD.example:443/"], 101],
    ["http://good.example", ["https://good.example"], 403],
    ["https://good.example:8443", ["https://good.example"], 403],
    ["https://any.example", ["*"], 101],
    ["null", ["null"], 101],
  ];
  for (const [origin, origins, status] of cases) {
    await using at = await serve({ web: { origins } });
    const from = origin.replace("HOST", at.host);
    const answer = await ask(at.server, upgrade(at.host, "/", [`Origin: ${from}`]));
    assertStringIncludes(answer.slice(0, 14), ` ${status} `, `${origin} ${origins}`);
    if (status === 101) continue;
    assertStringIncludes(
      answer,
      `Cannot accept WebSocket: origin ${from} is not that of this server, ${at.host}; to allow it, ` +
        "its operator must list it (web.origins, --origin)\n",
    );
  }
});

Deno.test("allowsOrigin() compares hosts without regard to case and default ports", () => {
  const none = parseOrigins([]);
  assert(allowsOrigin(none, "https://chat.example", "Chat.Example", false));
  assert(allowsOrigin(none, "https://chat.example", "chat.example:443", false));
  assert(!allowsOrigin(none, "https://chat.example", "chat.example:80", false));
  assert(!allowsOrigin(none, "http://chat.example:8080", "chat.example", false));
});

Deno.test("allowsOrigin() does not take a stranger's name for this machine at loopback", () => {
  const none = parseOrigins([]);
  assert(!allowsOrigin(none, "http://evil.example:8080", "evil.example:8080", true));
  assert(!allowsOrigin(none, "http://localhost.evil.example", "localhost.evil.example", true));
  for (const host of ["localhost:8080", "chat.localhost", "127.0.0.1:8080", "[::1]:8080"]) {
    assert(allowsOrigin(none, `http://${host}`, host, true), host);
  }
  const listed = parseOrigins(["https://chat.example"]);
  assert(allowsOrigin(listed, "https://chat.example", "chat.example", true));
});

Deno.test("listen() refuses origins that are none, naming them", async () => {
  for (const origin of ["example.com", "https://example.com/path", "", "file:///x"]) {
    await assertRejects(
      () => listen("ws://127.0.0.1:0", { web: { origins: [origin] } }),
      TypeError,
      `Cannot use origin "${origin}": it must look like https://example.com, or be *`,
    );
  }
});

Deno.test("WebOptions.respond answers what wants no WebSocket at the endpoint's path", async () => {
  const seen: string[] = [];
  const respond = async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    seen.push(`${request.method} ${pathname}${search} ${request.headers.get("x-a")}`);
    await Promise.resolve();
    if (pathname === "/none") return new Response(null, { status: 204 });
    const headers = new Headers({ "Content-Type": "text/html", "Content-Length": "999" });
    headers.append("Set-Cookie", "a=1");
    headers.append("Set-Cookie", "b=2");
    return new Response("<p>grüße", { status: 200, statusText: "Fine", headers });
  };
  await using at = await serve({ web: { respond } }, "/ws");
  const page = await ask(at.server, plain("GET /p?q=1 HTTP/1.1", "Host: h", "X-A: 1", "x-a: 2"));
  assertMatch(page, /^HTTP\/1.1 200 Fine\r\n/);
  assertEquals(page.match(/Content-Length: .*/gi), ["Content-Length: 10"]);
  assertEquals(page.match(/Set-Cookie: .*/g), ["Set-Cookie: a=1", "Set-Cookie: b=2"]);
  const none = await ask(at.server, plain("DELETE /none HTTP/1.1", "Host: h"));
  assertMatch(none, /^HTTP\/1.1 204 No Content\r\n/);
  assert(!/content-length/i.test(none));
  assertMatch(await ask(at.server, upgrade("h", "/other")), /^HTTP\/1.1 200 Fine/);
  assertMatch(await ask(at.server, plain("GET /ws HTTP/1.1", "Host: h")), /^HTTP\/1.1 200 Fine/);
  assertEquals(seen, ["GET /p?q=1 1, 2", "DELETE /none null", "GET /other null", "GET /ws null"]);
  assertEquals(at.refusals, []);
});

Deno.test("WebOptions.respond that fails is answered with 500 without details, and told to the server", async () => {
  const failures: [unknown, string][] = [
    [() => Promise.reject(new Error("the password is 12345")), "the password is 12345"],
    [() => "no response", "respond() gave no response"],
    [() => Response.error(), "respond() gave no response"],
    [
      () => new Response(new ReadableStream({ pull: (c) => c.error(new Error("torn")) })),
      "torn",
    ],
  ];
  for (const [respond, message] of failures) {
    await using at = await serve({ web: { respond: respond as () => Response } });
    const answer = await ask(at.server, plain("GET / HTTP/1.1", "Host: h"));
    assertMatch(answer, /^HTTP\/1.1 500 [^]*\r\n\r\nThe server failed to answer\n$/);
    assertStringIncludes((await at.refused())[0], message);
  }
});

Deno.test("WebOptions.respond that never answers is given up at handshakeTimeout", async () => {
  const respond = () => new Promise<Response>(() => {});
  await using at = await serve({ web: { respond }, handshakeTimeout: 50 });
  assertEquals(await ask(at.server, plain("GET / HTTP/1.1", "Host: h")), "");
  assertEquals(await at.refused(), ["handshake was not finished within 50 ms"]);
});

/** What servers answer to our handshake, and what connect() says of it. */
const ANSWERS: [answer: string, reason: string][] = [
  [
    "HTTP/1.1 403 Forbidden\r\nContent-Length: 30\r\n\r\nnot from here\nmore about that..",
    "the server answered 403 Forbidden: not from here",
  ],
  ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "the server answered 404 Not Found"],
  ["HTTP/1.1 503\r\n\r\n\x1b[2Jboo", "the server answered 503: \\x1b[2Jboo"],
  [
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>",
    "the server answered 200 OK",
  ],
  [
    "HTTP/1.1 301 Moved\r\nLocation: wss://example.com/\r\nContent-Length: 5\r\n\r\nmoved",
    "the server answered 301 Moved: it sends to wss://example.com/, which is not followed; connect there if that is right",
  ],
  [
    "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "upgraded to something else",
  ],
  [
    "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
    "Sec-WebSocket-Accept is not the answer to the key",
  ],
  ["HTTP/2 200\r\n\r\n", 'the server\'s answer "HTTP/2 200" is not HTTP/1.1'],
  [
    "SSH-2.0-OpenSSH_9.6\r\n",
    'the server does not speak HTTP: it began with "SSH-2.0-OpenSSH_9.6\\x0d"',
  ],
  ["\x15\x03\x03\x00\x02\x02\x46", "the server speaks TLS; use wss://"],
  ["HTTP/1.1 200 OK\n\n", "the server did not answer as HTTP: a line of its head does not end"],
  [`HTTP/1.1 200 ${"x".repeat(20_000)}`, "its head is larger than 16384 bytes"],
  ["", "the server closed before it answered; it may speak no WebSocket there"],
  ["HTTP/1.1 101", "the server closed before it answered"],
];

for (const [answer, reason] of ANSWERS) {
  Deno.test(`connect() tells of an answer ${JSON.stringify(answer.slice(0, 24))} that ${reason.slice(0, 40)}`, async () => {
    using listener = new RawListener();
    const endpoint = `${listener.endpoint.replace("tcp", "ws")}/chat`;
    const connecting = assertRejects(() => connect(endpoint), ConnectError);
    using peer = await listener.accept();
    let asked = "";
    while (!asked.endsWith("\r\n\r\n")) asked += String.fromCharCode(...await peer.receive(1));
    await peer.send(answer);
    await peer.closeWrite();
    const { message } = await connecting;
    assert(message.startsWith(`Cannot connect to ${endpoint}: `), message);
    assertStringIncludes(message, reason);
    const host = endpoint.slice(5, -5);
    assertMatch(
      asked,
      new RegExp(
        `^GET /chat HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          "Sec-WebSocket-Key: [+/0-9A-Za-z]{22}==\r\nSec-WebSocket-Version: 13\r\n\r\n$",
      ),
    );
  });
}

Deno.test("connect() refuses extensions and subprotocols that it did not offer", async () => {
  for (const name of ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"]) {
    using listener = new RawListener();
    const connecting = assertRejects(
      () => connect(listener.endpoint.replace("tcp", "ws")),
      ConnectError,
      `the server chose ${name} "x", which was not offered`,
    );
    using peer = await listener.accept();
    let asked = "";
    while (!asked.endsWith("\r\n\r\n")) asked += String.fromCharCode(...await peer.receive(1));
    const key = /Key: (.*)\r\n/.exec(asked)![1];
    const proof = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    await peer.send(
      request(
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: WebSocket",
        "Connection: upgrade",
        `Sec-WebSocket-Accept: ${proof.digest("base64")}`,
        `${name}: x`,
      ),
    );
    await connecting;
  }
});

Deno.test("connect() gives up on a silent server at connectTimeout, and at its signal", async () => {
  using listener = new RawListener();
  const endpoint = listener.endpoint.replace("tcp", "ws");
  const timed = assertRejects(
    () => connect(endpoint, { connectTimeout: 100 }),
    ConnectError,
    "no answer within 100 ms",
  );
  using first = await listener.accept();
  await timed;
  assert(await first.drain() > 0, "it was asked");
  const aborter = new AbortController();
  const connecting = connect(endpoint, { signal: aborter.signal }).catch((error) => error);
  using second = await listener.accept();
  await second.receive(10);
  aborter.abort("enough");
  assertEquals(await connecting, "enough");
  await second.drain();
});

Deno.test("ws: an origin that differs in its scheme alone is told so, and so is a name at loopback", async () => {
  await using at = await serve();
  const port = at.host.split(":")[1];
  const cases: [origin: string, host: string, words: string][] = [
    [
      `app://${at.host}`,
      at.host,
      `not that of this server, http://${at.host}, because of its scheme`,
    ],
    [`chrome-extension://${at.host}`, at.host, "because of its scheme"],
    ["https://example.com", "example.com:80", "does not go by the name example.com"],
    [
      `http://evil.test:${port}`,
      `evil.test:${port}`,
      "does not go by the name evil.test of itself",
    ],
  ];
  for (const [origin, host, words] of cases) {
    const answer = await ask(at.server, upgrade(host, "/", [`Origin: ${origin}`]));
    assertMatch(answer, /^HTTP\/1.1 403 /);
    assertStringIncludes(answer, words);
  }
});

Deno.test("ws: OPTIONS is answered, with which load balancers look whether a server is there", async () => {
  await using at = await serve({}, "/chat");
  for (const line of ["OPTIONS / HTTP/1.0", "OPTIONS * HTTP/1.0", "OPTIONS /chat HTTP/1.0"]) {
    assertMatch(
      await ask(at.server, request(line)),
      /^HTTP\/1.1 204 No Content\r\n(.+\r\n)*allow: GET, HEAD, OPTIONS\r\n/i,
    );
  }
  const host = `Host: ${at.host}`;
  assertMatch(await ask(at.server, plain("OPTIONS * HTTP/1.1", host)), /^HTTP\/1.1 204 /);
  assertMatch(await ask(at.server, request("GET * HTTP/1.1", host)), /^HTTP\/1.1 400 /);
});
