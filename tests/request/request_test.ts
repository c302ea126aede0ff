/** Requests and notifications: the guarantees of `RequestPeer`, in memory and over TCP. */

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { fromHex, toHex } from "../../internal/encoding.ts";
import { connect } from "../../client.ts";
import { Connection } from "../../connection.ts";
import { ConnectionClosedError, ConnectionLostError, MessageTooLargeError } from "../../errors.ts";
import { RequestError, type RequestOptions, requests, validated } from "../../request.ts";
import { listen } from "../../server.ts";
import { memoryPair, withFaults } from "../../testing.ts";
import { character } from "../support/characters.ts";
import { ends, HELLO, rawEnds, settle, tcpEnds } from "../support/requests.ts";

/** A handler that waits until it is told, and tells that it has begun. */
function gate() {
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  return { begun: begun.promise, open: go.resolve, handler: () => (begun.resolve(), go.promise) };
}

const silent: RequestOptions = { onError: () => {} };

for (const [where, make] of [["in memory", ends], ["over TCP", tcpEnds]] as const) {
  Deno.test(`RequestPeer.request() gives what the handler gives, both ways at once, ${where}`, async () => {
    await using pair = await make(
      { double: (n) => 2 * n, later: async (n) => (await Promise.resolve(), n + 1) },
      { callerHandlers: { half: (n) => n / 2 } },
    );
    const { caller, answerer } = pair;
    const numbers = Array.from({ length: 3000 }, (_, n) => n);
    const [doubles, laters, halves] = await Promise.all([
      Promise.all(numbers.map((n) => caller.request("double", n))),
      Promise.all(numbers.map((n) => caller.request("later", n))),
      Promise.all(numbers.map((n) => answerer.request("half", n))),
    ]);
    assertEquals(doubles, numbers.map((n) => 2 * n));
    assertEquals(laters, numbers.map((n) => n + 1));
    assertEquals(halves, numbers.map((n) => n / 2));
    assertEquals([caller.stats.outstanding, answerer.stats.handling, caller.stats.late], [0, 0, 0]);
  });
}

const VALUES: unknown[] = [
  undefined,
  null,
  0,
  -1.5e300,
  "",
  "\u0000\u{1f600}é\ud7ff",
  "\ufffd",
  "\ufeff",
  "x".repeat(100_000),
  "é".repeat(40_000),
  true,
  [],
  { a: [{ b: null }] },
  JSON.parse('{"__proto__":{"x":1}}'),
  new Uint8Array(0),
  Uint8Array.of(0, 255),
  new Uint8Array(31_000).fill(7),
  new Uint8Array(100_000).fill(7),
];

Deno.test("RequestPeer.request() carries JSON and bytes as they are, and undefined apart from null", async () => {
  await using pair = ends({ same: (value) => value });
  for (const value of VALUES) assertEquals(await pair.caller.request("same", value), value);
  const all = await Promise.all(VALUES.map((value) => pair.caller.request("same", value)));
  assertEquals(all, VALUES);
});

