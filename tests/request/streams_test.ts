/** Streams between two ends: order, credit, giving up, and who waits for whom. */

import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { fromHex } from "../../internal/encoding.ts";
import { ConnectionLostError } from "../../errors.ts";
import { RequestError } from "../../request.ts";
import { ends, rawEnds, settle, tcpEnds } from "../support/requests.ts";

/** A generator of numbers that tells how many it gave and whether it has ended. */
function counter() {
  const state = { given: 0, ended: false };
  const ended = Promise.withResolvers<void>();
  async function* count(to: number) {
    try {
      for (let n = 1; n <= to; n++) {
        state.given = n;
        yield n;
      }
    } finally {
      state.ended = true;
      ended.resolve();
    }
  }
  return { state, count, ended: ended.promise };
}

for (const [where, make] of [["in memory", ends], ["over TCP", tcpEnds]] as const) {
  Deno.test(`RequestPeer.stream() gives all items in order, ${where}`, async () => {
    const { count, state } = counter();
    await using pair = await make({ count });
    const all = await Array.fromAsync(pair.caller.stream("count", 5000));
    assertEquals(all, Array.from({ length: 5000 }, (_, n) => n + 1));
    assert(state.ended);
    assertEquals(await Array.fromAsync(pair.caller.stream("count", 0)), []);
  });

  Deno.test(`RequestPeer.request() sends items along, ${where}`, async () => {
    await using pair = await make({
      async sum(start, { items }) {
        let sum = start;
        for await (const item of items as AsyncIterable<number>) sum += item;
        return sum;
      },
    });
    const { count } = counter();
    assertEquals(await pair.caller.request("sum", 10, { items: count(5000) }), 12_502_510);
    assertEquals(await pair.caller.request("sum", 10, { items: [1, 2] }), 13);
    assertEquals(await pair.caller.request("sum", 10, { items: [] }), 10);
    assertEquals(await pair.caller.request("sum", 10), 10);
  });

  Deno.test(`RequestPeer.stream() with items goes both ways at once, ${where}`, async () => {
    await using pair = await make({
      async *double(_, { items }) {
        for await (const item of items) yield 2 * (item as number);
      },
    });
    const { count } = counter();
    const all = await Array.fromAsync(pair.caller.stream("double", 0, { items: count(1000) }));
    assertEquals(all, Array.from({ length: 1000 }, (_, n) => 2 * n + 2));
  });
}

Deno.test("RequestPeer.stream() asks when its first item is asked for, and not before", async () => {
  const { count, state } = counter();
  await using pair = ends({ count });
  const stream = pair.caller.stream("count", 3);
  await settle();
  assertEquals([pair.caller.stats.sent, state.given], [0, 0]);
  assertEquals(await stream.next(), { done: false, value: 1 });
});

Deno.test("RequestPeer.stream() lets the generator run ahead by the window of items, and no more", async () => {
  const { count, state } = counter();
  await using pair = ends({ count }, { caller: { maxStreamItems: 10 } });
  const stream = pair.caller.stream("count", 1000);
  for (let read = 1; read <= 100; read++) {
    assertEquals((await stream.next()).value, read);
    if (read % 7 === 0) {
      await settle();
      assertLessOrEqual(state.given, read + 10);
      assert(state.given > read);
    }
  }
});

Deno.test("RequestPeer.stream() lets the generator run ahead by the window of bytes, and no more", async () => {
  let given = 0;
  await using pair = ends({
    async *blocks() {
      for (; given < 100; given++) yield new Uint8Array(1000);
    },
  }, { caller: { maxStreamBytes: 5000 } });
  const stream = pair.caller.stream("blocks");
  await stream.next();
  await settle();
  assertLessOrEqual(given, 6);
  let count = 1;
  for await (const block of stream) count += block.length / 1000;
  assertEquals(count, 100);
});

Deno.test("RequestPeer.stream() carries items larger than its window, one at a time", async () => {
  await using pair = ends({
    async *blocks(count) {
      for (let n = 0; n < count; n++) yield new Uint8Array(300_000 - n);
    },
  });
  const sizes = [];
  for await (const block of pair.caller.stream("blocks", 20)) sizes.push(block.length);
  assertEquals(sizes, Array.from({ length: 20 }, (_, n) => 300_000 - n));
});

