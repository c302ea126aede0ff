/** What `listen()` gives: iterating, handlers, endpoints, broadcasting, closing. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { connect } from "../../client.ts";
import type { Connection } from "../../connection.ts";
import {
  ConnectError,
  ConnectionClosedError,
  ListenError,
  MessageTooLargeError,
} from "../../errors.ts";
import { text } from "../../format.ts";
import { type Handler, listen, type ListenOptions } from "../../server.ts";
import { framingOf, parseEndpoint, type TcpEndpoint } from "../../transport.ts";
import { turn } from "../support/fake_transport.ts";
import { freePort } from "../support/free_port.ts";
import { RawPeer } from "../support/raw.ts";
import { allTexts, receiveText } from "../support/texts.ts";

const ANY = "127.0.0.1:0";

const echo: Handler = async (connection) => {
  for await (const message of connection) await connection.send(message);
};

/** A handler that is over when the test says so, whatever its connection does. */
function held() {
  const started = Promise.withResolvers<Connection>();
  const release = Promise.withResolvers<void>();
  const handler: Handler = async (connection) => {
    started.resolve(connection);
    await release.promise;
  };
  return { handler, started: started.promise, release: release.resolve };
}

// Iterating.

Deno.test("Server is an iterable of connections; leaving the loop does not close it", async () => {
  await using server = await listen(ANY);
  await using one = await connect(server.endpoints[0]);
  for await (const connection of server) {
    assertEquals(connection.endpoint, server.endpoints[0]);
    connection.send("one");
    break;
  }
  assertEquals(await receiveText(one), "one");
  await using two = await connect(server.endpoints[0]);
  for await (const connection of server) {
    connection.send("two");
    break;
  }
  assertEquals(await receiveText(two), "two");
  assertEquals(server.connections.size, 2);
  server.close();
});

Deno.test("Server shares its connections among loops, each to the one that asked first", async () => {
  await using server = await listen(ANY);
  const loops = [server[Symbol.asyncIterator](), server[Symbol.asyncIterator]()];
  const taken = [loops[1].next(), loops[0].next(), loops[1].next()];
  for (const waiting of taken) {
    await using there = await connect(server.endpoints[0]);
    await using here = (await waiting).value!;
    here.send("hello");
    assertEquals(await receiveText(there), "hello");
    there.closeWrite();
  }
});

Deno.test("Server ends iteration when it closes", async () => {
  const server = await listen(ANY);
  const loop = Array.fromAsync(server);
  await server.close();
  assertEquals(await loop, []);
  assertEquals(await Array.fromAsync(server), []);
});

Deno.test("Server forgets connections that end before a loop takes them", async () => {
  await using server = await listen(ANY);
  const gone = await connect(server.endpoints[0]);
  await using stays = await connect(server.endpoints[0]);
  while (server.connections.size < 2) await turn();
  const [first] = server.connections;
  first.abort();
  await gone.close();
  assertEquals(server.connections.size, 1);
  for await (const connection of server) {
    assert(connection !== first);
    connection.send("hello");
    break;
  }
  assertEquals(await receiveText(stays), "hello");
  server.close();
});

Deno.test("Server does not hand out connections that it is closing", async () => {
  const server = await listen(ANY);
  await using connection = await connect(server.endpoints[0]);
  while (server.connections.size < 1) await turn();
  server.close();
  assertEquals(await Array.fromAsync(server), []);
  assertEquals(await connection.receive(), undefined);
});

Deno.test("Server with a handler cannot be iterated over", async () => {
  await using server = await listen(ANY, echo);
  assertThrows(() => server[Symbol.asyncIterator](), TypeError, "its handler takes");
});

// Handlers.

Deno.test("listen() runs a handler per connection and closes in order what it returns from", async () => {
  await using server = await listen(ANY, (connection) => {
    connection.send("bye");
  });
  await using connection = await connect(server.endpoints[0]);
  assertEquals(await allTexts(connection), ["bye"]);
  assertEquals((await connection.close()).clean, true);
});

Deno.test("listen() takes options, a handler, or both", async () => {
  const options: ListenOptions<string> = { format: text(), framing: "u8" };
  await using server = await listen(ANY, options, async (connection) => {
    for await (const message of connection) connection.send(message.toUpperCase());
  });
  await using connection = await connect(server.endpoints[0], { format: text() });
  connection.send("hello");
  assertEquals(await connection.receive(), "HELLO");
});