Deno.test("RequestPeer.request() carries any JSON under any name", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: character, minLength: 1, maxLength: 60 }),
      fc.jsonValue(),
      async (name, value) => {
        await using pair = ends(Object.fromEntries([[name, (params: unknown) => [params]]]));
        const sent = JSON.parse(JSON.stringify([value]));
        assertEquals(await pair.caller.request(name, value), sent);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("RequestPeer.request() keeps requests apart, whatever is done at the same time", async () => {
  const one = fc.record({
    from: fc.boolean(),
    kind: fc.constantFrom("value", "fail", "stream", "upload", "cancel", "notify"),
    turns: fc.nat(4),
    size: fc.nat(40),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 60 }), fc.nat(7), async (plan, chop) => {
      const [x, y] = memoryPair().map((transport) =>
        new Connection(withFaults(transport, { chop: 1 + chop * 20 }))
      );
      let notified = 0;
      const turns = async (count: number) => {
        for (let n = 0; n < count; n++) await Promise.resolve();
      };
      const handlers = {
        value: async ({ tag, turns: t }: Params) => (await turns(t), tag),
        async fail({ tag, turns: t }: Params) {
          await turns(t);
          throw new RequestError("mine", "Cannot do it", { data: tag });
        },
        async *stream({ tag, size, turns: t }: Params) {
          for (let n = 0; n < size; n++) {
            await turns(t);
            yield [tag, n];
          }
        },
        async upload({ tag }: Params, { items }: { items: AsyncIterable<unknown> }) {
          return [tag, await Array.fromAsync(items)];
        },
        notify: () => void notified++,
      };
      interface Params {
        tag: number;
        turns: number;
        size: number;
      }
      const options = { ...silent, maxStreamItems: 4, maxRequests: 16, maxConcurrent: 3 };
      const peers = [requests(x, handlers, options), requests(y, handlers, options)];
      await Promise.all(plan.map(async ({ from, kind, turns, size }, tag) => {
        const peer = peers[from ? 0 : 1];
        const params = { tag, turns, size };
        if (kind === "value") assertEquals(await peer.request("value", params), tag);
        else if (kind === "fail") {
          const error = await assertRejects(() => peer.request("fail", params), RequestError);
          assertEquals(error.data, tag);
        } else if (kind === "stream") {
          const all = await Array.fromAsync(peer.stream("stream", params));
          assertEquals(all, Array.from({ length: size }, (_, n) => [tag, n]));
        } else if (kind === "upload") {
          const items = Array.from({ length: size }, (_, n) => n);
          assertEquals(await peer.request("upload", params, { items }), [tag, items]);
        } else if (kind === "cancel") {
          for await (const [from, n] of peer.stream("stream", { ...params, size: 1000 })) {
            assertEquals(from, tag);
            if (n === size) break;
          }
        } else await peer.notify("notify", params);
      }));
      await settle();
      assertEquals(notified, plan.filter(({ kind }) => kind === "notify").length);
      for (const { stats } of peers) assertEquals([stats.waiting, stats.refused], [0, 0]);
      await Promise.all(peers.map((peer) => peer.close()));
    }),
    { numRuns: 25 },
  );
});

Deno.test("RequestPeer.request() confuses none of 100 000 requests without an answer", async () => {
  const count = 100_000;
  const release: ((value: number) => void)[] = [];
  const keep = (n: number) => new Promise<number>((resolve) => release[n] = resolve);
  const many = { maxRequests: count, maxRequestBytes: 2 ** 30, maxWaiting: count };
  await using pair = ends({ keep }, { ...many, caller: many });
  const answers = Array.from({ length: count }, (_, n) => pair.caller.request("keep", n));
  while (pair.answerer.stats.handling < count) await settle();
  assertEquals([pair.caller.stats.outstanding, pair.caller.stats.waiting], [count, 0]);
  for (let n = 0; n < count; n++) {
    const at = n * 61_643 % count; // Coprime: each one once, in no order.
    release[at](at);
  }
  const got = await Promise.all(answers);
  assert(got.every((value, n) => value === n));
});

Deno.test("RequestPeer.request() waits for a place, in order, and no more than maxRequests go out", async () => {
  let running = 0;
  let most = 0;
  const order: number[] = [];
  await using pair = ends({
    async work(n) {
      order.push(n);
      most = Math.max(most, ++running);
      await settle();
      running--;
    },
  }, { maxRequests: 16 });
  await Promise.all(Array.from({ length: 100 }, (_, n) => pair.caller.request("work", n)));
  assertEquals(most, 16);
  assertEquals(order, Array.from({ length: 100 }, (_, n) => n));
  assertEquals(pair.answerer.stats.refused, 0);
});

Deno.test("RequestPeer.request() runs as many handlers as maxConcurrent allows; the others wait", async () => {
  let running = 0;
  let most = 0;
  await using pair = ends({
    async work() {
      most = Math.max(most, ++running);
      await settle();
      running--;
    },
    quick: (n) => n,
  }, { maxConcurrent: 2 });
  await Promise.all(Array.from({ length: 20 }, () => pair.caller.request("work")));
  assertEquals(most, 2);
  const numbers = Array.from({ length: 900 }, (_, n) => n);
  assertEquals(
    await Promise.all(numbers.map((n) => pair.caller.request("quick", n))),
    numbers,
  );
});