Deno.test("RequestPeer.stream() works with a window of one item", async () => {
  const { count } = counter();
  const one = { maxStreamItems: 1, maxStreamBytes: 1 };
  await using pair = ends({
    count,
    all: async (_, { items }) => await Array.fromAsync(items),
  }, { ...one, caller: one });
  assertEquals(await Array.fromAsync(pair.caller.stream("count", 3)), [1, 2, 3]);
  assertEquals(await pair.caller.request("all", 0, { items: [1, 2, 3] }), [1, 2, 3]);
});

Deno.test("RequestPeer.stream() that is not read holds up no other, nor any request", async () => {
  const { count } = counter();
  await using pair = ends({ count, quick: () => 1 });
  const slow = pair.caller.stream("count", 100_000);
  await slow.next();
  assertEquals((await Array.fromAsync(pair.caller.stream("count", 2000))).length, 2000);
  assertEquals(await pair.caller.request("quick"), 1);
  assertEquals((await slow.next()).value, 2);
});

Deno.test("RequestPeer.stream() of large items interleaves with requests on a slow connection", async () => {
  await using pair = ends({
    async *blocks() {
      for (let n = 0; n < 40; n++) yield new Uint8Array(50_000);
    },
    quick: (n) => n,
  }, { caller: { maxStreamBytes: 4_000_000 } });
  const blocks = Array.fromAsync(pair.caller.stream("blocks"));
  assertEquals(await pair.caller.request("quick", 1), 1);
  assertLessOrEqual(pair.connections[1].stats.bufferedBytes, 200_000);
  assertEquals((await blocks).length, 40);
});

Deno.test("RequestPeer.stream() left by break makes the generator return", async () => {
  const { count, state, ended } = counter();
  await using pair = ends({ count });
  for await (const n of pair.caller.stream("count", Infinity as number)) if (n === 100) break;
  await ended;
  assertLessOrEqual(state.given, 100 + 64);
  while (pair.caller.stats.outstanding > 0) await settle();
  assertEquals(pair.answerer.stats.handling, 0);
});

Deno.test("RequestPeer.stream() that is aborted throws the reason at once, and the generator returns", async () => {
  const { count, ended } = counter();
  await using pair = ends({ count });
  const controller = new AbortController();
  const stream = pair.caller.stream("count", 1e9, { signal: controller.signal });
  await stream.next();
  await settle();
  controller.abort("enough");
  assertEquals(await stream.next().catch((reason) => reason), "enough");
  assertEquals(await stream.next(), { done: true, value: undefined });
  await ended;
});

Deno.test("RequestPeer.stream() left while the generator waits aborts its signal", async () => {
  const aborted = Promise.withResolvers<void>();
  await using pair = ends({
    async *wait(_, { signal }) {
      yield 1;
      await new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => (aborted.resolve(), resolve()))
      );
      yield 2;
    },
  });
  for await (const _ of pair.caller.stream("wait")) break;
  await aborted.promise;
  while (pair.caller.stats.outstanding > 0) await settle();
  assertEquals(pair.answerer.stats.handling, 0);
});

Deno.test("RequestPeer.stream() gives what came before the generator threw, then the error, then the end", async () => {
  await using pair = ends({
    async *some() {
      yield 1;
      yield 2;
      throw new RequestError("out-of-tea", "Cannot brew: no tea");
    },
  });
  const stream = pair.caller.stream("some");
  assertEquals((await stream.next()).value, 1);
  await settle();
  assertEquals((await stream.next()).value, 2);
  assertEquals((await assertRejects(() => stream.next(), RequestError)).code, "out-of-tea");
  assertEquals(await stream.next(), { done: true, value: undefined });
});

Deno.test("RequestPeer.stream() may be asked for several items at once", async () => {
  const { count } = counter();
  await using pair = ends({ count });
  const stream = pair.caller.stream("count", 2);
  const results = await Promise.all([1, 2, 3, 4].map(() => stream.next()));
  assertEquals(results.map(({ value }) => value), [1, 2, undefined, undefined]);
});

Deno.test("RequestPeer.stream() fails with invalid-result at an item that is not JSON, and the generator returns", async () => {
  let ended = false;
  await using pair = ends({
    async *bad() {
      try {
        yield 1;
        yield 1n;
      } finally {
        ended = true;
      }
    },
  }, { onError: () => {} });
  const stream = pair.caller.stream("bad");
  await stream.next();
  assertEquals((await assertRejects(() => stream.next(), RequestError)).code, "invalid-result");
  assert(ended);
});

