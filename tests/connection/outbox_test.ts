/** The outbox: frames of a connection's own, and frames that it shares with others. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { lengthPrefix } from "../../codec.ts";
import { Outbox } from "../../connection/outbox.ts";
import { KEPT_BLOCKS } from "../../internal/memory.ts";

const BLOCK = 64 * 1024;

/** A message of so many bytes that no other is like. */
function message(number: number, bytes: number): Uint8Array {
  return new Uint8Array(bytes).map((_, i) => number * 31 + i);
}

/** Takes all that waits, `most` bytes at a time. */
function drain(outbox: Outbox, most = Infinity): { bytes: Uint8Array; messages: number } {
  const chunks = [];
  let messages = 0;
  for (let chunk = outbox.peek(); chunk !== undefined; chunk = outbox.peek()) {
    chunks.push(chunk.slice(0, most));
    messages += outbox.advance(Math.min(most, chunk.length));
  }
  return { bytes: concat(chunks), messages };
}

/** Integers below a limit, the same in every run. */
function numbers(seed: number): (limit: number) => number {
  return (limit) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) % limit;
  };
}

Deno.test("Outbox writes shared frames from where they are for all, also beyond one block", () => {
  const framing = lengthPrefix();
  const outboxes = [new Outbox(framing), new Outbox(framing)];
  const frames = Array.from({ length: 3000 }, (_, i) => framing.encode(message(i, 64)));
  for (const frame of frames) for (const outbox of outboxes) outbox.pushFrame(frame);
  const [one, other] = outboxes;
  assertEquals(one.bytes, 3000 * 68);
  assertStrictEquals(one.peek()!.buffer, other.peek()!.buffer);
  for (const outbox of outboxes) {
    assertEquals(drain(outbox), { bytes: concat(frames), messages: 3000 });
    assertEquals(outbox.bytes, 0);
    assert(outbox.isEmpty);
  }
});

Deno.test("Outbox keeps shared frames, own messages and raw bytes in order, however they are mixed", () => {
  for (let seed = 1; seed <= 15; seed++) {
    const random = numbers(seed);
    const framing = lengthPrefix();
    const ends = Array.from({ length: 4 }, (_, i) => ({
      outbox: new Outbox(framing, i === 3 ? KEPT_BLOCKS : undefined),
      pushed: [] as Uint8Array[],
      taken: [] as Uint8Array[],
      messages: 0,
    }));
    for (let n = 0; n < 400; n++) {
      const kind = random(20);
      const bytes = random([20, 200, 5000, 2 * BLOCK][random(40) === 0 ? 3 : random(3)]);
      const frame = framing.encode(message(n, bytes));
      const everybody = random(3) > 0;
      for (const end of ends) {
        if (!everybody && random(2) === 0) continue;
        if (kind < 12) end.outbox.pushFrame(frame);
        else if (kind < 16) end.outbox.push(message(n, bytes), frame.length);
        else if (kind < 17) end.outbox.pushRaw(frame);
        else {
          const chunk = end.outbox.peek();
          if (chunk === undefined) continue;
          const taken = 1 + random(chunk.length);
          end.taken.push(chunk.slice(0, taken));
          end.messages -= end.outbox.advance(taken);
          continue;
        }
        end.pushed.push(frame);
        if (kind < 16) end.messages++;
      }
    }
    for (const { outbox, pushed, taken, messages } of ends) {
      const rest = drain(outbox, 10_000);
      assertEquals(concat([...taken, rest.bytes]), concat(pushed), `seed ${seed}`);
      assertEquals(rest.messages, messages);
      assertEquals(outbox.bytes, 0);
    }
  }
});

Deno.test("Outbox takes shared frames while those before them are being written", () => {
  const framing = lengthPrefix();
  const outbox = new Outbox(framing);
  const frames = [1, 2, 3].map((n) => framing.encode(message(n, 10)));
  outbox.pushFrame(frames[0]);
  const writing = outbox.peek()!;
  outbox.pushFrame(frames[1]);
  outbox.push(message(3, 10), 14);
  assertEquals(writing, frames[0]);
  assertEquals(outbox.advance(14), 0);
  assertEquals(drain(outbox), { bytes: concat(frames.slice(1)), messages: 3 });
});

Deno.test("Outbox tells its own message from a shared frame of the same size in the same place", () => {
  const framing = lengthPrefix();
  const [one, other] = [new Outbox(framing), new Outbox(framing)];
  const frames = [1, 2, 3].map((n) => framing.encode(message(n, 10)));
  one.pushFrame(frames[0]);
  one.push(message(9, 10), 14);
  for (const frame of frames) other.pushFrame(frame);
  one.pushFrame(frames[2]);
  const own = framing.encode(message(9, 10));
  assertEquals(drain(one), { bytes: concat([frames[0], own, frames[2]]), messages: 3 });
  assertEquals(drain(other), { bytes: concat(frames), messages: 3 });
});

Deno.test("Outbox that misses some frames of a run keeps no more than one block of it", () => {
  const framing = lengthPrefix();
  const [all, some] = [new Outbox(framing), new Outbox(framing)];
  const buffers = new Set<ArrayBufferLike>();
  for (let n = 0; n < 10_000; n++) {
    const frame = framing.encode(message(n, 64));
    all.pushFrame(frame);
    if (n % 100 === 0) some.pushFrame(frame);
  }
  for (let chunk = some.peek(); chunk !== undefined; chunk = some.peek()) {
    buffers.add(chunk.buffer);
    some.advance(chunk.length);
  }
  assertEquals(buffers.size, 1);
});

Deno.test("Outbox shares nothing with a transport that keeps what was written", () => {
  const framing = lengthPrefix();
  const outboxes = [1, 2].map(() => new Outbox(framing, KEPT_BLOCKS));
  const frame = framing.encode(message(1, 64));
  for (const outbox of outboxes) outbox.pushFrame(frame);
  const [one, other] = outboxes.map((outbox) => outbox.peek()!);
  assertEquals(one, frame);
  assertEquals(other, frame);
  assert(one.buffer !== other.buffer);
});

Deno.test("Outbox.dropOldest() drops shared frames by the message, and leaves those on their way", () => {
  const framing = lengthPrefix();
  const [slow, fast] = [new Outbox(framing), new Outbox(framing)];
  const frames = Array.from({ length: 3000 }, (_, i) => framing.encode(message(i, 64)));
  for (const frame of frames) {
    slow.pushFrame(frame);
    fast.pushFrame(frame);
  }
  slow.advance(100);
  const started = (100 + slow.startedCost) / 68;
  const dropped = slow.dropOldest();
  assertEquals(slow.bytes, (3000 - dropped) * 68 - 100);
  const kept = [...frames.slice(0, started), ...frames.slice(started + dropped)];
  assertEquals(drain(slow), { bytes: concat(kept).subarray(100), messages: 3000 - dropped });
  assertEquals(drain(fast).bytes, concat(frames));
});
