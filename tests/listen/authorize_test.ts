/** Who is it? What `authorize` sees over each road, and what becomes of its answers. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { delay } from "@std/async/delay";
import { connect, LengthwiseError, listen, RefusedError, type Server } from "../../mod.ts";
import type { Handshake, ListenOptions, Refusal } from "../../server.ts";
import { SessionCode } from "../../session.ts";
import { cookiesOf } from "../../listen/cookies.ts";
import { isSameUser } from "../../session/users.ts";
import { certificates } from "../support/certificates.ts";
import { HeaderProxy, version2 } from "../support/proxy_headers.ts";
import { RawPeer } from "../support/raw.ts";
import { allTexts, receiveText } from "../support/texts.ts";

const { good, ca, client: alice } = await certificates;
const ROADS = ["tcp", "tls", "ws", "wss"];

interface User {
  readonly id: string;
  readonly roles: readonly string[];
}

interface World extends AsyncDisposable {
  readonly server: Server<Uint8Array, User>;
  readonly endpoint: string;
  readonly asked: Handshake[];
  readonly refused: Refusal[];
  readonly errors: unknown[];
  /** Resolves when so many were refused. */
  until(refusals: number): Promise<void>;
}

type Options = ListenOptions<Uint8Array, User>;

/** A server that tells each peer who it is. */
async function world(
  authorize: NonNullable<Options["authorize"]>,
  { endpoint = "ws://127.0.0.1:0/chat", ...options }: Options & { endpoint?: string } = {},
): Promise<World> {
  const asked: Handshake[] = [];
  const refused: Refusal[] = [];
  const errors: unknown[] = [];
  let told = Promise.withResolvers<void>();
  const server = await listen(endpoint, {
    tls: good,
    refusalMessage: ({ code, reason }) => `${code}: ${reason}`,
    onRefuse(refusal) {
      refused.push(refusal);
      told.resolve();
    },
    onError(error) {
      if (!(error instanceof LengthwiseError)) errors.push(error); // Peers leave as they like here.
    },
    ...options,
    authorize(handshake: Handshake) {
      asked.push(handshake);
      return authorize(handshake);
    },
  }, async (connection) => {
    await connection.send(`${connection.user?.id} ${connection.user?.roles}`);
    for await (const message of connection) await connection.send(message);
  });
  return {
    server,
    endpoint: server.endpoints[0],
    asked,
    refused,
    errors,
    async until(refusals) {
      while (refused.length < refusals) {
        await told.promise;
        told = Promise.withResolvers();
      }
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const ADA: User = { id: "ada", roles: ["admin"] };

/** The status, fields and text of the answer to a request for a WebSocket. */
async function upgrade(endpoint: string, ...lines: string[]) {
  using peer = await RawPeer.connect(endpoint);
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  const fields = ["Host: h", "Upgrade: websocket", "Connection: Upgrade", key];
  const head = ["GET /chat HTTP/1.1", ...fields, "Sec-WebSocket-Version: 13", ...lines, "", ""];
  await peer.send(head.join("\r\n"));
  let answer = "";
  while (!answer.endsWith("\r\n\r\n")) {
    const byte = await peer.receive(1);
    if (byte.length === 0) return { status: 0, head: answer, text: "" };
    answer += String.fromCharCode(...byte);
  }
  const length = Number(/^content-length: (\d+)/im.exec(answer)?.[1] ?? 0);
  const text = new TextDecoder().decode(await peer.receive(length)).trim();
  return { status: Number(answer.slice(9, 12)), head: answer, text };
}

for (const road of ROADS) {
  for (const session of [false, true]) {
    Deno.test(`authorize gives connection.user over ${road}${session ? " with sessions" : ""}`, async () => {
      await using here = await world(() => Promise.resolve(ADA), {
        endpoint: `${road}://127.0.0.1:0`,
        session,
      });
      await using client = await connect(here.endpoint, { tls: { ca: ca.cert } });
      assertEquals(await receiveText(client), "ada admin");
      const [connection] = here.server.connections;
      // It has the type that authorize gives.
      const roles: readonly string[] = connection.user.roles;
      assertEquals(roles, ["admin"]);
      const [{ endpoint, remote, hostname, token }] = here.asked;
      assertEquals([endpoint, remote, hostname, token], [
        here.endpoint,
        connection.remote,
        "127.0.0.1",
        undefined,
      ]);
    });

    Deno.test(`authorize refuses over ${road}${session ? " with sessions" : ""}`, async () => {
      const refusal = new RefusedError("you are banned", { code: "banned" });
      for (const authorize of [() => refusal, () => Promise.reject(refusal)]) {
        await using here = await world(authorize, { endpoint: `${road}://127.0.0.1:0`, session });
        const joining = connect(here.endpoint, { tls: { ca: ca.cert } });
        if (road.startsWith("ws")) {
          const error = await assertRejects(() => joining);
          assertMatch(
            (error as Error).message,
            /the server answered 403 Forbidden: you are banned$/,
          );
        } else if (session) {
          const error = await assertRejects(() => joining) as Error & { code: number };
          assertEquals([error.message.includes("you are banned"), error.code], [
            true,
            SessionCode.UNAUTHORIZED,
          ]);
        } else {
          await using client = await joining;
          assertEquals(await allTexts(client), ["banned: you are banned"]);
        }
        await here.until(1);
        assertEquals(here.refused.map(({ reason, error }) => [reason, error]), [
          ["authorize", refusal],
        ]);
        const { refusals, accepted } = here.server.stats;
        assertEquals([refusals.authorize, refusals.handshake, accepted], [1, 0, 0]);
        assertEquals(here.errors, []);
      }
    });
  }
}

Deno.test("authorize sees URL, query, fields, cookies and subprotocols of a WebSocket", async () => {
  await using here = await world(() => ADA);
  await using _client = await connect(`${here.endpoint}?room=a%20b&room=c`, {
    web: {
      subprotocols: ["v2", "token.s3cret"],
      headers: { Cookie: 'id=7; theme="dark"; id=8; empty=; x', "X-Real": "yes" },
    },
  });
  const [{ url, headers, cookies, subprotocols, token, peer }] = here.asked;
  assertEquals([url?.pathname, url?.searchParams.getAll("room")], ["/chat", ["a b", "c"]]);
  assertEquals([headers.get("x-real"), headers.get("upgrade")], ["yes", "websocket"]);
  assertEquals([...cookies], [["id", "7"], ["theme", "dark"], ["empty", ""]]);
  assertEquals([subprotocols, token, peer], [["v2", "token.s3cret"], undefined, undefined]);
});

Deno.test("authorize sees the identity of a client's certificate, before a message", async () => {
  for (const road of ["tls", "wss"]) {
    await using here = await world(({ peer }) => ({ id: peer!.name, roles: [] }), {
      endpoint: `${road}://127.0.0.1:0`,
      tls: { ...good, clientCa: ca.cert },
    });
    await using client = await connect(here.endpoint, { tls: { ca: ca.cert, ...alice } });
    assertEquals(await receiveText(client), "alice ");
  }
});

Deno.test("authorize sees the client's address behind a named proxy, and no forged one", async () => {
  const options = { endpoint: "ws://127.0.0.1:0/chat?proxy=1", proxies: ["127.0.0.1"] };
  await using here = await world(() => ADA, options);
  await using front = new HeaderProxy(here.endpoint.replace("/chat", ""), version2());
  const headers = { Forwarded: "for=203.0.113.9", "X-Forwarded-For": "203.0.113.9" };
  await using _client = await connect(front.at(here.endpoint), { web: { headers } });
  const [{ hostname, remote }] = here.asked;
  assertEquals([hostname, remote], ["192.0.2.7", "192.0.2.7:50000"]);
});

Deno.test("authorize answers an upgrade with its status, fields and reason", async () => {
  const refusals: Record<string, RefusedError> = {
    "1": new RefusedError("log in first", { status: 401 }),
    "2": new RefusedError("not you", { headers: { "Retry-After": "5" }, status: 429 }),
  };
  await using here = await world(({ cookies }) => refusals[cookies.get("id") ?? ""] ?? ADA);
  const first = await upgrade(here.endpoint, "Cookie: id=1");
  assertEquals([first.status, first.text], [401, "log in first"]);
  assertMatch(first.head, /^www-authenticate: Bearer$/im);
  const second = await upgrade(here.endpoint, "Cookie: id=2");
  assertEquals(second.status, 429);
  assertMatch(second.head, /^retry-after: 5$/im);
  assertEquals((await upgrade(here.endpoint, "Cookie: id=3")).status, 101);
});

Deno.test("authorize is not asked for what is no valid upgrade: origins, keys, versions, cookies of 64 KiB", async () => {
  await using here = await world(() => ADA);
  const large = `Cookie: id=${"x".repeat(64 * 1024)}`;
  const statuses = [
    (await upgrade(here.endpoint, "Origin: https://evil.example")).status,
    (await upgrade(here.endpoint, "Content-Length: 1")).status,
    (await upgrade(here.endpoint, large)).status,
    (await upgrade(here.endpoint, "Sec-WebSocket-Protocol: a b")).status,
  ];
  assertEquals([statuses, here.asked], [[403, 413, 431, 400], []]);
});

Deno.test("authorize that throws refuses with 500 and is told once", async () => {
  const failure = new Error("the database is away");
  for (const road of ["ws", "tcp"]) {
    await using here = await world(() => {
      throw failure;
    }, { endpoint: `${road}://127.0.0.1:0/chat`.replace(/^(tcp.*)\/chat/, "$1") });
    if (road === "ws") {
      const { status, text } = await upgrade(here.endpoint);
      assertEquals([status, text], [500, "the server failed to tell who this is"]);
    } else {
      await using client = await connect(here.endpoint);
      assertEquals(await allTexts(client), ["internal: the server failed to tell who this is"]);
    }
    await here.until(1);
    assertEquals(here.errors, [failure]);
    assertEquals(here.refused.map(({ reason }) => reason), ["authorize"]);
  }
});

Deno.test("authorize that hangs, or answers too late, refuses in time, and nobody else waits", async () => {
  const late = Promise.withResolvers<User>();
  const signals: AbortSignal[] = [];
  await using here = await world(({ cookies, signal }) => {
    const who = cookies.get("id");
    if (who === "ada") return ADA;
    signals.push(signal);
    return who === "late" ? late.promise : new Promise<never>(() => {});
  }, { handshakeTimeout: 500 });
  const waiting = ["late", "never"].map((id) => upgrade(here.endpoint, `Cookie: id=${id}`));
  assertEquals((await upgrade(here.endpoint, "Cookie: id=ada")).status, 101);
  for (const { status, text } of await Promise.all(waiting)) {
    assertEquals([status, text], [503, "who this is was not known within 500 ms"]);
  }
  await here.until(2);
  late.reject(new Error("nobody wants to know that any more"));
  assertEquals(signals.map(({ aborted }) => aborted), [true, true]);
  assertEquals(here.refused.map(({ reason }) => reason), ["authorize", "authorize"]);
  assertEquals(here.errors, []);
});

Deno.test("authorize that hangs over TCP ends by the refusal of the service", async () => {
  await using here = await world(() => new Promise<never>(() => {}), {
    endpoint: "tcp://127.0.0.1:0",
    handshakeTimeout: 300,
  });
  await using client = await connect(here.endpoint);
  assertEquals(await allTexts(client), ["timeout: who this is was not known within 300 ms"]);
});

Deno.test("authorize that hangs does not keep a server from closing", async () => {
  for (const endpoint of ["tcp://127.0.0.1:0", "ws://127.0.0.1:0"]) {
    const begun = Promise.withResolvers<AbortSignal>();
    const here = await world(({ signal }) => {
      begun.resolve(signal);
      return new Promise<never>(() => {});
    }, { endpoint });
    const joining = connect(here.endpoint).then(async (client) => {
      await client.receive();
      await client.close();
    }).catch(() => {});
    const signal = await begun.promise;
    await here.server.close();
    assert(signal.aborted);
    await joining;
    assertEquals(here.server.stats.accepted, 0);
  }
});

Deno.test("authorize judges the tokens of token: true, and messages behind them are not lost", async () => {
  const users: Record<string, User> = { s3cret: ADA };
  const judge = ({ token }: Handshake) => users[token ?? ""] ?? new RefusedError("unknown token");
  for (const session of [false, true]) {
    for (const road of ROADS) {
      await using here = await world(judge, {
        endpoint: `${road}://127.0.0.1:0`,
        token: true,
        session,
      });
      await using client = await connect(here.endpoint, {
        token: "s3cret",
        tls: { ca: ca.cert },
      });
      client.send("hello");
      assertEquals([await receiveText(client), await receiveText(client)], ["ada admin", "hello"]);
      const other = await connect(here.endpoint, { token: "wrong", tls: { ca: ca.cert } })
        .catch(() => undefined);
      if (other !== undefined) await allTexts(other).finally(() => other.close());
      await here.until(1);
      assertEquals(here.refused.map(({ reason }) => reason), ["authorize"]);
    }
  }
});

Deno.test("authorize gets a bearer token before the upgrade, and no first message is asked for then", async () => {
  const judge = ({ token }: Handshake) =>
    token === "s3cret" ? ADA : new RefusedError("unknown token", { status: 401 });
  await using here = await world(judge, { token: true });
  const wrong = await upgrade(here.endpoint, "Authorization: Bearer nothing");
  assertEquals(wrong.status, 401);
  const headers = { Authorization: "Bearer s3cret" };
  await using client = await connect(here.endpoint, { web: { headers } });
  assertEquals(await receiveText(client), "ada admin");
});

Deno.test("authorize is asked after a static token, and not for who does not have it", async () => {
  await using here = await world(() => ADA, { endpoint: "tcp://127.0.0.1:0", token: "open" });
  await using wrong = await connect(here.endpoint, { token: "shut" });
  assertMatch((await allTexts(wrong)).join(), /^token: the first message must be the token/);
  assertEquals(here.asked, []);
  await using right = await connect(here.endpoint, { token: "open" });
  assertEquals(await receiveText(right), "ada admin");
});

Deno.test("authorize is asked again when a session goes on, which only the same user may", async () => {
  let user: User = ADA;
  const closers: (() => void)[] = [];
  await using here = await world(() => user, {
    endpoint: "tcp://127.0.0.1:0",
    session: { retentionTime: 10_000 },
    through: (transport) => (closers.push(() => transport.close()), transport),
  });
  await using client = await connect(here.endpoint, { session: { retry: () => 1 } });
  assertEquals(await receiveText(client), "ada admin");
  const [connection] = here.server.connections;

  user = { id: "ada", roles: [] };
  closers.pop()!();
  client.send("still here");
  assertEquals(await receiveText(client), "still here");
  assertEquals([here.asked.length, connection.user], [2, user]);

  user = { id: "eve", roles: ["admin"] };
  closers.pop()!();
  const { error } = await client.closed;
  assertMatch(String((error as Error).cause ?? error), /the session belongs to another user/);
  assertEquals(here.refused.map(({ reason }) => reason), ["session"]);
});

Deno.test("a refusal by authorize costs an address as much as a wrong token, a failure nothing", async () => {
  let error = new RefusedError("no");
  await using here = await world(() => error, {
    endpoint: "ws://127.0.0.1:0/chat?proxy=1",
    proxies: ["127.0.0.1"],
    maxConnectionRate: 1,
  });
  await using front = new HeaderProxy(here.endpoint.replace("/chat", ""), version2());
  const at = front.at(here.endpoint);
  error = new RefusedError("later", { status: 503 });
  assertEquals((await upgrade(at)).status, 503);
  error = new RefusedError("no");
  assertEquals((await upgrade(at)).status, 403);
  await upgrade(at).catch(() => {});
  assertEquals(here.refused.map(({ reason }) => reason), [
    "authorize",
    "authorize",
    "maxConnectionRate",
  ]);
});

Deno.test("connection.data is the program's own, and empty at first", async () => {
  await using server = await listen("memory:data_of_connections", (connection) => {
    assertEquals([connection.data, connection.user], [{}, undefined]);
    connection.data.count = 1;
    assertEquals(connection.data, { count: 1 });
  });
  await using client = await connect(server.endpoints[0]);
  assertEquals(await receiveText(client), undefined);
  assertEquals(client.data, {});
  assertEquals(server.stats.handlerErrors, 0);
});

Deno.test("listen() with token: true needs authorize, and RefusedError a status that refuses", async () => {
  await assertRejects(
    () => listen("tcp://127.0.0.1:0", { token: true }),
    TypeError,
    "Cannot use token true without authorize",
  );
  for (const status of [200, 399, 600, 403.5]) {
    assertThrows(() => new RefusedError("no", { status }), RangeError, `status ${status}`);
  }
  assertThrows(() => new RefusedError("no", { headers: { "X-A": "b\r\nX-C: d" } }), TypeError);
});

Deno.test("cookiesOf() takes what is there, whatever that is", () => {
  const cookies = (text: string) => [...cookiesOf(new Headers({ Cookie: text }))];
  assertEquals(cookies(""), []);
  assertEquals(cookies(";;= ;a=b=c; __proto__=1;  c = d "), [
    ["", ""],
    ["a", "b=c"],
    ["__proto__", "1"],
    ["c", "d"],
  ]);
  assertEquals(cookiesOf(new Headers()).size, 0);
});

Deno.test("isSameUser() goes by value, by id, or by content", () => {
  const same: [unknown, unknown][] = [
    [1, 1],
    ["a", "a"],
    [undefined, undefined],
    [{ id: 1, a: 2 }, {
      id: 1,
    }],
    [{ a: [1] }, { a: [1] }],
    [NaN, NaN],
  ];
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  const others: [unknown, unknown][] = [
    [1, 2],
    ["1", 1],
    [undefined, null],
    [{ id: 1 }, { id: 2 }],
    [
      { id: 1 },
      {},
    ],
    [{ a: 1 }, { a: 2 }],
    [null, {}],
    [loop, { ...loop }],
  ];
  for (const [one, other] of same) assert(isSameUser(one, other));
  for (const [one, other] of others) assert(!isSameUser(one, other));
});

Deno.test("authorize leaves the answers to other requests as they are, also beyond handshakeTimeout", async () => {
  const body = () =>
    ReadableStream.from((async function* () {
      yield "begun, ";
      await delay(800);
      yield "done";
    })()).pipeThrough(new TextEncoderStream());
  await using here = await world(() => ADA, {
    handshakeTimeout: 500,
    web: { respond: () => new Response(body()) },
  });
  const response = await fetch(here.endpoint.replace("ws:", "http:").replace("/chat", "/page"));
  assertEquals(await response.text(), "begun, done");
  assertEquals([here.asked, here.refused], [[], []]);
});
