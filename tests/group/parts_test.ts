/** The parts of a group: frames, notices, lanes, the roster, and what is remembered. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameType,
  isId,
  newId,
} from "../../group/frames.ts";
import { Lane, type LaneFrame, type LaneOwner, WINDOW_BYTES } from "../../group/lane.ts";
import { decodeNotice, encodeNotice, type Notice, type WorkerNotice } from "../../group/notices.ts";
import { Remembered } from "../../group/remembered.ts";
import { Known, Roster } from "../../group/roster.ts";
import { RequestError } from "../../request.ts";
import { Ready } from "../../request/internal.ts";

const ID = "0123456789abcdef";
const NOTHING = new Uint8Array();

Deno.test("A frame is as docs/groups.md draws it", () => {
  const frame: Frame = {
    type: FrameType.data,
    from: ID,
    lane: 1,
    offset: 300,
    taken: 2,
    load: 0,
    payload: Uint8Array.of(7, 8),
  };
  const bytes = encodeFrame(frame);
  assertEquals(bytes.toHex(), "01000123456789abcdef01ac0202000708");
  assertEquals(decodeFrame(bytes), frame);
});

Deno.test("Frames come as they were sent, and whatever else comes is none or is one", () => {
  const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  const frame = fc.record({
    type: fc.nat({ max: 4 }),
    from: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => bytes.toHex()),
    lane: count,
    offset: count,
    taken: count,
    load: count,
    payload: fc.uint8Array(),
  });
  fc.assert(fc.property(frame, (one) => assertEquals(decodeFrame(encodeFrame(one)), one)));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    const one = decodeFrame(bytes);
    assert(one === undefined || isId(one.from));
  }));
  for (const hex of ["", "01", "02000123456789abcdef00000000", "01050123456789abcdef00000000"]) {
    assertEquals(decodeFrame(Uint8Array.fromHex(hex)), undefined, hex);
  }
  const long = "01000123456789abcdef000000ffffffffffffffffff01";
  assertEquals(decodeFrame(Uint8Array.fromHex(long)), undefined);
});

Deno.test("Notices come as they were sent, and whatever else comes is none", () => {
  const notices: Notice[] = [
    { kind: "worker", id: ID, number: 1, methods: ["a", "é"], load: 2, capacity: 3 },
    { kind: "leave", id: ID, number: 2 },
    { kind: "ask", id: ID, number: 3 },
  ];
  for (const notice of notices) {
    const { v: _, ...decoded } = decodeNotice(encodeNotice(notice)) as Notice & { v?: number };
    assertEquals(decoded as Notice, notice);
  }
  const good = { v: 1, kind: "worker", id: ID, number: 1, methods: ["a"], load: 0, capacity: 1 };
  for (
    const wrong of [
      { v: 2 },
      { kind: "boss" },
      { id: "0123" },
      { number: -1 },
      { number: 1.5 },
      { methods: "a" },
      { methods: ["x".repeat(256)] },
      { methods: Array(1_001).fill("a") },
      { load: "much" },
      { capacity: 0 },
    ]
  ) {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...good, ...wrong }));
    assertEquals(decodeNotice(bytes), undefined, JSON.stringify(wrong));
  }
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assertEquals(decodeNotice(bytes), undefined)));
});

/** Two ends of a lane, whose frames the test carries. */
function lanes(carry: (from: 0 | 1, frame: Frame, to: Lane) => void) {
  const ends: Lane[] = [];
  const closed: number[] = [];
  const owner = (side: 0 | 1): LaneOwner => ({
    maxPayloadBytes: 10_000,
    send: (_lane: Lane, frame: LaneFrame) =>
      carry(side, { from: ID, lane: 1, load: 0, ...frame }, ends[1 - side]),
    closed: () => closed.push(side),
  });
  for (const side of [0, 1] as const) ends.push(new Lane(owner(side), newId(), 1, "a", "b"));
  return { ends, closed, [Symbol.dispose]: () => ends.forEach((lane) => lane.close()) };
}

