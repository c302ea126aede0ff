import { assert, assertEquals, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { framing as framingByName, lengthPrefix } from "../../codec.ts";
import { Outbox } from "../../connection/outbox.ts";
import { SessionCode } from "../../session/codes.ts";
import { Incoming } from "../../session/incoming.ts";
import type { SessionOptions } from "../../session/options.ts";
import { Outgoing as PageOutgoing } from "../../browser/instead/outgoing.ts";
import { Outgoing } from "../../session/outgoing.ts";
import { other, type Side, SIDES, World } from "../support/session_world.ts";

/** Small enough that every limit is met. */
const SMALL: SessionOptions = {
  retentionTime: 60_000,
  maxUnacknowledgedBytes: 3_000,
  window: 1_000,
  heartbeatInterval: 5_000,
  heartbeatTimeout: 4_000,
  helloTimeout: 2_000,
};

type Step =
  | { do: "write"; side: Side; bytes: number }
  | { do: "read" | "pump" | "deliver" | "cut" | "end"; side: Side; times: number }
  | { do: "cutBoth" | "connect" | "overtake" | "settle" }
  | { do: "pass"; time: number };

const side = fc.constantFrom<Side>("client", "server");
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("write"),
        side,
        bytes: fc.integer({ min: 1, max: 1500 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("read"), side, times: fc.constant(1) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("pump"), side, times: fc.constant(1) }) },
    {
      weight: 12,
      arbitrary: fc.record({
        do: fc.constant("deliver"),
        side,
        times: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("cut"), side, times: fc.constant(1) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("cutBoth") }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("connect") }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("overtake") }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("settle") }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("pass"), time: fc.integer({ min: 1, max: 300 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("end"), side, times: fc.constant(1) }) },
  ) as fc.Arbitrary<Step>,
  { minLength: 40, maxLength: 150 },
);

function take(world: World, step: Step): void {
  switch (step.do) {
    case "write":
      return world.ends[step.side].write(step.bytes);
    case "read":
      return world.ends[step.side].readAll();
    case "pump":
      return world.pump(step.side);
    case "deliver":
      for (let i = 0; i < step.times; i++) world.deliver(step.side);
      return;
    case "overtake":
      return void world.deliver("server", "newest");
    case "cut":
      return world.cut(step.side);
    case "end":
      return world.ends[step.side].machine.end(codeOf(step.side));
    case "cutBoth":
      return world.cutBoth();
    case "connect":
      return world.connect();
    case "settle":
      return void world.settle();
    case "pass":
      return world.pass(step.time);
  }
}

function codeOf(side: Side) {
  return { code: side === "client" ? 1 : 2, reason: `${side} is done` };
}

/** What must hold at any time. */
function check(world: World): void {
  for (const side of SIDES) {
    const { read, machine } = world.ends[side];
    const { written } = world.ends[other(side)];
    for (let { checked } = world.ends[side]; checked < read.length; checked++) {
      assert(read[checked] === written[checked], `${side} reads what was written, at ${checked}`);
    }
    world.ends[side].checked = read.length;
    assertLessOrEqual(machine.out.unacknowledgedBytes, SMALL.maxUnacknowledgedBytes!);
  }
}

/** Both ends have the same session, so that what is lost later is no first HELLO. */
function opened(options: SessionOptions = SMALL): World {
  const world = new World(options);
  world.connect();
  world.settle();
  assert(world.client.isAttached && world.server.isAttached);
  return world;
}

/** Everything that was written is read and both ends close. */
function finish(world: World): void {
  for (const side of SIDES) world.ends[side].machine.end(codeOf(side));
  for (let round = 0; round < 200; round++) {
    if (SIDES.every((side) => world.ends[side].machine.outcome !== undefined)) return;
    if (world.ends.client.carrier === undefined || !world.client.isAttached) world.connect();
    world.settle();
    for (const side of SIDES) world.ends[side].readAll();
    world.pass(1_000); // One that waits for the other's last word waits for the retention time.
  }
  throw new Error("it does not end");
}

