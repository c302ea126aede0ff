/** The wire of requests: docs/requests.md byte by byte, and what a hostile peer may send. */

import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Connection } from "../../connection.ts";
import { ProtocolError } from "../../errors.ts";
import { RequestError, requests, type TraceContext } from "../../request.ts";
import { memoryPair } from "../../testing.ts";
import { CONTEXT, recorder } from "../support/recorder.ts";
import { HELLO, rawEnds, settle } from "../support/requests.ts";

const page = await Deno.readTextFile(new URL("../../docs/requests.md", import.meta.url));
const lines = [...page.matchAll(/^```wire\n([^`]*)^```$/gm)].flatMap(([_, block]) =>
  block.trim().split("\n").map((line) => {
    const [_, end, bytes] = /^([AB])> ((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2}|$)/.exec(line)!;
    return { end, bytes: Uint8Array.fromHex(bytes.replaceAll(" ", "")), line };
  })
);

/** Plays one end of the page's conversation, and looks whether the other says the rest. */
async function play(raw: Connection, end: "A" | "B"): Promise<void> {
  for (const { end: who, bytes, line } of lines) {
    if (who === end) await raw.send(bytes);
    else assertEquals(await raw.receive(), bytes, line);
  }
}

Deno.test("docs/requests.md shows what the end that asks sends", async () => {
  const carried: { context: TraceContext | undefined } = { context: undefined };
  const telemetry = { ...recorder().telemetry, calling: () => ({ ...carried, end() {} }) };
  const [near, raw] = memoryPair().map((transport) => new Connection(transport));
  const peer = requests(near, {}, { telemetry });
  const played = play(raw, "B");
  assertEquals(await peer.request("add", { a: 1, b: 2 }), 3);
  assertEquals(await peer.request("nothing"), undefined);
  assertEquals(await peer.request("same", Uint8Array.of(1, 2, 255)), Uint8Array.of(1, 2, 255));
  const error = await assertRejects(() => peer.request("nope", null), RequestError);
  assertEquals(error.code, "unknown-method");
  peer.notify("log", "hi");
  assertEquals(await Array.fromAsync(peer.stream("count", { to: 2 })), [1, 2]);
  const items = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  assertEquals(await peer.request("total", undefined, { items }), 3);
  const controller = new AbortController();
  const waiting = peer.request("wait", undefined, { signal: controller.signal });
  controller.abort("enough");
  assertEquals(await waiting.catch((reason) => reason), "enough");
  carried.context = CONTEXT;
  assertEquals(await peer.request("add", { a: 1, b: 2 }), 3);
  await played;
  await settle();
  assertEquals([peer.stats.late, peer.stats.outstanding], [1, 0]);
  await Promise.all([peer.close(), raw.close()]);
});

Deno.test("docs/requests.md shows what the end that answers sends", async () => {
  const [near, raw] = memoryPair().map((transport) => new Connection(transport));
  const logged: unknown[] = [];
  const { telemetry, handled } = recorder();
  const peer = requests(near, {
    add: ({ a, b }) => a + b,
    nothing() {},
    same: (bytes) => bytes,
    log: (text) => void logged.push(text),
    async *count({ to }) {
      for (let n = 1; n <= to; n++) yield n;
    },
    async total(_, { items }) {
      let total = 0;
      for await (const item of items) total += (item as Uint8Array).length;
      return total;
    },
    wait: (_, { signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true })
      ),
  }, { telemetry });
  await play(raw, "A");
  assertEquals(logged, ["hi"]);
  assertEquals(handled.map(({ context }) => context), [...Array(6).fill(undefined), CONTEXT]);
  await Promise.all([peer.close(), raw.close()]);
});

Deno.test("docs/requests.md has every code of RequestErrorCode", async () => {
  const source = await Deno.readTextFile(new URL("../../errors.ts", import.meta.url));
  const codes = [...source.matchAll(/^ {2}\| "([a-z-]+)"/gm)].map(([_, code]) => code);
  assertEquals(codes.length, 10);
  for (const code of codes) assertMatch(page, new RegExp(`\`${code}\``));
});