async function readAll(lane: Lane, bytes: number): Promise<number> {
  let read = 0;
  while (read < bytes) read += (await lane.read())!.length;
  return read;
}

Deno.test("A lane sends a window ahead, and goes on when the other end has taken half of it", async () => {
  let largest = 0;
  using pair = lanes((_, frame, to) => {
    largest = Math.max(largest, frame.payload.length);
    to.take(frame);
  });
  const [near, far] = pair.ends;
  const total = 3 * WINDOW_BYTES;
  const chunk = new Uint8Array(total);
  let sent = 0;
  const writing = (async () => {
    while (sent < total) sent += await near.write(chunk.subarray(sent));
  })();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([sent, near.sentBytes, largest], [WINDOW_BYTES, WINDOW_BYTES, 10_000]);
  assert(near.waitingSince < Infinity);
  assertEquals(await readAll(far, total), total);
  await writing;
  await near.closeWrite();
  assertEquals(await far.read(), undefined);
  await far.closeWrite();
  far.close();
  near.close();
  assertEquals(pair.closed, [1, 0]);
});

Deno.test("A lane drops what comes again, and ends where something is missing", async () => {
  let drop = -1;
  let count = 0;
  using pair = lanes((from, frame, to) => {
    if (from === 1 && frame.type !== FrameType.reset) return to.take(frame) as never;
    if (from === 0 && count++ === drop) return;
    to.take(frame);
    to.take(frame);
  });
  const [near, far] = pair.ends;
  await near.write(Uint8Array.of(1));
  await near.write(Uint8Array.of(2));
  assertEquals([await far.read(), await far.read()], [Uint8Array.of(1), Uint8Array.of(2)]);
  drop = count;
  await near.write(Uint8Array.of(3));
  const reading = far.read();
  await near.write(Uint8Array.of(4));
  await assertRejects(() => reading, Error, "messages between hubs were lost");
  await assertRejects(() => far.write(Uint8Array.of(1)), Error, "were lost");
});

Deno.test("A lane refuses what goes beyond the window, and what takes more than was sent", () => {
  using pair = lanes(() => {});
  const [near] = pair.ends;
  const frame = { type: FrameType.data, from: ID, lane: 1, offset: 0, taken: 0, load: 0 };
  assertEquals(near.take({ ...frame, payload: new Uint8Array(WINDOW_BYTES + 1) }), false);
  assertEquals(near.take({ ...frame, payload: NOTHING }), false);
  assertEquals(near.take({ ...frame, taken: 1, payload: Uint8Array.of(1) }), false);
  assertEquals(near.take({ ...frame, payload: new Uint8Array(WINDOW_BYTES) }), true);
});

function notice(id: string, options: Partial<WorkerNotice> = {}): WorkerNotice {
  return { kind: "worker", id, number: 1, methods: ["a"], load: 0, capacity: 10, ...options };
}

Deno.test("The roster counts what it gave away since a worker last told how busy it is", () => {
  const roster = new Roster<never>({ leaseTimeout: 100, maxWorkers: 10 }, () => 0);
  roster.take(notice("one", { load: 5 }), 0);
  const known = roster.get("one")!;
  assertEquals(known.load, 5);
  known.requests += 2;
  assertEquals(known.load, 7);
  roster.heard("one", 6, 1);
  assertEquals(known.load, 6, "two of them are this caller's");
  known.requests -= 2;
  assertEquals([known.load, known.busyness], [4, 0.4]);
  roster.heard("one", 0, 2);
  known.requests += 3;
  assertEquals(known.load, 3);
});