Deno.test("session machine: whatever is cut and whenever, nothing is lost, doubled or reordered", () => {
  let lost = 0;
  let resumes = 0;
  const refused: number[] = [];
  fc.assert(
    fc.property(steps, (steps) => {
      const world = opened();
      for (const step of steps) {
        take(world, step);
        check(world);
      }
      finish(world);
      for (const side of SIDES) world.ends[side].readAll();
      check(world);
      for (const side of SIDES) {
        const { machine, read } = world.ends[side];
        assertEquals(machine.outcome, { kind: "closed" });
        assertEquals(machine.peerEnd, codeOf(other(side)));
        assertEquals(read.length, world.ends[other(side)].written.length);
        assertEquals(machine.out.unacknowledgedBytes, 0);
      }
      lost += world.lost;
      resumes += world.client.resumes;
      refused.push(...world.refused);
    }),
    { numRuns: 400 },
  );
  // It did not pass because nothing happened.
  assert(lost > 500 && resumes > 500, `${lost} lost, ${resumes} resumes`);
  assert(refused.length > 50, `${refused.length} refused`);
  assert(refused.every((code) => code === SessionCode.STALE));
});

Deno.test("session machine: an end that aborts, or stays away, ends the other one too", () => {
  fc.assert(
    fc.property(steps, side, fc.boolean(), (steps, side, aborts) => {
      const world = opened();
      for (const step of steps) take(world, step);
      const before = SIDES.map((side) => world.ends[side].machine.outcome);
      if (before.some((outcome) => outcome !== undefined)) return;
      if (aborts) {
        world.ends[side].machine.abort(SessionCode.ABORTED, "enough");
        world.pump(side);
        world.settle();
      } else world.blackHole();
      world.pass(400_000);
      for (const side of SIDES) {
        const { outcome } = world.ends[side].machine;
        assert(outcome !== undefined, `${side} never ends`);
        if (outcome.kind === "lost") {
          const codes: number[] = [SessionCode.ABORTED, SessionCode.EXPIRED];
          assert(codes.includes(outcome.code), `code ${outcome.code}`);
        } else assert(world.ends[side].machine.out.unacknowledgedBytes === 0);
      }
      check(world);
    }),
    { numRuns: 200 },
  );
});

Deno.test("session machine: a black hole is found within interval, timeout and a tenth", () => {
  for (const side of SIDES) {
    const world = opened();
    world.pass(60_000, () => world.settle());
    assert(world.ends[side].machine.isAttached);
    world.blackHole();
    const start = world.now;
    const { heartbeatInterval, heartbeatTimeout } = SMALL;
    world.pass((heartbeatInterval! + heartbeatTimeout!) * 1.1);
    assert(!world.ends[side].machine.isAttached, `${side} after ${world.now - start} ms`);
    assertEquals(world.ends[side].machine.outcome, undefined);
  }
});

Deno.test("session machine: a process that stood still gives its peer another chance", () => {
  const world = opened();
  world.client.timeout(world.now += 5_000); // Its question is on the way, and it freezes.
  world.pump("client");
  world.now += 3_600_000;
  world.client.timeout(world.now); // It wakes up: the answer is there, and not read yet.
  assertEquals(world.client.carrierState, "keep");
  world.settle();
  world.client.timeout(world.now + 4_000);
  assertEquals(world.client.carrierState, "keep");
  // A peer that is really gone is found nevertheless, however late each timer is.
  world.blackHole();
  for (let i = 0; i < 6; i++) world.client.timeout(world.now += 60_000);
  assert(typeof world.client.carrierState === "object");
});

Deno.test("session machine: a server that stood still lets its clients come back", () => {
  const world = opened();
  world.cut("server");
  world.server.timeout(world.now += 3_600_000);
  assertEquals(world.server.outcome, undefined);
  world.server.timeout(world.now += SMALL.helloTimeout!);
  assertEquals(world.server.outcome?.kind, "lost");
});

Deno.test("session machine: two idle ends keep their carrier for ten hours, with few frames", () => {
  const world = opened();
  let frames = 0;
  world.pass(10 * 3_600_000, () => frames += world.settle());
  assert(world.client.isAttached && world.server.isAttached);
  // Each silence of 5 s costs a question and an answer, and now and then one from both ends.
  assertLessOrEqual(frames, 10 * 3600 / 5 * 4);
  assert(frames >= 10 * 3600 / 5);
  assertEquals(world.client.heartbeat.roundTripTime, 0);
});