Deno.test("RequestPeer.request() holds back what would exceed the peer's maxRequestBytes", async () => {
  let held = 0;
  let most = 0;
  await using pair = ends({
    async take(bytes) {
      most = Math.max(most, held += bytes.length);
      await settle();
      held -= bytes.length;
    },
  }, { maxRequestBytes: 100_000 });
  const params = [200_000, ...Array.from({ length: 20 }, () => 30_000)];
  await Promise.all(params.map((size) => pair.caller.request("take", new Uint8Array(size))));
  assertEquals(most, 200_000);
  assertEquals(pair.answerer.stats.refused, 0);
});

Deno.test("RequestPeer.request() refuses with busy what would wait beyond maxWaiting", async () => {
  const { handler, open } = gate();
  await using pair = ends({ handler }, { caller: { maxRequests: 16, maxWaiting: 2 } });
  const answers = Array.from({ length: 18 }, () => pair.caller.request("handler"));
  const error = await assertRejects(() => pair.caller.request("handler"), RequestError);
  assertEquals(error.code, "busy");
  assertEquals(error.message, "Cannot request handler: 2 requests wait already");
  open();
  await Promise.all(answers);
});

Deno.test("RequestPeer.request() takes the params as they are at the call", async () => {
  await using pair = ends({ same: (value) => value });
  const params = { n: 1 };
  const bytes = new Uint8Array(40_000).fill(1);
  const answers = [pair.caller.request("same", params), pair.caller.request("same", bytes)];
  params.n = 2;
  bytes.fill(2);
  assertEquals(await answers[0], { n: 1 });
  assertEquals((await answers[1])[39_999], 1);
});

// Errors.

Deno.test("RequestPeer.request() rejects with what the handler threw as a RequestError", async () => {
  const data = { missing: ["a"] };
  await using pair = ends({
    fail() {
      throw new RequestError("no-such-order", "Cannot find order 7", { data });
    },
    failBytes: () => Promise.reject(new RequestError("x", "y", { data: Uint8Array.of(1) })),
  });
  const error = await assertRejects(() => pair.caller.request("fail"), RequestError);
  assertEquals([error.code, error.message], ["no-such-order", "Cannot find order 7"]);
  assertEquals(error.data, data);
  assertEquals(error.name, "RequestError");
  const other = await assertRejects(() => pair.caller.request("failBytes"), RequestError);
  assertEquals(other.data, Uint8Array.of(1));
});

const circle: { cause?: unknown } = new Error("round");
circle.cause = circle;
const THROWN: Record<string, unknown> = {
  "an error": new Error("secret path /etc"),
  "a string": "secret",
  "null": null,
  "undefined": undefined,
  "an object whose getters throw": Object.defineProperty({}, "message", {
    get: () => {
      throw new Error("secret");
    },
  }),
  "a proxy whose traps throw": new Proxy({}, {
    get: () => {
      throw new Error("secret");
    },
    getPrototypeOf: () => {
      throw new Error("secret");
    },
  }),
  "a circular cause": circle,
  "a symbol": Symbol("secret"),
  "an object without a prototype": Object.create(null),
  "a frozen object": Object.freeze({ code: "x" }),
  "a RequestError whose getters throw": Object.defineProperty(new RequestError("x", "y"), "code", {
    get: () => {
      throw new Error("secret");
    },
  }),
};

