/** Memory of a session's stream: kept where it is, and never used again while anybody needs it. */

import { assert, assertEquals, assertGreater, assertLess, assertStrictEquals } from "@std/assert";
import { concat, equals } from "@std/bytes";
import fc from "fast-check";
import { connect } from "../../client.ts";
import { lengthPrefix } from "../../codec.ts";
import { Connection } from "../../connection.ts";
import { Outbox } from "../../connection/outbox.ts";
import { BLOCK_BYTES, recycle, takeBlock } from "../../internal/memory.ts";
import { listen } from "../../server.ts";
import { openSession, Session, SessionAcceptor } from "../../session.ts";
import {
  copyOfReceived,
  HEADROOM,
  HeldBlocks,
  LONGEST_SENT_BYTES,
  RECEIVED,
} from "../../session/blocks.ts";
import { Outgoing } from "../../session/outgoing.ts";
import { DATA_HEADER_BYTES, decodeFrame, encodeWelcome, FrameType } from "../../session/wire.ts";
import { memoryPair } from "../../testing.ts";

const MAX_KEPT = 400_000;
const FAR = Number.MAX_SAFE_INTEGER;

/** What messages are cut from: each begins elsewhere in it. */
const PATTERN = Uint8Array.from({ length: 100_000 }, (_, i) => i * 31 % 251);

/** Writes over all memory that anybody may use again. */
function scribble(): void {
  const blocks = Array.from({ length: 8 }, takeBlock);
  for (const block of blocks) recycle(block.fill(0xff));
}

/** A frame that a carrier has not written yet. */
interface Queued {
  readonly frame: Uint8Array;
  readonly from: number;
  readonly done: () => void;
}

/** A connection's outbox, the stream beneath it, and a carrier. */
class Rig {
  readonly out = new Outgoing(MAX_KEPT);
  readonly outbox = new Outbox(lengthPrefix(), this.out.blocks);
  /** All that was pushed, in frames. */
  readonly pushed: Uint8Array[] = [];
  /** All that was taken from the outbox. */
  taken: Uint8Array = new Uint8Array(0);
  queue: Queued[] = [];
  held = 0;
  #messages = 0;

  constructor() {
    this.out.acknowledge(0, FAR);
  }

  send(bytes: number): void {
    const first = ++this.#messages * 7 % 251;
    const message = PATTERN.slice(first, first + bytes);
    this.pushed.push(lengthPrefix().encode(message));
    this.outbox.push(message, bytes + 4);
  }

  /** What a connection does with its transport. */
  flush(isDetached: boolean): void {
    for (let chunk; (chunk = this.outbox.peek()) !== undefined;) {
      const bytes = this.out.write(chunk, this.outbox.endsMessage, isDetached);
      if (bytes === 0) return;
      this.taken = concat([this.taken, chunk.subarray(0, bytes)]);
      this.outbox.advance(bytes);
    }
  }

  /** What a session does with its carrier. */
  poll(): void {
    for (let frame; (frame = this.out.next(false)) !== undefined;) {
      const from = this.out.sent - (frame.length - DATA_HEADER_BYTES);
      if (this.out.hold(frame)) {
        this.held++;
        const place = frame;
        this.queue.push({ frame, from, done: () => this.out.blocks.recycle(place) });
      } else this.queue.push({ frame: frame.slice(), from, done: () => {} });
    }
  }

  /** The carrier writes a frame: it must be what was sent when it was queued. */
  writeOne(): void {
    const next = this.queue.shift();
    if (next === undefined) return;
    this.check(next);
    next.done();
  }

  check({ frame, from }: Queued): void {
    const decoded = decodeFrame(frame);
    assert(decoded.type === FrameType.DATA);
    assertEquals(decoded.offset, from);
    const expected = this.taken.subarray(from, from + decoded.bytes.length);
    assertEquals(equals(decoded.bytes, expected), true, `bytes from ${from} on`);
  }

  /** Another carrier: what the old one has not written may still be under way there. */
  resume(received: number): Queued[] {
    const old = this.queue;
    this.queue = [];
    this.out.resume(received, FAR);
    return old;
  }
}

type Step =
  | { do: "send"; bytes: number; times: number }
  | { do: "flush"; isDetached: boolean }
  | { do: "poll" }
  | { do: "write" }
  | { do: "scribble" }
  | { do: "acknowledge"; share: number }
  | { do: "resume"; share: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("send"),
        bytes: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 90_000 })),
        times: fc.integer({ min: 1, max: 40 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant("flush"), isDetached: fc.boolean() }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("poll") }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("write") }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("scribble") }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("acknowledge"), share }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("resume"), share }) },
  ) as fc.Arbitrary<Step>,
  { minLength: 30, maxLength: 120 },
);