Deno.test("session machine: three minutes of saturation, over a slow carrier, are no false alarm", () => {
  const world = opened();
  let most = 0;
  for (const end = world.now + 180_000; world.now < end;) {
    for (const side of SIDES) {
      world.ends[side].write(700);
      world.ends[side].readAll();
      world.pump(side);
    }
    // Fewer frames arrive than could be sent: a question waits behind all that.
    for (const side of SIDES) world.deliver(side);
    world.pass(50);
    most = Math.max(most, world.client.out.unacknowledgedBytes);
  }
  check(world);
  assert(world.client.isAttached && world.server.isAttached);
  assertEquals([world.client.resumes, world.lost], [0, 0]);
  assert(most > SMALL.maxUnacknowledgedBytes! - 700, `at most ${most} bytes waited`);
  for (const side of SIDES) assert(world.ends[side].read.length > 400_000);
});

Deno.test("session machine: a writer stalls at the window, and goes on when the reader reads", () => {
  const world = opened();
  for (let i = 0; i < 10; i++) {
    world.ends.client.write(500);
    world.settle();
  }
  world.pass(1_000, () => world.settle());
  // The reader's window and what may wait here: no more is taken.
  assertEquals(world.client.out.sent, SMALL.window);
  assertEquals(world.client.out.unacknowledgedBytes, SMALL.maxUnacknowledgedBytes);
  assertEquals(world.client.write(new Uint8Array(1), true), 0);
  world.pass(3_600_000, () => world.settle());
  assert(world.client.isAttached, "a slow reader is no dead one");
  for (let i = 0; i < 10; i++) {
    world.ends.server.readAll();
    world.settle();
  }
  check(world);
  assertEquals(world.ends.server.read.length, world.ends.client.written.length);
  assertEquals(world.client.out.unacknowledgedBytes, 0);
});

Deno.test("session machine: a writer that keeps less than the peer's window waits for no timer", () => {
  const world = new World({ maxUnacknowledgedBytes: 50_000 }, { window: 1_000_000 });
  world.connect();
  world.settle();
  const { client, server } = world.ends;
  for (let round = 0; client.written.length < 500_000; round++) {
    assert(round < 100, `${client.written.length} bytes were taken`);
    client.write(30_000);
    world.settle();
    server.readAll();
  }
  assertEquals(world.now, 0);
  assertEquals(server.read, client.written);
});

Deno.test("session machine: a window that is less than a block waits for no timer", () => {
  for (const window of [20_000, 32_768, 45_000, 55_000, 65_511, 65_536]) {
    for (const bytes of [40_000, 65_530, 70_000]) {
      const world = new World({}, { window });
      world.connect();
      world.settle();
      const outbox = new Outbox(lengthPrefix(), world.client.out.blocks);
      for (let i = 0; i < 10; i++) outbox.push(new Uint8Array(bytes), bytes + 4);
      for (let rounds = 0; world.ends.server.read.length < 10 * (bytes + 4); rounds++) {
        assert(rounds < 200, `window ${window}, messages of ${bytes} bytes`);
        for (let chunk; (chunk = outbox.peek()) !== undefined;) {
          const taken = world.client.write(chunk, outbox.endsMessage);
          if (taken === 0) break;
          outbox.advance(taken);
        }
        world.settle();
        world.ends.server.readAll();
      }
      assertEquals(world.now, 0);
    }
  }
});

Deno.test("session machine: what is received is acknowledged within 25 ms, at once when asked", () => {
  const world = opened();
  world.ends.client.write(10);
  world.settle();
  assertEquals(world.client.out.acked, 0);
  world.pass(25, () => world.settle());
  assertEquals(world.client.out.acked, 10);
  world.ends.client.write(10);
  world.client.askForAck();
  world.settle();
  assertEquals(world.client.out.acked, 20);
});

Deno.test("session machine: both ends use the smaller retention time, and tell what expired", () => {
  const world = new World({ retentionTime: 5_000 }, { retentionTime: 60_000 });
  world.connect();
  world.settle();
  world.cutBoth();
  world.pass(4_999);
  assertEquals(SIDES.map((side) => world.ends[side].machine.outcome), [undefined, undefined]);
  world.pass(1);
  for (const side of SIDES) {
    const { outcome } = world.ends[side].machine;
    assert(outcome?.kind === "lost" && outcome.code === SessionCode.EXPIRED);
  }
});

