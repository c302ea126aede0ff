/** Groups whose members die, freeze, or lose messages, and strangers among them; in one process. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { RequestError } from "../../request.ts";
import { encodeFrame, FrameType } from "../../group/frames.ts";
import { Gate, until, type Way, World } from "./world.ts";

/** The type of a frame that says what was taken. */
const ACK = 2;

interface Work {
  hold(name: string): string;
  count(params: undefined): AsyncIterable<number>;
}

/** A worker that tells which requests it got, and holds them at its gate. */
function holding(world: World, label: string, gate: Gate, got: string[]) {
  return world.worker<Work>({
    async hold(name, { key }) {
      got.push(`${label} ${name}${key === undefined ? "" : " keyed"}`);
      await gate.pass();
      return label;
    },
    async *count() {
      yield 1;
      await gate.pass();
      yield 2;
    },
  });
}

Deno.test("A worker that dies: repeatable requests go to another one, others fail with worker-lost", async () => {
  await using world = new World();
  const got: string[] = [];
  const [never, open] = [new Gate(), new Gate()];
  open.open();
  const dies = holding(world, "dies", never, got);
  const caller = world.caller<Work>();
  const plain = caller.request("hold", "plain");
  const repeatable = caller.request("hold", "repeatable", { repeatable: true });
  await until(() => got.length === 2);
  holding(world, "lives", open, got);
  await until(() => caller.workers.length === 2);
  dies.way.cut();
  const error = await assertRejects(() => plain, RequestError);
  assertEquals(error.code, "worker-lost");
  assertEquals(
    error.message,
    "Cannot request hold of group g: its worker was lost; it may have been done or not",
  );
  assert(String((error.cause as Error).message).includes("nothing came of it for 400 ms"));
  assertEquals(await repeatable, "lives");
  assertEquals(got, ["dies plain", "dies repeatable keyed", "lives repeatable keyed"]);
  const { lost, repeated, lostWorkers, outstanding } = caller.stats;
  assertEquals([lost, repeated, lostWorkers, outstanding], [1, 1, 1, 0]);
});

Deno.test("A worker that takes nothing gets no further requests, and gives up those that it did not take", async () => {
  await using world = new World();
  const got: string[] = [];
  const [gate, open] = [new Gate(), new Gate()];
  open.open();
  // It has a lease that outlasts the test.
  const times = { leaseTimeout: 60_000, acceptTimeout: 60 };
  const stalls = holding(world, "stalls", gate, got);
  const caller = world.caller<Work>(times);
  const taken = caller.request("hold", "taken", { repeatable: true });
  let acknowledged = 0;
  stalls.way.out = (_, [_version, type]) => type !== ACK || ++acknowledged > 0;
  await until(() => acknowledged === 1);
  stalls.way.cut();
  const plain = caller.request("hold", "plain");
  const moves = caller.request("hold", "moves", { repeatable: true });
  holding(world, "works", open, got);
  assertEquals(await moves, "works");
  assertEquals(caller.workers.map(({ state }) => state), ["stalled", "ready"]);
  for (let i = 0; i < 10; i++) assertEquals(await caller.request("hold", "next"), "works");
  assertEquals(got.filter((name) => name.endsWith("taken keyed")), ["stalls taken keyed"]);
  assertEquals(caller.stats.lost, 0);
  const failures = Promise.all([taken, plain].map((promise) => promise.catch(({ code }) => code)));
  await caller.close();
  assertEquals((await failures).length, 2);
});

Deno.test("A worker that was frozen is back with what it was sent, and its answers count", async () => {
  await using world = new World();
  const gate = new Gate();
  const got: string[] = [];
  const freezes = holding(world, "freezes", gate, got);
  const caller = world.caller<Work>({ leaseTimeout: 60_000, acceptTimeout: 40 });
  await caller.ready;
  const kept: [way: Way, channel: string, message: Uint8Array][] = [];
  caller.way.out = (channel, message) => {
    kept.push([caller.way, channel, message]);
    return false;
  };
  const answer = caller.request("hold", "late");
  await until(() => caller.workers[0].state === "stalled");
  const waits = caller.request("hold", "waits");
  assertEquals(caller.stats.waiting, 1);
  caller.way.join();
  const { channels } = world.backplane.attach({ deliver() {}, failed() {} });
  for (const [, channel, message] of kept) channels!.publish(channel, message);
  gate.open();
  assertEquals(await Promise.all([answer, waits]), ["freezes", "freezes"]);
  assertEquals(caller.workers[0].state, "ready");
  assertEquals(freezes.stats.answered, 2);
});

