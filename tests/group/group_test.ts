/** Requests to groups of workers, in one process. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConnectionClosedError } from "../../errors.ts";
import { joinGroup, requestGroup } from "../../group.ts";
import { inProcess } from "../../backplane.ts";
import { RequestError } from "../../request.ts";
import { Gate, TIMES, until, World } from "./world.ts";

interface Work {
  add(params: { a: number; b: number }): number;
  nothing(): void;
  bytes(params: Uint8Array): Uint8Array;
  fail(params: string): number;
  count(params: { to: number }): AsyncIterable<number>;
  total(params: undefined, items: AsyncIterable<number>): number;
}

const WORK = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  nothing() {},
  bytes: (params: Uint8Array) => params,
  fail(code: string): never {
    if (code === "") throw new Error("secret");
    throw new RequestError(code, "as asked", { data: [1] });
  },
  async *count({ to }: { to: number }) {
    for (let n = 1; n <= to; n++) yield n;
  },
  async total(_params: undefined, { items }: { items: AsyncIterable<number> }) {
    let sum = 0;
    for await (const item of items) sum += item;
    return sum;
  },
};

Deno.test("A group answers as a peer does: values, bytes, nothing, errors, streams, items", async () => {
  await using world = new World();
  const caller = world.caller<Work>();
  world.worker<Work>(WORK);
  world.worker<Work>(WORK);
  await caller.ready;
  assertEquals(await caller.request("add", { a: 1, b: 2 }), 3);
  assertEquals(await caller.request("nothing"), undefined);
  assertEquals(await caller.request("bytes", Uint8Array.of(1, 255)), Uint8Array.of(1, 255));
  const error = await assertRejects(() => caller.request("fail", "mine"), RequestError, "as asked");
  assertEquals([error.code, error.data], ["mine", [1]]);
  const hidden = await assertRejects(() => caller.request("fail", ""), RequestError);
  assertEquals([hidden.code, hidden.message.includes("secret")], ["internal", false]);
  assertEquals(world.errors.map(String), ["Error: secret"]);
  assertEquals(
    await Array.fromAsync(caller.stream("count", { to: 300 })),
    [...Array(300).keys()].map((n) => n + 1),
  );
  assertEquals(await caller.request("total", undefined, { items: [1, 2, 3] }), 6);
  assertEquals(caller.stats.outstanding, 0);
});

Deno.test("A message larger than the channel takes goes in parts, and one beyond the limit is refused", async () => {
  await using world = new World();
  const caller = world.caller<Work>();
  world.worker<Work>(WORK, { maxMessageBytes: 1_000_000 });
  const large = crypto.getRandomValues(new Uint8Array(60_000));
  const bytes = new Uint8Array(960_000).map((_, i) => large[i % large.length]);
  assertEquals(await caller.request("bytes", bytes), bytes);
  await assertRejects(
    () => caller.request("bytes", new Uint8Array(1_000_000)),
    Error,
    "the peer takes no larger ones",
  );
  assertEquals(await caller.request("add", { a: 1, b: 1 }), 2);
});

Deno.test("A request goes to a worker that serves its method, and waits for one", async () => {
  await using world = new World();
  const caller = world.caller<{ one(): string; two(): string }>();
  world.worker({ one: () => "first" });
  const late = caller.request("two");
  assertEquals(await caller.request("one"), "first");
  await until(() => caller.stats.waiting === 1);
  world.worker({ two: () => "second" });
  assertEquals(await late, "second");
  const methods = caller.workers.map(({ methods }) => methods);
  assertEquals(methods, [["one"], ["two"]]);
  assertEquals(caller.workers.map(({ state }) => state), ["ready", "ready"]);
});

Deno.test("A request that nobody serves fails with no-worker after workerTimeout, or earlier with timeout", async () => {
  await using world = new World();
  const caller = world.caller<Work>({ workerTimeout: 60 });
  const params = { a: 1, b: 1 };
  const none = await assertRejects(() => caller.request("add", params), RequestError);
  assertEquals(none.code, "no-worker");
  assertEquals(none.message, "Cannot request add of group g: no worker serves it");
  const patient = world.caller<Work>({ workerTimeout: 60_000 });
  const late = await assertRejects(
    () => patient.request("add", params, { timeout: 10 }),
    RequestError,
    "no answer in time",
  );
  assertEquals(late.code, "timeout");
  const controller = new AbortController();
  const aborted = caller.request("add", params, { signal: controller.signal });
  controller.abort("enough");
  assertEquals(await aborted.catch((reason) => reason), "enough");
  for (const { stats } of [caller, patient]) assertEquals([stats.waiting, stats.sent], [0, 0]);
});

Deno.test("The less busy of two workers gets the request: what was given away counts at once", async () => {
  await using world = new World();
  const gate = new Gate();
  const caller = world.caller<{ hold(): void }>();
  const workers = [1, 2].map(() =>
    world.worker({ hold: () => gate.pass() }, { maxConcurrent: 50 })
  );
  await until(() => caller.workers.length === 2);
  const held: Promise<unknown>[] = [];
  for (let i = 0; i < 20; i++) held.push(caller.request("hold"));
  await until(() => gate.waiting === 20);
  const running = workers.map(({ stats }) => stats.running);
  assertEquals(running, [10, 10]);
  gate.open();
  await Promise.all(held);
});

Deno.test("What another caller gives a worker counts, too: it tells how busy it is", async () => {
  await using world = new World();
  const gate = new Gate();
  const hold = () => gate.pass();
  const busy = world.worker({ hold, task: () => "busy" }, { maxConcurrent: 50 });
  world.worker({ task: () => "idle" }, { maxConcurrent: 50 });
  const other = world.caller<{ hold(): void }>();
  const caller = world.caller<{ task(): string }>();
  await until(() => other.workers.length === 2 && caller.workers.length === 2);
  const held = Array.from({ length: 20 }, () => other.request("hold"));
  await until(() => caller.workers.some(({ id, load }) => id === busy.id && load === 20));
  const tasks: string[] = [];
  for (let i = 0; i < 30; i++) tasks.push(await caller.request("task"));
  assertEquals(new Set(tasks), new Set(["idle"]));
  gate.open();
  await Promise.all(held);
});

Deno.test("Among many workers, the less busy of two at random keeps all about equally busy", async () => {
  await using world = new World();
  const gate = new Gate();
  const caller = world.caller<{ hold(): void }>();
  const hold = () => gate.pass();
  const workers = Array.from({ length: 10 }, () => world.worker({ hold }, { maxConcurrent: 50 }));
  await until(() => caller.workers.length === 10);
  const held = Array.from({ length: 200 }, () => caller.request("hold"));
  await until(() => gate.waiting === 200);
  const loads = workers.map(({ stats }) => stats.running);
  // One at random each time would give the busiest about 30 of them.
  assert(Math.max(...loads) - Math.min(...loads) <= 6, `${loads}`);
  gate.open();
  await Promise.all(held);
});

Deno.test("Capacity counts: a worker that works on four times as many gets four times as many", async () => {
  await using world = new World();
  const gate = new Gate();
  const caller = world.caller<{ hold(): void }>();
  const hold = () => gate.pass();
  const small = world.worker({ hold }, { maxConcurrent: 10 });
  const large = world.worker({ hold }, { maxConcurrent: 40 });
  await until(() => caller.workers.length === 2);
  const held = Array.from({ length: 50 }, () => caller.request("hold"));
  await until(() => gate.waiting === 50);
  assertEquals([small.stats.running, large.stats.running], [10, 40]);
  gate.open();
  await Promise.all(held);
});

Deno.test("A worker runs maxConcurrent handlers at a time for all callers; others wait, and then are busy", async () => {
  await using world = new World();
  const gate = new Gate();
  let most = 0;
  const worker = world.worker({
    async hold() {
      most = Math.max(most, worker.stats.running);
      await gate.pass();
    },
  }, { maxConcurrent: 2, maxWaiting: 2 });
  const callers = [world.caller<{ hold(): void }>(), world.caller<{ hold(): void }>()];
  const held = [0, 1, 0, 1].map((i) => callers[i].request("hold"));
  await until(() => worker.stats.waiting === 2);
  const busy = await assertRejects(() => callers[0].request("hold"), RequestError);
  assertEquals(busy.code, "busy");
  assertEquals([worker.stats.refused, gate.waiting], [1, 2]);
  gate.open();
  await Promise.all(held);
  assertEquals([most, worker.stats.answered], [2, 4]);
});

Deno.test("A request that a full worker refuses goes to another one", async () => {
  await using world = new World();
  const gate = new Gate();
  const options = { maxConcurrent: 1, maxWaiting: 0 };
  const hold = () => gate.pass();
  const full = world.worker({ hold, task: () => "never" }, options);
  const caller = world.caller<{ hold(): void; task(): string }>();
  const held = caller.request("hold");
  await until(() => full.stats.running === 1);
  world.worker({ task: () => "done" }, { maxConcurrent: 1, maxWaiting: 1_000 });
  await until(() => caller.workers.length === 2);
  const tasks = await Promise.all(Array.from({ length: 20 }, () => caller.request("task")));
  assertEquals(new Set(tasks), new Set(["done"]));
  assertEquals(caller.stats.passedOn, full.stats.refused);
  gate.open();
  await held;
});

Deno.test("A caller has maxRequests under way, maxWaiting wait, and the rest is busy", async () => {
  await using world = new World();
  const gate = new Gate();
  world.worker({ hold: () => gate.pass() });
  const caller = world.caller<{ hold(): void }>({
    maxRequests: 3,
    maxWaiting: 2,
    workerTimeout: 20,
  });
  await caller.ready;
  const held = Array.from({ length: 5 }, () => caller.request("hold"));
  await until(() => gate.waiting === 3);
  assertEquals([caller.stats.outstanding, caller.stats.waiting], [3, 2]);
  const busy = await assertRejects(() => caller.request("hold"), RequestError, "2 requests wait");
  assertEquals(busy.code, "busy");
  // They wait for this caller's own limit, for which workerTimeout is not meant.
  await assertRejects(() => world.caller<{ no(): void }>({ workerTimeout: 60 }).request("no"));
  assertEquals(caller.stats.waiting, 2);
  gate.open();
  await Promise.all(held);
});

Deno.test("Cancelling, by signal, timeout and break, reaches the handler", async () => {
  await using world = new World();
  const gate = new Gate();
  const ended: string[] = [];
  world.worker({
    async hold(name: string, { signal }: { signal: AbortSignal }) {
      try {
        await gate.pass(signal);
      } finally {
        ended.push(name);
      }
    },
    async *forever() {
      try {
        for (let n = 0;; n++) yield n;
      } finally {
        ended.push("stream");
      }
    },
  }, { maxConcurrent: 1 });
  const caller = world.caller<{ hold(name: string): void; forever(): AsyncIterable<number> }>();
  for (const repeatable of [false, true]) {
    ended.length = 0;
    const controller = new AbortController();
    const aborted = caller.request("hold", "a", { signal: controller.signal, repeatable });
    await until(() => gate.waiting > 0);
    const waits = caller.request("hold", "waits", { signal: controller.signal, repeatable });
    controller.abort("enough");
    assertEquals(await aborted.catch((reason) => reason), "enough");
    assertEquals(await waits.catch((reason) => reason), "enough");
    const late = await assertRejects(
      () => caller.request("hold", "b", { timeout: 30, repeatable }),
      RequestError,
    );
    assertEquals(late.code, "timeout");
    for await (const n of caller.stream("forever", undefined, { repeatable })) if (n === 3) break;
    await until(() => ended.length === 3);
    assertEquals(ended, ["a", "b", "stream"]);
  }
  assertEquals(caller.stats.outstanding, 0);
});

Deno.test("worker.close() finishes what it has, and nothing is lost: callers go to another one", async () => {
  await using world = new World();
  const gate = new Gate();
  const closing = world.worker({ hold: () => gate.pass().then(() => "old") });
  const caller = world.caller<{ hold(): string }>();
  const held = Array.from({ length: 5 }, () => caller.request("hold"));
  await until(() => gate.waiting === 5);
  world.worker({ hold: () => "new" });
  await until(() => caller.workers.length === 2);
  const closed = closing.close();
  assertEquals(caller.workers.map(({ state }) => state), ["leaving", "ready"]);
  assertEquals(await caller.request("hold"), "new");
  gate.open();
  assertEquals(await Promise.all(held), Array(5).fill("old"));
  await closed;
  assertEquals(caller.workers.length, 1);
  assertEquals([caller.stats.lost, caller.stats.lostWorkers], [0, 0]);
});

Deno.test("worker.close() aborts what is not finished after the grace time", async () => {
  await using world = new World();
  const signals: AbortSignal[] = [];
  const worker = world.worker({
    hold: (_: undefined, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise<void>(() => {});
    },
  });
  const caller = world.caller<{ hold(): void }>();
  const held = caller.request("hold");
  await until(() => signals.length === 1);
  const [error] = await Promise.all([
    assertRejects(() => held, RequestError),
    worker.close({ grace: 10 }),
  ]);
  assertEquals([error.code, signals[0].aborted], ["worker-lost", true]);
});

Deno.test("caller.close() rejects what is under way and what waits, and cancels it", async () => {
  await using world = new World();
  const gate = new Gate();
  const signals: AbortSignal[] = [];
  world.worker({
    hold: (_: undefined, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return gate.pass(signal);
    },
  });
  const caller = world.caller<{ hold(): void; no(): void }>();
  const held = caller.request("hold");
  const waits = caller.request("no");
  await until(() => signals.length === 1);
  const errors = Promise.all([held, waits].map((promise) => promise.catch((error) => error)));
  await caller.close();
  await until(() => signals[0].aborted);
  const [first, second] = await errors;
  assert(first instanceof ConnectionClosedError || first.code === "worker-lost", String(first));
  assert(second instanceof ConnectionClosedError);
  await assertRejects(() => caller.request("hold"), ConnectionClosedError);
});

Deno.test("Several groups and backplanes do not mix, and a second group may have the same methods", async () => {
  const [one, two] = [inProcess(), inProcess()];
  await using _a = joinGroup(one, "a", { who: () => "one a" }, TIMES);
  await using _b = joinGroup(one, "b", { who: () => "one b" }, TIMES);
  await using _c = joinGroup(two, "a", { who: () => "two a" }, TIMES);
  const odd = `any name: *.> \n\u{1f600}\ud800`;
  await using _d = joinGroup(one, odd, { who: () => "odd" }, TIMES);
  for (const [backplane, name] of [[one, "a"], [one, "b"], [two, "a"]] as const) {
    await using group = requestGroup(backplane, name, TIMES);
    assertEquals(await group.request("who"), `${backplane === one ? "one" : "two"} ${name}`);
    assertEquals(group.workers.length, 1);
  }
  await using group = requestGroup(one, odd, TIMES);
  assertEquals(await group.request("who"), "odd");
});

Deno.test("Wrong options, names, handlers and backplanes are refused", async () => {
  const backplane = inProcess();
  assertThrows(() => requestGroup(backplane, "x".repeat(257)), RangeError, "257 characters");
  assertThrows(
    () => requestGroup(backplane, "g", { heartbeatInterval: 5_000 }),
    RangeError,
    "more than twice heartbeatInterval",
  );
  assertThrows(() => requestGroup(backplane, "g", { maxAttempts: 0 }), RangeError, "maxAttempts 0");
  assertThrows(() => joinGroup(backplane, "g", { a: 1 as never }), TypeError, "no function");
  assertThrows(() => joinGroup(backplane, "g", { ["é".repeat(128)]: () => {} }), TypeError, "255");
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`m${i}`, () => {}]));
  assertThrows(() => joinGroup(backplane, "g", many), RangeError, "limit is 1000");
  const { attach } = backplane;
  const bare = {
    attach: (port: Parameters<typeof attach>[0]) => {
      const { channels: _, ...link } = backplane.attach(port);
      return { ...link, close() {} } as ReturnType<typeof attach>;
    },
  };
  assertThrows(() => requestGroup(bare, "g"), TypeError, "no channels");
  await using caller = requestGroup(backplane, "g", TIMES);
  await assertRejects(() => caller.request("é".repeat(128)), TypeError, "255 bytes");
  await assertRejects(() => caller.request("a", 1n), TypeError, "not JSON");
  await assertRejects(
    () => caller.request("a", 1, { repeatable: true, items: [] } as never),
    TypeError,
    "cannot be repeatable",
  );
  await assertRejects(() => caller.request("a", 1, { timeout: -1 }), RangeError, "timeout");
});

Deno.test("A group is typed by the interface that types peers", async () => {
  await using world = new World();
  world.worker<Work>(WORK);
  const caller = world.caller<Work>();
  const sum: number = await caller.request("add", { a: 1, b: 2 });
  const items: AsyncIterable<number> = caller.stream("count", { to: 1 });
  assertEquals([sum, await Array.fromAsync(items)], [3, [1]]);
  const wrong = [
    // @ts-expect-error: there is no such method
    () => caller.request("nope", undefined, { timeout: 1 }),
    // @ts-expect-error: it is a number
    () => caller.request("add", { a: "1", b: 2 }, { timeout: 1 }),
    // @ts-expect-error: it gives a stream
    () => caller.request("count", { to: 1 }, { timeout: 1 }),
    // @ts-expect-error: it takes items
    () => caller.request("total", undefined, { timeout: 1 }),
  ];
  assertEquals(wrong.length, 4);
});