Deno.test("session blocks: what waits to be written stays as it is, whatever is acknowledged when", () => {
  let held = 0;
  fc.assert(
    fc.property(steps, (steps) => {
      const rig = new Rig();
      const { out } = rig;
      const old: Queued[] = [];
      let most = 0;
      for (const step of steps) {
        if (step.do === "send") {
          for (let i = 0; i < step.times && rig.outbox.bytes < 500_000; i++) rig.send(step.bytes);
        } else if (step.do === "flush") rig.flush(step.isDetached);
        else if (step.do === "poll") rig.poll();
        else if (step.do === "write") rig.writeOne();
        else if (step.do === "scribble") scribble();
        else {
          // Also of bytes that no carrier has written: a peer may say what it likes.
          most = Math.max(most, out.sent);
          const received = out.acked + Math.floor(step.share * (most - out.acked));
          if (step.do === "acknowledge") out.acknowledge(received, FAR);
          else old.push(...rig.resume(received));
        }
        for (const queued of [...rig.queue, ...old]) rig.check(queued);
      }
      held += rig.held;
      assert(equals(rig.taken, concat(rig.pushed).subarray(0, rig.taken.length)));
    }),
    { numRuns: 60, seed: 11 },
  );
  assertGreater(held, 100);
});

Deno.test("session blocks: a full block is sent from where it is, and used again when it is done", () => {
  const rig = new Rig();
  for (let i = 0; i < 200; i++) rig.send(1_000);
  const block = rig.outbox.peek()!;
  rig.flush(false);
  rig.poll();
  const [{ frame }] = rig.queue;
  assertStrictEquals(frame.buffer, block.buffer);
  assertEquals(frame.byteOffset, HEADROOM - DATA_HEADER_BYTES);
  for (let i = 0; i < 64; i++) takeBlock(); // All that were spare.
  const isSpare = () => takeBlock().buffer === block.buffer;
  rig.out.acknowledge(frame.length - DATA_HEADER_BYTES, FAR);
  assert(!isSpare(), "it is not written yet");
  rig.writeOne();
  assert(isSpare(), "it is written and acknowledged");
});

Deno.test("session blocks: memory is little more than what waits in it, whatever the messages", () => {
  for (const sizes of [[32_753, 1], [40_000, 1], [33_000], [65_509], [10, 70_000], [49_000, 20]]) {
    const rig = new Rig();
    const taken = new Set<ArrayBufferLike>();
    const { blocks } = rig.out;
    const { take } = blocks;
    blocks.take = () => {
      const block = take.call(blocks);
      taken.add(block.buffer);
      return block;
    };
    for (let i = 0; rig.out.unacknowledgedBytes < MAX_KEPT - 80_000; i++) {
      rig.send(sizes[i % sizes.length]);
      if (i % 3 === 0) rig.flush(true);
    }
    const held = [...taken].filter((buffer) => blocks.isHeld(new Uint8Array(buffer)));
    const kept = held.length * BLOCK_BYTES;
    assertLess(kept, rig.out.unacknowledgedBytes * 4 / 3 + 2 * BLOCK_BYTES, `${sizes}`);
  }
});

Deno.test("session blocks: a message that is hardly larger than a block takes hardly more frames", () => {
  for (const bytes of [65_500, 65_509, 65_513, 65_536, 66_000]) {
    const rig = new Rig();
    for (let i = 0; i < 4; i++) rig.send(bytes);
    rig.flush(true);
    rig.poll();
    assertEquals(rig.queue.length, Math.ceil(4 * (bytes + 4) / rig.out.blocks.bytes), `${bytes}`);
  }
});

Deno.test("session blocks: memory of others is left alone", () => {
  const blocks = new HeldBlocks();
  const mine = new Uint8Array(BLOCK_BYTES).fill(7);
  blocks.recycle(mine);
  assert(!blocks.isBlock(mine.subarray(HEADROOM)));
  scribble();
  assert(mine.every((byte) => byte === 7));
});