for (const [name, thrown] of Object.entries(THROWN)) {
  Deno.test(`RequestPeer.request() rejects with internal for a handler that throws ${name}`, async () => {
    const told: unknown[] = [];
    const options = { onError: (error: unknown) => void told.push(error) };
    await using pair = ends({
      now() {
        throw thrown;
      },
      later: () => Promise.reject(thrown),
      async *stream() {
        yield 1;
        throw thrown;
      },
    }, options);
    for (const method of ["now", "later"]) {
      const error = await assertRejects(() => pair.caller.request(method), RequestError);
      assertEquals([error.code, error.data], ["internal", undefined]);
      assertEquals(error.message, `Cannot answer ${method}: its handler failed`);
    }
    const stream = pair.caller.stream("stream");
    assertEquals((await stream.next()).value, 1);
    assertEquals((await assertRejects(() => stream.next(), RequestError)).code, "internal");
    assertEquals(told.length, 3);
    assert(told.every((error) => error === thrown));
  });

  Deno.test(`RequestPeer.request() survives exposeErrors and ${name}`, async () => {
    await using pair = ends({
      now() {
        throw thrown;
      },
    }, { exposeErrors: true, ...silent });
    const error = await assertRejects(() => pair.caller.request("now"), RequestError);
    assertEquals(error.code, "internal");
    if (name === "an error") {
      assertEquals(error.message, "secret path /etc");
      const file = import.meta.url.split("/").at(-1)!;
      assertStringIncludes((error.data as { stack: string }).stack, file);
    }
  });
}

Deno.test("RequestPeer.request() survives an onError that throws", async () => {
  await using pair = ends({ fail: () => Promise.reject(new Error("x")), ok: () => 1 }, {
    onError: () => {
      throw new Error("y");
    },
  });
  await assertRejects(() => pair.caller.request("fail"), RequestError);
  assertEquals(await pair.caller.request("ok"), 1);
});

Deno.test("RequestPeer.request() cuts what is too long in an error", async () => {
  await using pair = ends({
    fail() {
      throw new RequestError("c".repeat(1000), "é".repeat(10_000));
    },
  });
  const error = await assertRejects(() => pair.caller.request("fail"), RequestError);
  assertEquals([error.code.length, error.message], [255, "é".repeat(4096)]);
});

Deno.test("RequestPeer.request() rejects with invalid-result for what the handler gives that is no JSON", async () => {
  const told: unknown[] = [];
  const results: Record<string, unknown> = {
    big: 1n,
    symbol: Symbol(),
    circle: { circle },
    function: () => {},
  };
  results.circle = results;
  results.getter = {
    get a() {
      throw null;
    },
  };
  results.toJSON = { toJSON: () => undefined };
  await using pair = ends({ give: (name) => results[name] }, {
    onError: (error) => void told.push(error),
  });
  for (const name of Object.keys(results)) {
    const error = await assertRejects(() => pair.caller.request("give", name), RequestError);
    assertEquals(error.code, "invalid-result", name);
  }
  assertEquals(told.length, Object.keys(results).length);
  const params = await assertRejects(() => pair.caller.request("give", 1n), TypeError);
  assertEquals(params.message, "Cannot send params of give: it is not JSON");
});

Deno.test("RequestPeer.request() never sends what is larger than the peer takes", async () => {
  const [x, y] = memoryPair();
  const small = new Connection(x, { maxMessageBytes: 1000 });
  const large = new Connection(y);
  const near = requests(small, { take: (bytes) => bytes.length }, silent);
  const far = requests(large, { give: (size) => new Uint8Array(size) }, silent);
  assertEquals((await near.request("give", 980)).length, 980);
  const error = await assertRejects(() => near.request("give", 2000), RequestError);
  assertEquals(error.code, "invalid-result");
  assertMatch(error.message, /its result has 2002 bytes, limit is 1000 bytes/);
  await assertRejects(() => far.request("take", new Uint8Array(1001)), MessageTooLargeError);
  await assertRejects(() => far.notify("take", new Uint8Array(1001)), MessageTooLargeError);
  assertEquals(await far.request("take", new Uint8Array(900)), 900);
  await Promise.all([near.close(), far.close()]);
});

Deno.test("RequestPeer.request() waits for the peer's HELLO before it sends what may be too large", async () => {
  await using ends = await rawEnds({}, { greets: false });
  const answer = ends.peer.request("a", new Uint8Array(2000));
  const small = ends.peer.request("b");
  answer.catch(() => {});
  small.catch(() => {});
  await settle();
  assertEquals([ends.peer.stats.outstanding, ends.peer.stats.waiting], [0, 2]);
  await ends.raw.send(fromHex("004c57525101e8078080800280808008"));
  assertEquals((await ends.raw.receive())?.length, 2004);
  assertEquals(toHex((await ends.raw.receive())!), "10020162");
});