Deno.test("RequestPeer tells streams from values: wrong-kind either way", async () => {
  const { count, state } = counter();
  await using pair = ends({ count, quick: () => 1 });
  const asValue = await assertRejects(() => pair.caller.request("count", 3), RequestError);
  assertEquals(asValue.code, "wrong-kind");
  assertEquals(asValue.message, "Cannot answer count: it gives a stream, use stream()");
  assertEquals(state.given, 0);
  const stream = pair.caller.stream("quick");
  const asStream = await assertRejects(() => stream.next(), RequestError);
  assertEquals(asStream.message, "Cannot answer quick: it gives one value, use request()");
});

Deno.test("RequestPeer.stream() takes any async iterable from a handler, a ReadableStream too", async () => {
  await using pair = ends({ rows: () => Promise.resolve(ReadableStream.from([1, 2, 3])) });
  assertEquals(await Array.fromAsync(pair.caller.stream("rows")), [1, 2, 3]);
});

// Items of the caller.

Deno.test("RequestPeer.request() pulls items as the handler reads them, and none before", async () => {
  const { count, state } = counter();
  const read = Promise.withResolvers<void>();
  await using pair = ends({
    async some(_, { items }) {
      await read.promise;
      const iterator = items[Symbol.asyncIterator]();
      for (let n = 0; n < 20; n++) await iterator.next();
      await settle();
      return state.given;
    },
  }, { maxStreamItems: 8 });
  const answer = pair.caller.request("some", 0, { items: count(1000) });
  await settle();
  assertEquals(state.given, 0);
  read.resolve();
  assertLessOrEqual(await answer, 28);
  assert(state.ended);
});

Deno.test("RequestPeer.request() whose handler answers without reading stops the items", async () => {
  const { count, state, ended } = counter();
  await using pair = ends({
    async first(_, { items }) {
      for await (const item of items) return item;
    },
    none: () => 0,
  });
  assertEquals(await pair.caller.request("first", 0, { items: count(1e9) }), 1);
  await ended;
  assert(state.given < 200);
  assertEquals(await pair.caller.request("none", 0, { items: counter().count(9) }), 0);
  await settle();
  assertEquals([pair.caller.stats.outstanding, pair.answerer.stats.handling], [0, 0]);
  assertEquals(await pair.caller.request("none"), 0);
});

Deno.test("RequestPeer.request() whose items throw rejects with that; the handler's items and signal tell", async () => {
  const seen = Promise.withResolvers<unknown[]>();
  await using pair = ends({
    async all(_, { items, signal }) {
      const got: unknown[] = [];
      try {
        for await (const item of items) got.push(item);
      } catch (error) {
        seen.resolve([...got, (error as RequestError).code, signal.aborted]);
      }
    },
  });
  async function* items() {
    yield 1;
    await settle();
    throw new Error("disk full");
  }
  await assertRejects(() => pair.caller.request("all", 0, { items: items() }), Error, "disk full");
  assertEquals(await seen.promise, [1, "cancelled", true]);
  const params = { items: [1n] };
  await assertRejects(() => pair.caller.request("all", 0, params), TypeError, "item of all");
});

Deno.test("RequestPeer.request() with items to a method that is not there ends them", async () => {
  const { count } = counter();
  await using pair = ends({ ok: () => 1 });
  const error = await assertRejects(
    () => pair.caller.request("nope", 0, { items: count(1e9) }),
    RequestError,
  );
  assertEquals(error.code, "unknown-method");
  assertEquals(await pair.caller.request("ok"), 1);
  assertEquals(pair.answerer.stats.handling, 0);
});

Deno.test("RequestPeer: items end with ConnectionLostError when the caller ends in order before their end", async () => {
  const seen = Promise.withResolvers<unknown>();
  await using ends = await rawEnds({
    async all(_, { items }) {
      await Array.fromAsync(items).catch(seen.resolve);
    },
  });
  await ends.raw.send(fromHex("120103616c6c"));
  await ends.raw.closeWrite();
  assert(await seen.promise instanceof ConnectionLostError);
});

Deno.test("RequestPeer: an answer to a slow reader waits, and the connection lives", async () => {
  await using ends = await rawEnds({ large: () => new Uint8Array(1_000_000) });
  for (let id = 1; id <= 40; id++) {
    const message = Uint8Array.from([0x10, id, 5, ...new TextEncoder().encode("large")]);
    await ends.raw.send(message);
  }
  await settle();
  assert(ends.peer.stats.handling > 30);
  for (let id = 1; id <= 40; id++) assertEquals((await ends.raw.receive())?.length, 1_000_002);
  assertEquals(ends.peer.stats.handling, 0);
});