Deno.test("session blocks: what is sent again is what was sent, whatever its sender does meanwhile", async () => {
  const id = "ab".repeat(16);
  const bytes = 3 * LONGEST_SENT_BYTES;
  const carriers: Connection[] = [];
  /** Answers the client on a new carrier, and reads all that it sends. */
  const serve = async (far: Connection) => {
    carriers.push(far);
    await far.receive();
    const isResumed = carriers.length > 1;
    const welcome = { isResumed, id, received: 0, limit: 2 ** 40, retentionTime: 60_000 };
    await far.send(encodeWelcome(welcome));
    const pieces = [];
    for (let missing = bytes + 4; missing > 0;) {
      const frame = decodeFrame((await far.receive())!);
      if (frame.type !== FrameType.DATA) continue;
      pieces.push(frame.bytes.slice());
      missing -= frame.bytes.length;
    }
    return concat(pieces).subarray(4);
  };
  const received: Promise<Uint8Array>[] = [];
  const dial = () => {
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    received.push(serve(far));
    return Promise.resolve(near);
  };
  const session = await openSession({ dial, session: { retry: () => 1 } });
  const message = new Uint8Array(bytes).fill(1);
  await session.send(message);
  await received[0];
  message.fill(2);
  carriers[0].abort();
  for await (const { state } of session.states()) if (state === "reconnecting") break;
  for await (const { state } of session.states()) if (state === "connected") break;
  const again = await received[1];
  assertEquals(again.length, bytes);
  assert(again.every((byte) => byte === 1));
  session.abort();
  await Promise.all([session.closed, ...carriers.map((far) => far.close())]);
});

Deno.test("Session that keeps less than its peer's window asks for acknowledgment once per block of it", async () => {
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  const acceptor = new SessionAcceptor();
  let received = 0;
  const serving = (async () => {
    await using session = new Session((await acceptor.accept(far))!);
    for await (const { length } of session) received += length;
  })();
  const dial = () => Promise.resolve(near);
  const session = await openSession({ dial, session: { maxUnacknowledgedBytes: 50_000 } });
  for (let i = 0; i < 100; i++) await session.send(new Uint8Array(10_000));
  assertEquals((await session.close()).clean, true);
  await serving;
  acceptor.close();
  assertEquals(received, 1_000_000);
  assertLess(near.stats.messagesSent, 200);
});

Deno.test("Connection.send() has copied a message of up to 64 KiB when it resolves", async () => {
  for (const bytes of [60_000, 65_508, 65_509, 65_520, 65_533, 65_536]) {
    for (const isSession of [false, true]) {
      await using server = await listen("tcp://127.0.0.1:0", { session: isSession });
      const connection = await connect(server.endpoints[0], { session: isSession });
      const accepted = (await server[Symbol.asyncIterator]().next()).value!;
      const message = new Uint8Array(bytes);
      const sending = (async () => {
        for (let i = 0; i < 30; i++) await connection.send(message.fill(i));
        await connection.closeWrite();
      })();
      let count = 0;
      for await (const received of accepted) {
        assert(received.every((byte) => byte === count), `${bytes} bytes, message ${count}`);
        count++;
      }
      await sending;
      assertEquals(count, 30);
      await Promise.all([connection.close(), accepted.close()]);
    }
  }
});

Deno.test("What a session received lies in a block that is used again when its reader gives it back", () => {
  const copy = copyOfReceived(PATTERN.subarray(0, LONGEST_SENT_BYTES));
  assert(equals(copy, PATTERN.subarray(0, LONGEST_SENT_BYTES)));
  RECEIVED!.recycle(copy);
  const again = takeBlock();
  assertStrictEquals(again.buffer, copy.buffer);
  recycle(again);
});

Deno.test("What a session received keeps no more memory than a third of what it is", () => {
  for (const bytes of [8 * 1024, 48 * 1024 - 1, 48 * 1024, BLOCK_BYTES, BLOCK_BYTES + 1]) {
    const copy = copyOfReceived(PATTERN.subarray(0, bytes));
    assertEquals(copy.length, bytes);
    assertLess(copy.buffer.byteLength - bytes, bytes / 3 + 1);
  }
});

Deno.test("A session gives back the blocks that it received in, and changes no message meanwhile", async () => {
  await using server = await listen("tcp://127.0.0.1:0?session=1", async (connection) => {
    for (let i = 0; i < 2_000; i++) await connection.send(PATTERN.subarray(i, i + 1_000 + i % 7));
  });
  await using client = await connect(server.endpoints[0]);
  const kept: Uint8Array[] = [];
  let count = 0;
  for await (const batch of client.rawBatches()) {
    for (const message of batch) {
      assert(equals(message, PATTERN.subarray(count, count + 1_000 + count % 7)), `${count}`);
      if (count++ % 100 === 0) kept.push(message.slice());
    }
    batch.recycle();
    scribble();
  }
  assertEquals(count, 2_000);
  for (const [i, message] of kept.entries()) {
    assert(equals(message, PATTERN.subarray(i * 100, i * 100 + 1_000 + i * 100 % 7)));
  }
});