const text = (text: string) => new TextEncoder().encode(text).toHex();

/**
 * What the peer sends behind its HELLO, and what is wrong with it. `slow` is a method that does not
 * end, `stream` one whose stream does not, `eat` reads items without an end.
 */
const HOSTILE: Record<string, [messages: string[], message: RegExp]> = {
  "an empty message": [[""], /it is empty/],
  "a kind of value that there is not": [["7001"], /its value is of no known kind/],
  "a second HELLO": [[HELLO.toHex()], /it does not fit|bytes follow|request/],
  "a type that there is not": [["0801"], /request 1: it does not fit/],
  "an answering type that there is not": [["9f01"], /no request 1/],
  "a REQUEST without an id": [["10"], /it ends within a number/],
  "a REQUEST that ends in its id": [["1080"], /it ends within a number/],
  "a REQUEST with an id above 2^53": [["10ffffffffffffff7f" + "00"], /above 2\^53/],
  "a REQUEST with an id without end": [["10" + "ff".repeat(12)], /above 2\^53/],
  "a REQUEST with id 0": [["100001" + text("a")], /ids must rise, the last was 0/],
  "a REQUEST without a method": [["1001"], /it ends before a text/],
  "a REQUEST that ends in its method": [["100105" + text("slo")], /it ends within a text/],
  "a method that is not UTF-8": [["100102fffe"], /a text is not UTF-8/],
  "a stream without its window": [["110106" + text("stream")], /it ends within a number/],
  "a REQUEST that ends before its key": [["180104" + text("slow")], /it ends before a text/],
  "params where there are none": [["100104" + text("slow1")], /bytes follow its end/],
  "an id used twice": [["100104" + text("slow"), "100104" + text("slow")], /the last was 1/],
  "an id that falls": [["100504" + text("slow"), "100404" + text("slow")], /the last was 5/],
  "a CANCEL of what was never asked": [["0209"], /request 9: it does not fit/],
  "a CANCEL with a value": [["100104" + text("slow"), "220131"], /bytes follow its end/],
  "a CREDIT of what was never asked": [["05090101"], /request 9: it does not fit/],
  "a CREDIT for what is no stream": [["100104" + text("slow"), "05010101"], /it does not fit/],
  "a CREDIT that ends early": [["100104" + text("slow"), "050101"], /it ends within a number/],
  "a CREDIT beyond all measure": [
    ["110106" + text("stream") + "0000", "050101ffffffffffffff0f"],
    /it does not fit/,
  ],
  "an ITEM of what was never asked": [["230931"], /request 9: it does not fit/],
  "an ITEM of a request without items": [["100104" + text("slow"), "230131"], /it does not fit/],
  "an ITEM before any credit": [["120104" + text("slow"), "230131"], /request 1: it has no credit/],
  "an ITEM beyond the credit": [
    ["120103" + text("eat"), "230131", "230132", "230133", "230134"],
    /request 1: it has no credit/,
  ],
  "an ITEM after END": [["120103" + text("eat"), "0401", "230131"], /it does not fit/],
  "an ITEM after CANCEL": [["120104" + text("slow"), "0201", "230131"], /it does not fit/],
  "an END of a request without items": [["100104" + text("slow"), "0401"], /it does not fit/],
  "a second END": [["120104" + text("slow"), "0401", "0401"], /it does not fit/],
  "a RESPONSE to nothing": [["a60131"], /no request 1 is without one/],
  "an ERROR to nothing": [["87010161" + "0000"], /no request 1 is without one/],
  "an ITEM from nowhere": [["a30131"], /no request 1 is without one/],
  "text": [[text("GET / HTTP/1.1")], /0x47|does not fit|kind/],
};