Deno.test("session machine: a session whose client never got its id is not kept for long", () => {
  const world = new World(SMALL);
  world.connect();
  world.deliver("server"); // HELLO arrives, WELCOME never does.
  world.cutBoth();
  world.pass(SMALL.helloTimeout!);
  assertEquals(world.server.outcome?.kind, "lost");
});

Deno.test("session machine: the last acknowledgment may be lost, and both ends still close", () => {
  for (const side of SIDES) {
    const world = opened();
    for (const side of SIDES) world.ends[side].machine.end(codeOf(side));
    for (let i = 0; !world.ends[side].machine.isComplete; i++) {
      assert(i < 10);
      for (const side of SIDES) world.pump(side);
      world.deliver(side);
      if (!world.ends[side].machine.isComplete) world.deliver(other(side));
    }
    world.pump(side);
    world.cutBoth();
    world.connect();
    world.settle();
    for (const side of SIDES) assertEquals(world.ends[side].machine.outcome, { kind: "closed" });
  }
});

Deno.test("session machine: what is read after the last acknowledgment keeps no end from closing", () => {
  for (const reader of SIDES) {
    const world = opened();
    world.ends[other(reader)].write(100); // Too little for the limit alone to be told.
    for (const side of SIDES) world.ends[side].machine.end(codeOf(side));
    for (let i = 0; SIDES.some((side) => !world.ends[side].machine.isComplete); i++) {
      assert(i < 20);
      for (const side of SIDES) world.pump(side);
      for (const side of SIDES) world.deliver(side);
    }
    world.pump(reader);
    world.ends[reader].readAll();
    world.settle();
    for (const side of SIDES) assertEquals(world.ends[side].machine.outcome, { kind: "closed" });
    assertEquals(world.now, 0);
  }
});

Deno.test("session machine: a client that comes back to a finished session is told its last word", () => {
  const world = opened();
  world.cutBoth();
  world.server.abort(SessionCode.ABORTED, "enough");
  world.connect();
  world.settle();
  assertEquals(world.client.outcome, {
    kind: "lost",
    state: "the peer ended it: enough",
    code: SessionCode.ABORTED,
    cause: undefined,
  });
});

Deno.test("session machine: a HELLO that was overtaken disturbs nobody", () => {
  const world = opened();
  world.cutBoth();
  world.connect(); // Its HELLO is late, and it is given up for another one.
  world.connect();
  assert(world.deliver("server", "newest"));
  world.ends.server.write(100);
  world.pump("server");
  while (world.deliver("client"));
  world.pass(25, () => world.pump("client"));
  while (world.deliver("server", "newest"));
  world.settle();
  assertEquals(world.server.out.acked, 100);
  assertEquals([world.refused, world.server.resumes], [[SessionCode.STALE], 1]);
  assert(world.server.isAttached && world.client.isAttached);
  finish(world);
});

Deno.test("session machine: a session that ends gives up the carrier that waits for its answer", () => {
  for (const end of ["lose", "expire", "abort"]) {
    const world = opened();
    world.cutBoth();
    world.connect();
    if (end === "lose") world.client.lose("it was given up");
    else if (end === "abort") world.client.abort(SessionCode.ABORTED, "enough");
    else {
      world.blackHole();
      // Attempts on and on, each in the place of the one before.
      for (let i = 0; world.client.outcome === undefined; i++) {
        assert(i < 100);
        world.client.timeout(world.now += 1_000);
        if (world.client.outcome === undefined) world.connect();
      }
    }
    assertEquals(world.client.outcome?.kind, "lost");
    assert(typeof world.client.carrierState === "object", end);
  }
});

/** Everything that is written is sent at once. */
function sendAll(out: Outgoing | PageOutgoing): void {
  while (out.next(false) !== undefined);
}