Deno.test("The roster forgets whom it does not hear, and late words of them bring nobody back", () => {
  const roster = new Roster<never>({ leaseTimeout: 100, maxWorkers: 2 }, () => 0);
  assertEquals(roster.take(notice("one"), 0), true);
  assertEquals(roster.take(notice("one", { number: 2 }), 50), false);
  assertEquals(roster.take(notice("two"), 60), true);
  assertEquals(roster.take(notice("three"), 60), false);
  assertEquals([roster.refused, roster.serves("a"), roster.serves("b")], [1, true, false]);
  assertEquals(roster.take(notice("two", { number: 2, methods: ["b"] }), 61), true);
  assertEquals(roster.serves("b"), true);
  roster.heard("two", 0, 120);
  assertEquals(roster.expire(149), []);
  assertEquals(roster.expire(150).map(({ id }) => id), ["one"]);
  assertEquals(roster.expiresAt, 220);
  assertEquals(roster.take(notice("one", { number: 2 }), 151), false);
  assertEquals(roster.take(notice("one", { number: 3 }), 152), true);
  roster.delete(roster.leave("two", 9)!);
  assertEquals(roster.take(notice("two", { number: 9 }), 153), false);
  assertEquals(roster.choose("b", () => true), undefined);
});

Deno.test("The roster chooses among those that fit, however few they are", () => {
  const roster = new Roster<never>({ leaseTimeout: 100, maxWorkers: 100 });
  for (let i = 0; i < 50; i++) roster.take(notice(`${i}`, { load: i }), 0);
  for (let i = 0; i < 100; i++) {
    assertEquals(roster.choose("a", ({ id }) => id === "49")?.id, "49");
    const chosen = roster.choose("a", ({ load }) => load > 46)!;
    assert(chosen instanceof Known && chosen.load < 49, `the busiest of three: ${chosen.load}`);
  }
  assertEquals(roster.choose("a", () => false), undefined);
});

Deno.test("What is remembered has limits: answers, bytes, and time", async () => {
  const none = new AbortController().signal;
  const calls: string[] = [];
  const ask = (memory: Remembered, key: string, value: unknown = key) =>
    memory.answer(key, "m", none, () => {
      calls.push(key);
      return value;
    });
  const few = new Remembered(2, 1_000_000, 60_000);
  for (const key of ["a", "b", "a", "c", "a"]) await ask(few, key);
  assertEquals(calls, ["a", "b", "c", "a"]);
  assertEquals([few.size, few.used], [2, 1]);

  calls.length = 0;
  const small = new Remembered(1_000, 10_000, 60_000);
  for (const key of ["large", "large"]) await ask(small, key, new Uint8Array(2_000));
  for (let i = 0; i < 30; i++) await ask(small, `${i}`, new Uint8Array(500));
  assertEquals([calls.length, small.size], [32, 13]);

  calls.length = 0;
  const short = new Remembered(1_000, 10_000, -1);
  for (const key of ["a", "a"]) await ask(short, key);
  assertEquals(calls, ["a", "a"]);
});

Deno.test("What is remembered is the answer: not that the caller went, and not that nobody had time", async () => {
  const memory = new Remembered(10, 10_000, 60_000);
  const controller = new AbortController();
  const { signal } = controller;
  const busy = () => Promise.reject(new RequestError("busy", "busy"));
  await assertRejects(() => memory.answer("a", "m", signal, busy), RequestError);
  await assertRejects(() =>
    memory.answer("a", "m", signal, () => {
      controller.abort("gone");
      return Promise.reject(signal.reason);
    })
  );
  assertEquals(memory.size, 0);
  const { signal: other } = new AbortController();
  assertEquals(await memory.answer("a", "m", other, () => 1), new Ready("1"));
  assertEquals(await memory.answer("a", "m", other, () => 2), new Ready("1"));
  const broken = () => Promise.reject(new Error("secret"));
  await assertRejects(() => memory.answer("b", "m", other, broken), Error, "secret");
  const again = await assertRejects(() => memory.answer("b", "m", other, broken), RequestError);
  assertEquals([again.code, memory.used], ["internal", 2]);
  const circle: { self?: unknown } = {};
  circle.self = circle;
  assertEquals(await memory.answer("c", "m", other, () => circle), circle);
  assertEquals(memory.size, 2);
});