Deno.test("RequestPeer.notify() keeps its order while what is large waits for the peer's HELLO", async () => {
  await using ends = await rawEnds({}, { greets: false });
  const sent = ["1", "2".repeat(2000), "3"].map((text) => ends.peer.notify("a", text));
  assertEquals((await ends.raw.receive())?.at(-2), "1".charCodeAt(0));
  await ends.raw.send(HELLO);
  for (const digit of "23") {
    assertEquals((await ends.raw.receive())?.at(-2), digit.charCodeAt(0));
  }
  await Promise.all(sent);
});

Deno.test("RequestPeer.notify() lets 1 MiB wait for the peer's HELLO, and no more", async () => {
  await using ends = await rawEnds({}, { greets: false });
  const sent = Array.from({ length: 12 }, () => ends.peer.notify("a", new Uint8Array(100_000)));
  for (const refused of sent.splice(10)) {
    const error = await assertRejects(() => refused, RequestError, "waits for the peer's HELLO");
    assertEquals(error.code, "busy");
  }
  ends.raw.abort();
  for (const lost of sent) await assertRejects(() => lost, ConnectionClosedError);
});

Deno.test("RequestPeer.request() refuses a name that no message can say", async () => {
  await using pair = ends();
  await assertRejects(() => pair.caller.request("é".repeat(128)), TypeError, "above 255 bytes");
  await assertRejects(() => pair.caller.notify("é".repeat(128)), TypeError, "above 255 bytes");
  const error = await assertRejects(() => pair.caller.request("x".repeat(255)), RequestError);
  assertEquals(error.code, "unknown-method");
});

Deno.test("requests() refuses framings that cannot carry any bytes, handlers that are none, options out of range", async () => {
  for (const framing of ["none", "line"] as const) {
    const connection = new Connection(memoryPair()[0], { framing });
    assertThrows(() => requests(connection), TypeError, `over framing ${framing}`);
    connection.abort();
  }
  const connection = new Connection(memoryPair()[0]);
  assertThrows(() => requests(connection, { a: 1 as never }), TypeError, "its handler is number");
  for (
    const options of [
      { maxRequests: 15 },
      { maxRequestBytes: 65_535 },
      { timeout: 0 },
      {
        maxConcurrent: 0,
      },
      { maxStreamItems: 0 },
      { maxStreamBytes: 0.5 },
      { maxWaiting: -1 },
      { helloTimeout: NaN },
    ]
  ) assertThrows(() => requests(connection, {}, options), RangeError);
  connection.abort();
  await connection.closed;
});

for (const slowConsumer of ["drop-newest", "drop-oldest"] as const) {
  Deno.test(`requests() refuses a connection whose slowConsumer is "${slowConsumer}": a dropped answer never comes`, async () => {
    const [near, far] = memoryPair();
    const connection = new Connection(near, { slowConsumer });
    const raw = new Connection(far);
    assertThrows(
      () => requests(connection),
      TypeError,
      `slowConsumer "${slowConsumer}" drops messages while the peer is slow, answers too`,
    );
    // Nothing was begun: it is a connection as before.
    await connection.send("still here");
    assertEquals(new TextDecoder().decode(await raw.receive()), "still here");
    await Promise.all([connection.close(), raw.close()]);
  });
}

Deno.test("requests() works over every binary framing that has boundaries", async () => {
  for (const framing of ["u8", "u16le", "u32be", "varint", "u64be"] as const) {
    const [x, y] = memoryPair().map((transport) => new Connection(transport, { framing }));
    const peer = requests(x);
    requests(y, { add: ({ a, b }) => a + b, big: () => "x".repeat(300) }, silent);
    assertEquals(await peer.request("add", { a: 1, b: 2 }), 3);
    if (framing === "u8") {
      const error = await assertRejects(() => peer.request("big"), RequestError);
      assertEquals(error.code, "invalid-result");
    }
    await peer.close();
  }
});

// Giving up.