for (const [name, [messages, pattern]] of Object.entries(HOSTILE)) {
  Deno.test(`requests() aborts the connection at ${name}`, async () => {
    await using ends = await rawEnds({
      slow: () => new Promise(() => {}),
      async *stream() {
        yield await new Promise(() => {});
      },
      async eat(_, { items }) {
        const iterator = items[Symbol.asyncIterator]();
        await iterator.next();
        await new Promise(() => {});
      },
    }, { maxStreamItems: 2, onError: () => {} });
    for (const [i, message] of messages.entries()) {
      if (i === 1) await settle();
      await ends.raw.send(Uint8Array.fromHex(message));
    }
    const { error } = await ends.peer.closed;
    assertInstanceOf(error, ProtocolError);
    assertMatch(error.message, pattern);
  });
}

Deno.test("A REQUEST of a group has a key, which its handler sees, and no other has", async () => {
  await using ends = await rawEnds({ key: (_, { key }) => key });
  for (
    const [request, answer] of [["1801036b657903612d31", "a60122612d3122"], [
      "1002036b6579",
      "8602",
    ]]
  ) {
    await ends.raw.send(Uint8Array.fromHex(request));
    assertEquals((await ends.raw.receive())?.toHex(), answer);
  }
});

/** What the peer answers to request 1, and what is wrong with it. */
const ANSWERS: Record<string, [kind: "value" | "stream" | "items", answer: string[]]> = {
  "a RESPONSE twice": ["value", ["a60131", "a60131"]],
  "an END of a value": ["value", ["8401"]],
  "an ITEM of a value": ["value", ["a30131"]],
  "a CREDIT without items": ["value", ["85010101"]],
  "a CREDIT beyond all measure": ["items", ["850101ffffffffffffff0f"]],
  "a CANCEL by the one who answers": ["value", ["8201"]],
  "a RESPONSE to a stream": ["stream", ["a60131"]],
  "an ITEM beyond the stream's credit": ["stream", ["a30131", "a30132", "a30133", "a30134"]],
  "an END with bytes behind it": ["stream", ["840100"]],
  "an ERROR that ends in its code": ["value", ["87010561"]],
  "an ERROR that ends before its text": ["value", ["8701016100"]],
  "an ERROR that ends in its text": ["value", ["87010161000561"]],
};

for (const [name, [kind, answer]] of Object.entries(ANSWERS)) {
  Deno.test(`requests() aborts the connection at ${name}`, async () => {
    await using ends = await rawEnds({}, { maxStreamItems: 2 });
    const pending = kind === "stream"
      ? ends.peer.stream("a").next()
      : ends.peer.request("a", undefined, kind === "items" ? { items: [] } : {});
    const settled = Promise.allSettled([pending]);
    await ends.raw.receive();
    for (const message of answer) await ends.raw.send(Uint8Array.fromHex(message));
    assertInstanceOf((await ends.peer.closed).error, ProtocolError);
    await settled;
  });
}

/** First messages, and what is wrong with them. */
const GREETINGS: Record<string, [message: string, pattern: RegExp]> = {
  "a request": ["100101" + text("a"), /first message is no HELLO/],
  "another protocol": [text("* Welcome, guest-7."), /no HELLO|kind/],
  "another version": ["004c57525102e8078080800280808008", /speaks version 2, this end 1/],
  "an allowance below the least": ["004c57525101018080800280808008", /it allows 1 requests/],
  "half a HELLO": ["004c575251", /speaks version undefined/],
};

for (const [name, [message, pattern]] of Object.entries(GREETINGS)) {
  Deno.test(`requests() aborts the connection when the peer begins with ${name}`, async () => {
    await using ends = await rawEnds({}, { greets: false });
    await ends.raw.send(Uint8Array.fromHex(message));
    const { error } = await ends.peer.closed;
    assertInstanceOf(error, ProtocolError);
    assertMatch(error.message, pattern);
  });
}