Deno.test("A repeated request that the same worker has answered is not done again", async () => {
  await using world = new World();
  const gate = new Gate();
  const got: string[] = [];
  const worker = holding(world, "only", gate, got);
  const caller = world.caller<Work>();
  const running = caller.request("hold", "running", { repeatable: true });
  await until(() => got.length === 1);
  // Its answer is lost: the next message of the lane shows the gap.
  worker.way.out = () => false;
  gate.open();
  await until(() => worker.stats.answered === 1);
  worker.way.join();
  const next = caller.request("hold", "next", { repeatable: true });
  assertEquals(await Promise.all([running, next]), ["only", "only"]);
  assertEquals(got.filter((name) => name === "only running keyed").length, 1);
  assertEquals([worker.stats.remembered > 0, caller.stats.lost], [true, 0]);
  assert(caller.stats.repeated > 0);
});

Deno.test("A repeated request that still runs is joined, and errors are remembered as well", async () => {
  await using world = new World();
  const gate = new Gate();
  let calls = 0;
  const worker = world.worker({
    async fail() {
      calls++;
      await gate.pass();
      throw new RequestError("mine", "as asked");
    },
  });
  const caller = world.caller<{ fail(): void }>();
  const failing = caller.request("fail", undefined, { repeatable: true });
  await until(() => calls === 1);
  // Something of the lane is lost, and the caller has another one; the handler does not mind.
  caller.way.out = (channel) => channel.startsWith("group.callers");
  const lost = caller.request("fail", undefined, { repeatable: true });
  await until(() => caller.stats.sent === 2);
  caller.way.join();
  const after = caller.request("fail", undefined, { repeatable: true });
  const errors = [failing, lost, after].map((promise) =>
    assertRejects(() => promise, RequestError)
  );
  await until(() => caller.stats.repeated >= 2);
  gate.open();
  assertEquals((await Promise.all(errors)).map(({ code }) => code), ["mine", "mine", "mine"]);
  await until(() => worker.stats.running === 0);
});

Deno.test("What ends one worker after the other ends maxAttempts of them, and no more", async () => {
  await using world = new World();
  const ways: Way[] = [];
  const workers = Array.from({ length: 4 }, () => {
    const worker = world.worker({
      poison() {
        ways.push(worker.way);
        worker.way.cut();
        return new Promise<void>(() => {});
      },
    });
    return worker;
  });
  const caller = world.caller<{ poison(): void }>({ maxAttempts: 2 });
  await until(() => caller.workers.length === workers.length);
  const error = await assertRejects(
    () => caller.request("poison", undefined, { repeatable: true }),
    RequestError,
  );
  assertEquals([error.code, ways.length, new Set(ways).size], ["worker-lost", 2, 2]);
});

Deno.test("A stream is begun again only if nothing of it has come", async () => {
  await using world = new World();
  const [never, open] = [new Gate(), new Gate()];
  open.open();
  const dies = holding(world, "dies", never, []);
  const caller = world.caller<Work>();
  await caller.ready;
  const begun = caller.stream("count", undefined, { repeatable: true });
  assertEquals(await begun.next(), { done: false, value: 1 });
  dies.way.out = () => false;
  const fresh = caller.stream("count", undefined, { repeatable: true });
  const plain = caller.stream("count");
  const first = [fresh.next(), plain.next()];
  await until(() => caller.stats.outstanding === 3);
  holding(world, "lives", open, []);
  const lost = await assertRejects(() => begun.next(), RequestError);
  assertEquals(lost.code, "worker-lost");
  await assertRejects(() => first[1], RequestError, "may have been done or not");
  assertEquals(await first[0], { done: false, value: 1 });
  assertEquals(await Array.fromAsync(fresh), [2]);
  assertEquals(await fresh.next(), { done: true, value: undefined });
  assertEquals(caller.stats.outstanding, 0);
});

