/** The memory in which idle connections wait. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { turnOver } from "../../internal/turn.ts";
import { StreamTransport } from "../../transport/stream.ts";
import { copyOf, recycleSlot, SLOT_BYTES, takeSlot } from "../../transport/slots.ts";

/** A transport, and the plain socket at its other end. */
async function pair() {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [far, near] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  const transport = new StreamTransport(near);
  return {
    transport,
    far,
    async [Symbol.asyncDispose]() {
      transport.close();
      far.close();
      await turnOver();
    },
  };
}

Deno.test("A slot is used again when it was given back, and belongs to one at a time", () => {
  const [one, other] = [takeSlot(), takeSlot()];
  assert(one !== other);
  one.fill(1);
  other.fill(2);
  assert(one.every((byte) => byte === 1));
  recycleSlot(one);
  assertStrictEquals(takeSlot(), one);
  recycleSlot(one);
  recycleSlot(other);
});

Deno.test("copyOf() gives a chunk that the slot's next bytes do not change", () => {
  const slot = takeSlot();
  const chunks = [1, 7, SLOT_BYTES, 100].map((bytes) => copyOf(slot.fill(bytes % 251), bytes));
  for (const chunk of chunks) assert(chunk.every((byte) => byte === chunk.length % 251));
  assertEquals(chunks.map(({ length }) => length), [1, 7, SLOT_BYTES, 100]);
  recycleSlot(slot);
});

Deno.test("Chunks of an idle connection stay as they are, whatever it and others read later", async () => {
  await using one = await pair();
  await using other = await pair();
  const chunks: Uint8Array[] = [];
  for (let n = 1; n <= 200; n++) {
    for (const { far, transport } of [one, other]) {
      await far.write(new Uint8Array(n).fill(n));
      chunks.push((await transport.read())!);
    }
  }
  chunks.forEach((chunk, i) => {
    const n = (i >> 1) + 1;
    assertEquals([chunk.length, chunk.every((byte) => byte === n)], [n, true]);
  });
});

Deno.test("A read takes more than a slot when there is more, and then less again", async () => {
  await using both = await pair();
  const sent = new Uint8Array(100_000).map((_, i) => i % 251);
  const writing = (async () => {
    for (let at = 0; at < sent.length;) at += await both.far.write(sent.subarray(at));
  })();
  const sizes: number[] = [];
  for (let at = 0; at < sent.length;) {
    const chunk = (await both.transport.read())!;
    assertEquals(chunk, sent.slice(at, at + chunk.length));
    sizes.push(chunk.length);
    at += chunk.length;
  }
  await writing;
  assertEquals(sizes[0], SLOT_BYTES);
  assert(Math.max(...sizes) > 8 * SLOT_BYTES);
  for (let n = 0; n < 5; n++) {
    await both.far.write(new Uint8Array([n]));
    assertEquals(await both.transport.read(), new Uint8Array([n]));
  }
});

Deno.test("A slot goes back only when no read into it is under way any more", async () => {
  const both = await pair();
  const reading = both.transport.read().then(() => "read", () => "failed");
  // Given back at close(), this would be the slot of the pending read.
  both.transport.close();
  const taken = Array.from({ length: 300 }, () => takeSlot());
  assertEquals(new Set(taken).size, 300);
  for (const slot of taken) slot.fill(9);
  both.far.write(new Uint8Array(10)).catch(() => {});
  await reading;
  assert(taken.every((slot) => slot.every((byte) => byte === 9)));
  for (const slot of taken) recycleSlot(slot);
  both.far.close();
});