Deno.test("requests() aborts the connection when no HELLO comes in time", async () => {
  await using ends = await rawEnds({}, { greets: false, helloTimeout: 10 });
  const { error } = await ends.peer.closed;
  assertInstanceOf(error, ProtocolError);
  assertMatch(error.message, /it sent no HELLO within 10 ms/);
});

Deno.test("requests() ignores what a later version adds to HELLO", async () => {
  await using ends = await rawEnds({}, { greets: false });
  await ends.raw.send(Uint8Array.from([...HELLO, 1, 2, 3]));
  const answer = ends.peer.request("a");
  assertEquals((await ends.raw.receive())?.toHex(), "10010161");
  await ends.raw.send(Uint8Array.fromHex("8601"));
  assertEquals(await answer, undefined);
});

Deno.test("requests() ignores CANCEL and CREDIT of what was answered meanwhile", async () => {
  await using ends = await rawEnds({ a: () => 1 });
  for (const message of ["10010161", "0201", "05010505", "10020161"]) {
    await ends.raw.send(Uint8Array.fromHex(message));
  }
  assertEquals((await ends.raw.receive())?.toHex(), "a60131");
  assertEquals((await ends.raw.receive())?.toHex(), "a60231");
});

Deno.test("requests() answers params that are not JSON, and goes on", async () => {
  await using ends = await rawEnds({ a: () => 1 });
  // The last one is a string that is not UTF-8.
  for (const [i, params] of ["7b", "ff", "", "22ff22"].entries()) {
    await ends.raw.send(Uint8Array.fromHex(`300${1 + i}0161${params}`));
    const answer = await ends.raw.receive();
    assertMatch(
      new TextDecoder().decode(answer),
      /invalid-params.*Cannot answer a: params are not JSON/,
    );
  }
  await ends.raw.send(Uint8Array.fromHex("10050161"));
  assertEquals((await ends.raw.receive())?.toHex(), "a60531");
});

Deno.test("requests() rejects with invalid-result what the peer answers that is not JSON", async () => {
  await using ends = await rawEnds();
  const value = ends.peer.request("a");
  await ends.raw.receive();
  await ends.raw.send(Uint8Array.fromHex("a6017b"));
  assertEquals((await assertRejects(() => value, RequestError)).code, "invalid-result");
  const stream = ends.peer.stream("a");
  const first = stream.next();
  await ends.raw.receive();
  for (const item of ["a30231", "a3027b", "a30233"]) {
    await ends.raw.send(Uint8Array.fromHex(item));
  }
  assertEquals((await first).value, 1);
  assertEquals((await assertRejects(() => stream.next(), RequestError)).code, "invalid-result");
  assertEquals((await ends.raw.receive())?.toHex(), "0202"); // CANCEL
  assertEquals(await stream.next(), { done: true, value: undefined });
});

Deno.test("requests() answers busy beyond its allowance, and keeps nothing of it", async () => {
  await using ends = await rawEnds({ slow: () => new Promise(() => {}) }, { maxRequests: 16 });
  for (let id = 1; id <= 40; id++) {
    const hex = id.toString(16).padStart(2, "0");
    await ends.raw.send(Uint8Array.fromHex(`10${hex}04${text("slow")}`));
  }
  for (let id = 17; id <= 40; id++) {
    const answer = new TextDecoder().decode(await ends.raw.receive());
    assertMatch(answer, /busy.*Cannot answer slow: 16 requests and 4194304 bytes are allowed/);
  }
  assertEquals([ends.peer.stats.handling, ends.peer.stats.refused], [16, 24]);
});

Deno.test("requests() bounds the bytes of the requests without an answer, a single one apart", async () => {
  const slow = () => new Promise(() => {});
  await using ends = await rawEnds({ slow }, { maxRequestBytes: 65_536 });
  const header = (id: number) => [0x50, id, 4, ...new TextEncoder().encode("slow")];
  await ends.raw.send(Uint8Array.from([...header(1), ...new Uint8Array(100_000)]));
  await ends.raw.send(Uint8Array.from(header(2)));
  assertMatch(new TextDecoder().decode(await ends.raw.receive()), /busy/);
  assertEquals(ends.peer.stats.handling, 1);
});