Deno.test("A caller that dies is forgotten, and what is done for it is aborted", async () => {
  await using world = new World();
  const signals: AbortSignal[] = [];
  const worker = world.worker({
    hold: (_: undefined, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise<void>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
  });
  const caller = world.caller<{ hold(): void }>();
  const held = caller.request("hold").catch(({ code }) => code);
  await until(() => signals.length === 1);
  caller.way.cut();
  await until(() => signals[0].aborted);
  assertEquals([worker.stats.callers, worker.stats.lostCallers], [0, 1]);
  assertEquals(await held, "worker-lost");
  caller.way.join();
  await until(() => caller.workers.length === 1);
  const again = caller.request("hold");
  await until(() => signals.length === 2);
  const failure = again.catch((error) => error);
  await caller.close();
  await failure;
});

Deno.test("A worker takes maxCallers callers, and further ones use another worker, or are told that all are busy", async () => {
  await using world = new World();
  const full = world.worker({ who: () => "full" }, { maxCallers: 1 });
  const first = world.caller<{ who(): string }>();
  assertEquals(await first.request("who"), "full");
  const second = world.caller<{ who(): string }>();
  const refused = await assertRejects(() => second.request("who"), Error);
  assert(refused.message.includes("takes no more"), refused.message);
  assertEquals(full.stats.refused, 1);
  world.worker({ who: () => "other" });
  await until(() => second.workers.length === 2);
  for (let i = 0; i < 5; i++) assertEquals(await second.request("who"), "other");
});

Deno.test("A caller has few lanes to a worker, whatever it sends", async () => {
  await using world = new World();
  const worker = world.worker({ who: () => "me" });
  const caller = world.caller<{ who(): string }>();
  await caller.ready;
  const { channels } = world.backplane.attach({ deliver() {}, failed() {} });
  const open = (lane: number) =>
    encodeFrame({
      type: FrameType.data,
      from: "00".repeat(8),
      lane,
      offset: 0,
      taken: 0,
      load: 0,
      payload: Uint8Array.of(0),
    });
  for (let lane = 1; lane <= 20; lane++) channels!.publish(`group.${worker.id}`, open(lane));
  assertEquals([worker.stats.callers, worker.stats.refused], [1, 16]);
  assertEquals(await caller.request("who"), "me");
  // Nobody says that this caller is there, so it is lost.
  await until(() => worker.stats.lostCallers === 1);
  assertEquals(worker.stats.callers, 1);
});

Deno.test("A caller knows maxWorkers workers, and counts the others", async () => {
  await using world = new World();
  const caller = world.caller<{ who(): string }>({ maxWorkers: 2 });
  for (let i = 0; i < 3; i++) world.worker({ who: () => `${i}` });
  await until(() => caller.stats.refused > 0);
  assertEquals(caller.workers.length, 2);
});

Deno.test("What strangers publish on the channels of a group is ignored and counted", async () => {
  await using world = new World();
  const channels = new Set<string>();
  const worker = world.worker({ who: () => "me" });
  worker.way.out = (channel) => Boolean(channels.add(channel));
  const caller = world.caller<{ who(): string }>();
  caller.way.out = (channel) => Boolean(channels.add(channel));
  await caller.ready;
  assertEquals(await caller.request("who"), "me");
  await until(() => channels.size === 4);
  const stranger = world.backplane.attach({ deliver() {}, failed() {} });
  const wrong = ["", "hello", "{}", '{"v":1,"kind":"worker","id":"0123456789abcdef","number":1}']
    .map((text) => new TextEncoder().encode(text));
  // A frame of ours, as far as it goes, and lanes that nobody has.
  wrong.push(Uint8Array.of(1, 9, ...new Uint8Array(20)), Uint8Array.of(1, 0, ...new Uint8Array(9)));
  for (const channel of channels) {
    for (const message of wrong) stranger.channels!.publish(channel, message);
  }
  for (
    const [channel, type] of [...channels].flatMap((name) =>
      [0, 1, 2, 3, 4].map((n) => [name, n] as const)
    )
  ) {
    // From an id that nobody has, for a lane that is there, in the middle of the stream.
    stranger.channels!.publish(
      channel,
      Uint8Array.of(1, type, ...new Uint8Array(8).fill(7), 1, 99, 99, 0, 1, 2, 3),
    );
  }
  assertEquals([worker.stats.foreign > 5, caller.stats.foreign > 5], [true, true]);
  for (let i = 0; i < 5; i++) assertEquals(await caller.request("who"), "me");
  assertEquals([caller.stats.lost, caller.workers.length, world.errors.length], [0, 1, 0]);
});

Deno.test("With loss of one message in fifty each way, each repeatable request is answered, and nothing else changes", async () => {
  await using world = new World();
  const worker = world.worker({ double: (n: number) => 2 * n }, { maxConcurrent: 4 });
  world.worker({ double: (n: number) => 2 * n }, { maxConcurrent: 4 });
  const caller = world.caller<{ double(n: number): number }>({ maxAttempts: 100 });
  await until(() => caller.workers.length === 2);
  let count = 0;
  worker.way.out = caller.way.out = () => ++count % 50 !== 0;
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, n) => caller.request("double", n, { repeatable: true })),
  );
  assertEquals(answers, Array.from({ length: 300 }, (_, n) => 2 * n));
  assertEquals(caller.stats.lost, 0);
});