Deno.test("RequestPeer.request() that is aborted rejects with the reason, and the handler's signal is aborted", async () => {
  const aborted = Promise.withResolvers<unknown>();
  const begun = Promise.withResolvers<void>();
  await using pair = ends({
    wait: (_, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          aborted.resolve(signal.reason);
          reject(signal.reason);
        }, { once: true });
        begun.resolve();
      }),
  }, silent);
  const controller = new AbortController();
  const answer = pair.caller.request("wait", undefined, { signal: controller.signal });
  await begun.promise;
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await answer.catch((error) => error), reason);
  const seen = await aborted.promise;
  assertInstanceOf(seen, RequestError);
  assertEquals(seen.code, "cancelled");
  while (pair.caller.stats.outstanding > 0) await settle();
  assertEquals([pair.caller.stats.late, pair.answerer.stats.handling], [1, 0]);
});

Deno.test("RequestPeer.request() that is aborted by its own items rejects with the reason", async () => {
  await using pair = ends({
    wait: async (_, { items }) => {
      for await (const _item of items);
      await new Promise(() => {});
    },
  });
  const controller = new AbortController();
  const items = {
    [Symbol.asyncIterator]() {
      controller.abort("no");
      return (async function* () {})();
    },
  };
  const answer = pair.caller.request("wait", 1, { signal: controller.signal, items });
  assertEquals(await answer.catch((reason) => reason), "no");
});

Deno.test("RequestPeer.request() whose signal is aborted already sends nothing", async () => {
  await using pair = ends({ a: () => 1 });
  const signal = AbortSignal.abort("no");
  assertEquals(await pair.caller.request("a", 1, { signal }).catch((reason) => reason), "no");
  assertEquals(pair.caller.stats.sent, 0);
});

Deno.test("RequestPeer.request() that times out rejects with timeout; its late answer is dropped and counted", async () => {
  const { handler, open } = gate();
  await using pair = ends({ handler, quick: () => 1 });
  const error = await assertRejects(
    () => pair.caller.request("handler", undefined, { timeout: 10 }),
    RequestError,
  );
  assertEquals(error.code, "timeout");
  assertEquals(error.message, "Cannot request handler: no answer within 10 ms");
  assertEquals([pair.caller.stats.outstanding, pair.caller.stats.late], [1, 0]);
  open();
  assertEquals(await pair.caller.request("quick", undefined, { timeout: 10_000 }), 1);
  await settle();
  assertEquals([pair.caller.stats.outstanding, pair.caller.stats.late], [0, 1]);
});

Deno.test("RequestPeer.request() times out by the peer's timeout, each by its own, also while it waits", async () => {
  const { handler, open } = gate();
  await using pair = ends({ handler }, { caller: { timeout: 60, maxRequests: 16 } });
  const start = performance.now();
  const ask = (options = {}) => pair.caller.request("handler", 1, options);
  const timedOut = async (options: { timeout?: number } = {}) => {
    const { code, message } = await assertRejects(() => ask(options), RequestError);
    const { timeout = 60 } = options;
    assertGreaterOrEqual(performance.now() - start, timeout - 1);
    assertEquals([code, message], [
      "timeout",
      `Cannot request handler: no answer within ${timeout} ms`,
    ]);
  };
  const sent = Promise.all(Array.from({ length: 16 }, () => timedOut()));
  const patient = Promise.all([ask({ timeout: 600_000 }), ask({ timeout: 600_000 })]);
  await Promise.all([sent, timedOut({ timeout: 20 }), timedOut({ timeout: 120 }), timedOut()]);
  // Those that have more time still have it.
  assertEquals([pair.caller.stats.waiting, pair.caller.stats.sent], [2, 16]);
  open();
  await patient;
});

Deno.test("RequestPeer.request() given up while it waits is never sent, and frees its place", async () => {
  const { handler, open } = gate();
  await using pair = ends({ handler }, { caller: { maxRequests: 16, maxWaiting: 100 } });
  const running = Array.from({ length: 16 }, () => pair.caller.request("handler"));
  for (let n = 0; n < 500; n++) {
    const controller = new AbortController();
    const answer = pair.caller.request("handler", n, { signal: controller.signal });
    controller.abort("no");
    assertEquals(await answer.catch((reason) => reason), "no");
  }
  open();
  await Promise.all(running);
  assertEquals(pair.caller.stats.sent, 16);
});