Deno.test("requests() aborts the connection of a peer that exceeds the allowance with items", async () => {
  await using ends = await rawEnds({ slow: () => new Promise(() => {}) }, { maxRequests: 16 });
  for (let id = 1; id <= 17; id++) {
    const hex = id.toString(16).padStart(2, "0");
    await ends.raw.send(Uint8Array.fromHex(`12${hex}04${text("slow")}`));
  }
  const { error } = await ends.peer.closed;
  assertInstanceOf(error, ProtocolError);
});

Deno.test("requests() gains nothing for a peer that asks and cancels in turn", async () => {
  let running = 0;
  const slow = () => new Promise(() => running++);
  await using ends = await rawEnds({ slow }, { maxRequests: 16 });
  for (let id = 1; id <= 100; id++) {
    const hex = id.toString(16).padStart(2, "0");
    await ends.raw.send(Uint8Array.fromHex(`10${hex}04${text("slow")}`));
    await ends.raw.send(Uint8Array.fromHex(`02${hex}`));
  }
  await settle();
  assertEquals(running, 16);
  assertEquals(ends.peer.stats.refused, 84);
});

for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", ""]) {
  Deno.test(`requests() has no method "${name}" unless a handler of its own is called that`, async () => {
    await using ends = await rawEnds({ other: () => 1 });
    const error = await (async () => {
      const [bytes] = [new TextEncoder().encode(name)];
      await ends.raw.send(Uint8Array.from([0x10, 1, bytes.length, ...bytes]));
      return new TextDecoder().decode(await ends.raw.receive());
    })();
    assert(error.includes("unknown-method"), error);
  });
}

Deno.test("requests() shows control characters of a peer's error instead of passing them on", async () => {
  await using ends = await rawEnds();
  const answer = ends.peer.request("a");
  await ends.raw.receive();
  await ends.raw.send(Uint8Array.fromHex(`8701` + "031b5b4a" + "0003" + "1b5b4a"));
  const error = await assertRejects(() => answer, RequestError);
  assertEquals([error.code, error.message], ["\\x1b[J", "\\x1b[J"]);
});

Deno.test("requests() meets any bytes with answers or with a ProtocolError, and with nothing else", async () => {
  const type = fc.constantFrom(...[0, 1, 2, 3, 4, 5, 6, 7, 0x10, 0x11, 0x12, 0x13]);
  const first = fc.tuple(type, fc.nat(3), fc.boolean()).map(([type, kind, isAnswering]) =>
    type | kind << 5 | (isAnswering ? 0x80 : 0)
  );
  const likely = fc.tuple(first, fc.integer({ min: 1, max: 4 }), fc.constantFrom("same", "count"))
    .map(([first, id, method]) => [first, id, method.length, ...new TextEncoder().encode(method)]);
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.tuple(first, fc.uint8Array({ maxLength: 8 })).map(([first, rest]) => [first, ...rest]),
    fc.tuple(likely, fc.uint8Array({ maxLength: 6 })).map(([head, rest]) => [...head, ...rest]),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 12 }), async (messages) => {
      const [near, raw] = memoryPair().map((transport) => new Connection(transport));
      const peer = requests(near, {
        same: (value) => value,
        async *count(_, { items }) {
          yield* items;
        },
      });
      for (const method of ["x", "y"]) peer.request(method).catch(() => {});
      peer.stream("z").next().catch(() => {});
      raw.send(HELLO);
      for (const message of messages) raw.send(Uint8Array.from(message));
      raw.closeWrite();
      await Array.fromAsync(raw).catch(() => {});
      const { error } = await peer.closed;
      assert(error === undefined || error instanceof ProtocolError, String(error));
      await raw.close();
    }),
    { numRuns: 300 },
  );
});