for (const [where, Out] of [["", Outgoing], [", in a page too", PageOutgoing]] as const) {
  Deno.test(`session machine: messages are told as a whole as long as they fit${where}`, () => {
    const framing = framingByName("u32be");
    const MAX = 1_000_000;
    for (
      const [bytes, acked, told] of [
        [500_000, 400_000, ["large", "small"]],
        [MAX - 16, MAX - 100, ["large", "small"]],
        [MAX + 400_000, MAX, ["small"]],
        [3 * MAX, 3 * MAX, ["small"]],
        [500_000, 500_004, ["small"]],
        [500_000, 500_016, []],
      ] as const
    ) {
      const out = new Out(MAX);
      out.acknowledge(0, Number.MAX_SAFE_INTEGER);
      assertEquals(out.write(new Uint8Array(0), true, true), 0);
      const frame = framing.encode(new Uint8Array(bytes).fill(7));
      for (let at = 0; at < frame.length;) {
        const taken = out.write(frame.subarray(at, at + 50_000), at + 50_000 >= frame.length, true);
        at += taken;
        sendAll(out);
        if (taken === 0) out.acknowledge(Math.min(out.written, acked), Number.MAX_SAFE_INTEGER);
      }
      out.acknowledge(Math.min(out.written, acked), Number.MAX_SAFE_INTEGER);
      out.write(framing.encode(new Uint8Array(8).fill(1)), true, true);
      sendAll(out);
      out.acknowledge(acked, Number.MAX_SAFE_INTEGER);
      const names = out.takeUnacknowledged(framing, new Uint8Array(0))
        .map(({ length }) =>
          length === bytes ? "large" : length === 8 ? "small" : `${length} bytes`
        );
      assertEquals(names as string[], [...told], `${bytes} bytes, ${acked} acknowledged`);
    }
  });
}

Deno.test("session machine: what waits for the reader keeps little more memory than that", () => {
  const WINDOW = 1024 * 1024;
  for (const bytes of [1, 100, 8_191, 8_192, 20_000, 32_767, 32_768, 65_512]) {
    const input = new Incoming(WINDOW);
    input.tell();
    // Each piece comes in a block of its own, as one that was read with much else.
    while (input.received + bytes <= Math.min(WINDOW, 2_000 * bytes)) {
      input.data(input.received, new Uint8Array(65_536).subarray(24, 24 + bytes));
    }
    const buffers = new Set<ArrayBufferLike>();
    for (let chunk; (chunk = input.take()) !== undefined;) buffers.add(chunk.buffer);
    const kept = [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
    assertLessOrEqual(kept, 65_536 + 16_384 + 2 * input.received, `pieces of ${bytes} bytes`);
  }
});

Deno.test("session machine: a large piece is copied, so that its memory can be used again", () => {
  const input = new Incoming(1024 * 1024);
  input.tell();
  const piece = new Uint8Array(65_536).subarray(13).fill(1);
  input.data(0, piece);
  assertEquals(input.takeKept(), false);
  piece.fill(2);
  assertEquals(input.take(), new Uint8Array(piece.length).fill(1));
  input.data(input.received, piece.subarray(0, 10));
  assertEquals(input.takeKept(), true);
  assertEquals(input.takeKept(), false);
  assertStrictEquals(input.take()!.buffer, piece.buffer);
});

Deno.test("session machine: a reader that waits with its own memory gets the bytes there", () => {
  const input = new Incoming(1024 * 1024);
  input.tell();
  const target = new Uint8Array(10);
  assertEquals(input.take(target), undefined);
  input.data(0, Uint8Array.of(1, 2, 3));
  input.data(3, Uint8Array.of(4, 5));
  assertEquals(input.takeKept(), false);
  const chunk = input.take()!;
  assertStrictEquals(chunk.buffer, target.buffer);
  assertEquals(chunk, Uint8Array.of(1, 2, 3, 4, 5));
  // What was handed out is the reader's: nothing is written there any more.
  input.data(5, Uint8Array.of(6));
  assertEquals(target[5], 0);
  assertEquals(input.take(), Uint8Array.of(6));
});

Deno.test("session machine: what does not fit into the reader's memory follows, in order", () => {
  const input = new Incoming(1024 * 1024);
  input.tell();
  const bytes = (from: number, to: number) =>
    Uint8Array.from({ length: to - from }, (_, i) => from + i);
  assertEquals(input.take(new Uint8Array(4)), undefined);
  input.data(0, bytes(0, 6));
  input.data(6, bytes(6, 20));
  assertEquals(input.take(), bytes(0, 4));
  const target = new Uint8Array(3);
  assertEquals(input.take(target), bytes(4, 6));
  assertEquals(input.take(target), bytes(6, 9));
  assertStrictEquals(input.take(new Uint8Array(8))?.length, 8);
  assertEquals(input.take(), bytes(17, 20));
  assertEquals([input.limit, input.take()], [1024 * 1024 + 20, undefined]);
});