Deno.test("RequestPeer.request() that is cancelled while it waits for maxConcurrent never runs", async () => {
  const { handler, open, begun } = gate();
  const ran: number[] = [];
  await using pair = ends({ handler, note: (n) => void ran.push(n) }, { maxConcurrent: 1 });
  const first = pair.caller.request("handler");
  await begun;
  const controller = new AbortController();
  const second = pair.caller.request("note", 2, { signal: controller.signal });
  const third = pair.caller.request("note", 3);
  await settle();
  controller.abort("no");
  await second.catch(() => {});
  await settle();
  open();
  await Promise.all([first, third]);
  assertEquals(ran, [3]);
});

// Notifications.

Deno.test("RequestPeer.notify() reaches the handlers in order; what they throw reaches onError", async () => {
  const seen: unknown[] = [];
  const told: [unknown, string][] = [];
  await using pair = ends({
    log: (text) => void seen.push(text),
    fail: () => Promise.reject("x"),
    failNow() {
      throw "y";
    },
    sync: () => 1,
  }, { onError: (error, method) => void told.push([error, method]) });
  for (let n = 0; n < 1000; n++) pair.caller.notify("log", n);
  pair.caller.notify("fail");
  pair.caller.notify("failNow");
  pair.caller.notify("nobody");
  pair.caller.notify("log", new Uint8Array(5000));
  await pair.caller.request("sync");
  await settle();
  assertEquals(seen.slice(0, 1000), Array.from({ length: 1000 }, (_, n) => n));
  assertEquals((seen[1000] as Uint8Array).length, 5000);
  assertEquals(told, [["y", "failNow"], ["x", "fail"]]);
  const { notifications, unhandledNotifications } = pair.answerer.stats;
  assertEquals([notifications, unhandledNotifications], [1004, 1]);
});

Deno.test("RequestPeer.notify() floods no peer: reading stops at maxRequests handlers until half are done", async () => {
  const waiting: (() => void)[] = [];
  let most = 0;
  await using pair = ends({
    note: () => new Promise<void>((resolve) => most = Math.max(most, waiting.push(resolve))),
  }, { maxRequests: 16 });
  for (let n = 0; n < 100; n++) pair.caller.notify("note");
  let done = 0;
  while (done < 100) {
    await settle();
    assertEquals(most <= 16, true);
    done += waiting.length;
    for (const resolve of waiting.splice(0)) resolve();
  }
  assertEquals(most, 16);
});

// The end.

Deno.test("RequestPeer.close() rejects what has no answer, aborts the handlers' signals, and closes", async () => {
  const seen = Promise.withResolvers<unknown>();
  const pair = ends({
    wait: (_, { signal }) =>
      new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => (seen.resolve(signal.reason), resolve()))
      ),
  });
  const answer = pair.caller.request("wait");
  await settle();
  const info = pair.caller.close();
  const error = await assertRejects(() => answer, ConnectionClosedError);
  assertMatch(error.message, /^Cannot request wait of memory:.*: this end closed$/);
  await seen.promise;
  assertEquals((await info).clean, true);
  await assertRejects(() => pair.caller.request("wait"), ConnectionClosedError);
  await assertRejects(() => pair.caller.notify("wait"), ConnectionClosedError);
  await pair.answerer.closed;
});

Deno.test("RequestPeer.close() refuses what it cannot say, and goes on", async () => {
  await using server = await listen("ws://127.0.0.1:0", async (connection) => {
    await requests(connection, { same: (value) => value }).closed;
  });
  await using peer = requests(await connect(server.endpoints[0]));
  assertThrows(() => peer.close({ code: 7 }), RangeError);
  assertEquals(await peer.request("same", 1), 1);
});

Deno.test("RequestPeer.close() waits for no handler of the peer, not even one that minds no signal", async () => {
  const { handler, begun, open } = gate();
  await using pair = ends({ handler });
  const answer = pair.caller.request("handler");
  await begun;
  assertEquals((await pair.caller.close()).clean, true);
  await assertRejects(() => answer, ConnectionClosedError, "this end closed");
  open();
});