Deno.test("Server keeps a handler's error to its own connection, and tells onError", async () => {
  const errors: [unknown, Connection | undefined][] = [];
  const broken = new Error("broken handler");
  const onError = (error: unknown, connection?: Connection) => errors.push([error, connection]);
  await using server = await listen(ANY, { onError }, async (connection) => {
    for await (const message of connection) {
      if (message.length === 0) throw broken;
      connection.send(message);
    }
  });
  await using fine = await connect(server.endpoints[0]);
  await using bad = await connect(server.endpoints[0]);
  bad.send("");
  await bad.receive().catch(() => {});
  fine.send("still here");
  assertEquals(await receiveText(fine), "still here");
  assertEquals(errors.length, 1);
  const [error, connection] = errors[0];
  assertEquals(error, broken);
  assertEquals((await connection!.closed).error, broken);
  assertEquals(server.stats.handlerErrors, 1);
});

Deno.test("Server keeps a handler that throws at once to its own connection", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  await using server = await listen(ANY, { onError }, () => {
    throw "not even an error";
  });
  await using connection = await connect(server.endpoints[0]);
  await connection.receive().catch(() => {});
  assertEquals(errors, ["not even an error"]);
});

Deno.test("Server without onError prints a handler's own error, and nothing that a peer did", async () => {
  const printed: unknown[][] = [];
  const { error } = console;
  console.error = (...line) => printed.push(line);
  try {
    const broken = new Error("broken handler");
    await using server = await listen(ANY, async (connection) => {
      for await (const _ of connection) throw broken;
    });
    await using hostile = await RawPeer.connect(server.endpoints[0]).then((peer) => asyncOf(peer));
    await hostile.peer.send([255, 255, 255, 255]);
    await hostile.peer.drain();
    await using connection = await connect(server.endpoints[0]);
    connection.send("hello");
    await connection.receive().catch(() => {});
    const [local] = printed.map(([line]) => line);
    assertEquals(printed, [[local, broken]]);
    assert(/^Error in a callback of the connection of 127\.0\.0\.1:\d+:$/.test(String(local)));
  } finally {
    console.error = error;
  }
});

Deno.test("Server goes on accepting when onRefuse or onError throws, and prints what they threw", async () => {
  const printed: unknown[][] = [];
  const { error } = console;
  console.error = (...line) => printed.push(line);
  try {
    const broken = new Error("broken callback");
    const fail = () => {
      throw broken;
    };
    const options = { onError: fail, onRefuse: fail, maxConnections: 1 };
    await using server = await listen(ANY, options, async (connection) => {
      if (await receiveText(connection) === "throw") fail();
    });
    const first = await connect(server.endpoints[0]);
    await using refused = await connect(server.endpoints[0]);
    await refused.receive().catch(() => {});
    await first.send("throw");
    await first.receive().catch(() => {});
    await first.close();
    // Reached only if both callbacks' errors were caught.
    await using _second = await connect(server.endpoints[0]);
    assertEquals(printed, Array(2).fill(["Error in a callback of the server:", broken]));
  } finally {
    console.error = error;
  }
});

Deno.test("listen() aborted while its endpoints open rejects with the signal's reason, and leaves none open", async () => {
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  const listening = listen("memory:aborted-early", { signal: controller.signal });
  controller.abort(reason);
  assertEquals(await listening.catch((error) => error), reason);
  await using _again = await listen("memory:aborted-early");
});

function portOf(endpoint: string): number {
  return (parseEndpoint(endpoint) as TcpEndpoint).port;
}

function asyncOf(peer: RawPeer) {
  return { peer, [Symbol.asyncDispose]: () => Promise.resolve(peer.close()) };
}

// Endpoints.

Deno.test("listen() opens several endpoints, each with its own framing, into one stream", async () => {
  let told: readonly string[] = [];
  await using server = await listen(
    [
      "tcp://127.0.0.1:0?framing=line",
      "127.0.0.1:0?framing=u16le",
      "127.0.0.1:0",
    ],
    { framing: "varint", onListen: (endpoints) => told = endpoints },
    echo,
  );
  assertEquals(told, server.endpoints);
  assertEquals(server.endpoints.map((endpoint) => framingOf(parseEndpoint(endpoint))), [
    "line",
    "u16le",
    "varint",
  ]);
  assertEquals(new Set(server.endpoints.map(portOf)).size, 3);
  const frames = ["hi\n", [2, 0, 104, 105], [2, 104, 105]];
  for (const [at, endpoint] of server.endpoints.entries()) {
    using peer = await RawPeer.connect(endpoint);
    await peer.send(frames[at]);
    await peer.closeWrite();
    const expected = [...frames[at]].map((byte) =>
      typeof byte === "string" ? byte.charCodeAt(0) : byte
    );
    assertEquals([...await peer.receive(100)], expected);
  }
});

Deno.test("listen() closes the endpoints that it has opened when a further one cannot be opened", async () => {
  const port = freePort();
  await using taken = await listen(ANY);
  await assertRejects(
    () => listen([`127.0.0.1:${port}`, taken.endpoints[0]]),
    ListenError,
  );
  await assertRejects(() => connect(`127.0.0.1:${port}`), ConnectError);
  await using again = await listen(`127.0.0.1:${port}`);
  assertEquals(again.endpoints, [`tcp://127.0.0.1:${port}?framing=u32be`]);
});

Deno.test("listen() closes its endpoints when onListen throws", async () => {
  let endpoint = "";
  const onListen = ([first]: readonly string[]) => {
    endpoint = first;
    throw new Error("broken onListen");
  };
  const isClosed = async () => {
    await assertRejects(() => listen(ANY, { onListen }), Error, "broken onListen");
    try {
      (await connect(endpoint)).abort();
      return false;
    } catch (error) {
      assertInstanceOf(error, ConnectError);
      return true;
    }
  };
  // The tests beside this one may get the port in between, but not each time.
  assert(await isClosed() || await isClosed() || await isClosed());
});

Deno.test("listen() on a port in use, or an address of another machine, rejects with ListenError", async () => {
  await using taken = await listen(ANY);
  const port = portOf(taken.endpoints[0]);
  const used = await assertRejects(() => listen(`127.0.0.1:${port}`), ListenError);
  assertEquals(
    used.message,
    `Cannot listen on tcp://127.0.0.1:${port}: the port is in use; choose another one, or 0 for any`,
  );
  assertInstanceOf(used.cause, Deno.errors.AddrInUse);
  const foreign = await assertRejects(() => listen("192.0.2.1:0"), ListenError);
  assertEquals(
    foreign.message,
    "Cannot listen on tcp://192.0.2.1:0: this machine does not have that address",
  );
});

Deno.test("listen() refuses wrong options and opens nothing", async () => {
  const wrong: [string | string[], ListenOptions, RegExp][] = [
    ["nowhere", {}, /^Cannot use endpoint "nowhere": it must look like/],
    [ANY, { backlog: 0 }, /^Cannot use backlog 0: it must be an integer from 1 to 65535$/],
    [ANY, { maxConnections: 0 }, /^Cannot use maxConnections 0:/],
    [ANY, { maxConnectionsPerAddress: 1.5 }, /^Cannot use maxConnectionsPerAddress 1.5:/],
    [ANY, { maxUnreadBytes: -1 }, /^Cannot use maxUnreadBytes -1:/],
    [ANY, { framing: "u12" as "u8" }, /^Cannot use framing "u12":/],
  ];
  for (const [endpoint, options, message] of wrong) {
    const error = await assertRejects(() => listen(endpoint, options), Error);
    assert(error instanceof TypeError || error instanceof RangeError);
    assert(message.test(error.message), error.message);
  }
});

Deno.test("Server accepts messages up to 1 MiB by default", async () => {
  const failed = Promise.withResolvers<unknown>();
  await using server = await listen(ANY, { onError: failed.resolve }, echo);
  await using connection = await connect(server.endpoints[0]);
  connection.send(new Uint8Array(1024 * 1024));
  assertEquals((await connection.receive())!.length, 1024 * 1024);
  connection.send(new Uint8Array(1024 * 1024 + 1));
  const error = await failed.promise;
  assertInstanceOf(error, MessageTooLargeError);
  assertEquals([error.size, error.limit], [1_048_577, 1_048_576]);
});