Deno.test("RequestPeer starts no handler after close(), not even for what had come", async () => {
  const started: unknown[] = [];
  const ends = await rawEnds({
    handler(n) {
      started.push(n);
      if (n === 2) ends.peer.close();
    },
  });
  for (const n of [1, 2, 3]) {
    ends.raw.send(new TextEncoder().encode(`0${String.fromCharCode(n)}\x07handler${n}`));
  }
  await ends.raw.close();
  await ends.peer.closed;
  assertEquals(started, [1, 2]);
});

Deno.test("RequestPeer tells onError nothing of answers that the connection's end made needless", async () => {
  const told: unknown[] = [];
  const { handler, open } = gate();
  const pair = ends({
    handler,
    async *stream() {
      yield await handler();
    },
  }, { onError: (error) => void told.push(error) });
  const answers = [
    pair.caller.request("handler"),
    pair.caller.stream("stream").next(),
  ];
  while (pair.answerer.stats.handling < 2) await settle();
  pair.connections[1].abort();
  open(); // Before `closed` has settled.
  for (const answer of answers) await assertRejects(() => answer, ConnectionLostError);
  await pair.answerer.closed;
  await settle();
  assertEquals([told, pair.answerer.stats.handling], [[], 0]);
  await pair[Symbol.asyncDispose]();
});

Deno.test("RequestPeer.request() rejects with ConnectionLostError and the cause when the connection breaks", async () => {
  const [x, y] = memoryPair();
  const near = requests(new Connection(withFaults(x, { cutAfter: 30 })));
  const far = new Connection(y);
  const answers = [near.request("a"), near.request("b"), near.stream("c").next()];
  await far.send(fromHex("004c57525101e8078080800280808008"));
  await far.send(new Uint8Array(100));
  for (const answer of answers) {
    const error = await assertRejects(() => answer, ConnectionLostError);
    assertInstanceOf(error.cause, ConnectionLostError);
  }
  await far.close();
});

Deno.test("RequestPeer sends the values that the peer has asked for before it half-closed, then closes", async () => {
  const { handler, open } = gate();
  await using ends = await rawEnds({ handler });
  const outgoing = ends.peer.request("anything");
  outgoing.catch(() => {});
  await ends.raw.receive();
  await ends.raw.send(fromHex("100107" + "68616e646c6572"));
  await ends.raw.closeWrite();
  await assertRejects(() => outgoing, ConnectionLostError, "it ended before it answered");
  open();
  assertEquals(toHex((await ends.raw.receive())!), "8601");
  assertEquals(await ends.raw.receive(), undefined);
  assertEquals((await ends.peer.closed).clean, true);
});

Deno.test("RequestPeer.request() inside a handler asks the caller in return", async () => {
  await using pair = ends({
    greet: async (_, { peer }) => `hello ${await peer.request("name")}`,
  }, { callerHandlers: { name: () => "Ada" } });
  assertEquals(await pair.caller.request("greet"), "hello Ada");
});

Deno.test("validated() refuses params with invalid-params, now or later", async () => {
  const schema = (later: boolean) => ({
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate(value: unknown) {
        const result = typeof value === "number"
          ? { value }
          : { issues: [{ message: "not a number" }, { message: "at all" }] };
        return later ? Promise.resolve(result) : result;
      },
    },
  });
  await using pair = ends({
    now: validated(schema(false), (n: number) => n + 1),
    later: validated(schema(true), (n: number) => n + 1),
    stream: validated(schema(true), async function* (n: number) {
      yield n;
    }),
  });
  for (const method of ["now", "later"]) {
    assertEquals(await pair.caller.request(method, 1), 2);
    const error = await assertRejects(() => pair.caller.request(method, "1"), RequestError);
    assertEquals(error.code, "invalid-params");
    assertEquals(error.message, "Cannot accept params: not a number; at all");
  }
  assertEquals(await Array.fromAsync(pair.caller.stream("stream", 5)), [5]);
});