// Broadcasting.

Deno.test("Server.broadcast() sends to all connections but those left out, and counts them", async () => {
  await using server = await listen(ANY);
  const pairs: { here: Connection; there: Connection }[] = [];
  for (let n = 0; n < 3; n++) {
    const [there, { value }] = await Promise.all([
      connect(server.endpoints[0]),
      server[Symbol.asyncIterator]().next(),
    ]);
    pairs.push({ here: value!, there });
  }
  assertEquals(server.broadcast("all"), 3);
  assertEquals(server.broadcast("not the first", { except: pairs[0].here }), 2);
  assertEquals(
    server.broadcast("the first", { except: pairs.slice(1).map(({ here }) => here) }),
    1,
  );
  server.close();
  assertEquals(await Promise.all(pairs.map(({ there }) => allTexts(there))), [
    ["all", "the first"],
    ["all", "not the first"],
    ["all", "not the first"],
  ]);
  for (const { there } of pairs) await there.close();
});

Deno.test("Server.broadcast() counts nobody whom the message is not queued for", async () => {
  await using server = await listen("127.0.0.1:0?framing=line");
  await using there = await connect(server.endpoints[0]);
  const { value: here } = await server[Symbol.asyncIterator]().next();
  const counts = [server.broadcast("one line"), server.broadcast("two\nlines")];
  await here!.closeWrite();
  counts.push(server.broadcast("after closeWrite()"));
  await there.close();
  assertEquals(counts, [1, 0, 0]);
});

// Closing.

Deno.test("Server.close() stops accepting, closes each connection and lets handlers finish", async () => {
  const { handler, started, release } = held();
  const server = await listen(ANY, handler);
  const connection = await connect(server.endpoints[0]);
  const other = await started;
  let closed = false;
  const closing = server.close().then(() => closed = true);
  assertEquals(await connection.receive(), undefined);
  assertEquals((await connection.close()).clean, true);
  assertEquals((await other.closed).reason, "the server is closing");
  await assertRejects(() => connect(server.endpoints[0]), ConnectError);
  assertEquals(closed, false);
  release();
  await closing;
  assertEquals(server.connections.size, 0);
});

Deno.test("Server.close({ grace }) aborts what is left when the grace is over, and does not wait for handlers", async () => {
  const { handler, started, release } = held();
  const server = await listen(ANY, { closeTimeout: 120_000 }, handler);
  using peer = await RawPeer.connect(server.endpoints[0]);
  const connection = await started;
  const startedAt = performance.now();
  await server.close({ grace: 50 });
  assertLess(performance.now() - startedAt, 60_000);
  const { error } = await connection.closed;
  assertInstanceOf(error, ConnectionClosedError);
  assertEquals(
    error.message,
    "Cannot go on with connection: the server closed and 50 ms of grace are over",
  );
  assertEquals(await peer.drain(), 0);
  release();
});

Deno.test("Server.close() twice, and closed, are one; await using closes", async () => {
  let outer;
  {
    await using server = await listen(ANY, echo);
    outer = server;
  }
  await Promise.all([outer.close(), outer.close(), outer.closed]);
  await assertRejects(() => connect(outer.endpoints[0]), ConnectError);
});

Deno.test("Server closes in order when its signal is aborted", async () => {
  const controller = new AbortController();
  const server = await listen(ANY, { signal: controller.signal }, echo);
  const connection = await connect(server.endpoints[0]);
  connection.send("before");
  assertEquals(await receiveText(connection), "before");
  controller.abort();
  assertEquals(await connection.receive(), undefined);
  assertEquals((await connection.close()).clean, true);
  await server.closed;
  const reason = new Error("too late");
  const late = listen(ANY, { signal: AbortSignal.abort(reason) });
  assertEquals(await assertRejects(() => late), reason);
});

Deno.test("Server.close() lets the answer to a request leave that was under way", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const respond = () => {
    asked.resolve();
    return answer.promise;
  };
  const server = await listen("ws://127.0.0.1:0", { web: { respond } });
  const fetched = fetch(server.endpoints[0].replace("ws", "http"));
  await asked.promise;
  const closed = server.close();
  answer.resolve(new Response("whole"));
  assertEquals(await (await fetched).text(), "whole");
  await closed;
});
