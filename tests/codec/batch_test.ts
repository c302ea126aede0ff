/** Batches that make no view per message. */

import { assertEquals, assertThrows } from "@std/assert";
import { Batch, type Framing, gobUvarint, lengthPrefix, none, varint } from "../../codec.ts";
import { MessageTooLargeError } from "../../errors.ts";
import { KEPT_BLOCKS, recycle, takeBlock } from "../../internal/memory.ts";

const SIZES = [3, 0, 1, 300, 0, 2, 70, 5000, 1];

function messageOf(bytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => i * 31 + seed);
}

function batchOf(framing: Framing, ...chunks: Uint8Array[]): Batch[] {
  const decoder = framing.decoder();
  return chunks.map((chunk) => {
    const batch = new Batch();
    decoder.decodeInto!(batch, chunk);
    return batch;
  });
}

const FRAMINGS: Framing[] = [
  lengthPrefix(),
  lengthPrefix({ bytes: 2, endian: "little", offset: 3, strip: 1 }),
  lengthPrefix({ bytes: 8, includesHeader: true }),
  varint(),
  gobUvarint(),
];
for (const framing of FRAMINGS) {
  Deno.test(`Decoder.decodeInto() gives the messages of decode(), wherever the stream is cut: ${framing.name}`, () => {
    const messages = SIZES.map((bytes, seed) => messageOf(bytes + 4, seed));
    const stream = Uint8Array.from(messages.flatMap((message) => [...framing.encode(message)]));
    const expected = framing.decoder().decode(stream);
    for (let cut = 0; cut <= stream.length; cut += cut < 400 || cut > 5_350 ? 1 : 97) {
      const batches = batchOf(framing, stream.slice(0, cut), stream.slice(cut));
      assertEquals(batches.flatMap((batch) => [...batch]), expected, `cut at ${cut}`);
      assertEquals(
        batches.map((batch) => batch.byteLength),
        batches.map((batch) => [...batch].reduce((sum, { length }) => sum + length, 0)),
      );
    }
  });
}

Deno.test("Batch.at() counts from the start, or from the end, and gives undefined beyond", () => {
  const framing = lengthPrefix({ bytes: 1 });
  const [first, batch] = batchOf(
    framing,
    new Uint8Array([2, 65]),
    new Uint8Array([66, 1, 67, 0, 2, 68, 69]),
  );
  assertEquals(first.length, 0);
  assertEquals(batch.length, 4);
  assertEquals([0, 1, 2, 3].map((i) => [...batch.at(i)!]), [[65, 66], [67], [], [68, 69]]);
  assertEquals([-1, -4].map((i) => [...batch.at(i)!]), [[68, 69], [65, 66]]);
  assertEquals([4, -5, 100].map((i) => batch.at(i)), [undefined, undefined, undefined]);
});

Deno.test("Decoder.decodeInto() gives the messages before an error, and then the error for ever", () => {
  const decoder = lengthPrefix({ bytes: 1, maxMessageBytes: 3 }).decoder();
  const batch = new Batch();
  const bad = new Uint8Array([1, 65, 2, 66, 67, 4, 0, 0, 0, 0]);
  assertThrows(() => decoder.decodeInto!(batch, bad), MessageTooLargeError);
  assertEquals([...batch].map((message) => [...message]), [[65], [66, 67]]);
  assertThrows(() => decoder.decodeInto!(new Batch(), new Uint8Array([0])), MessageTooLargeError);
  assertThrows(() => decoder.decode(new Uint8Array([0])), MessageTooLargeError);
});

Deno.test("Decoder.decodeInto() and decode() may take turns", () => {
  const framing = lengthPrefix({ bytes: 1 });
  const decoder = framing.decoder();
  assertEquals(decoder.decode(new Uint8Array([1, 65, 2, 66])), [new Uint8Array([65])]);
  const batch = new Batch();
  decoder.decodeInto!(batch, new Uint8Array([67, 1, 68, 2]));
  assertEquals([...batch].map((message) => [...message]), [[66, 67], [68]]);
  assertEquals(decoder.decode(new Uint8Array([69, 70])), [new Uint8Array([69, 70])]);
});

Deno.test("Decoder.decodeInto() finds more messages in a chunk than ever before", () => {
  const [batch] = batchOf(lengthPrefix({ bytes: 1 }), new Uint8Array(100_000));
  assertEquals(batch.length, 100_000);
  assertEquals([batch.byteLength, batch.at(99_999)!.length], [0, 0]);
});

Deno.test("Batch.recycle() gives its chunk back once, and empties the batch", () => {
  const given: Uint8Array[] = [];
  const decoder = lengthPrefix({ bytes: 1 }).decoder({
    ...KEPT_BLOCKS,
    recycle: (chunk) => given.push(chunk),
  });
  const batch = new Batch();
  const chunk = new Uint8Array([1, 65, 1]);
  decoder.decodeInto!(batch, chunk);
  {
    using scoped = batch;
    assertEquals(scoped.length, 1);
  }
  batch.recycle();
  assertEquals(given, [chunk]);
  assertEquals([batch.length, batch.byteLength, batch.at(0), [...batch]], [0, 0, undefined, []]);
});

Deno.test("Batch.recycle() keeps the chunk when the decoder still needs the end of it", () => {
  const given: Uint8Array[] = [];
  const framing = lengthPrefix();
  const decoder = framing.decoder({ ...KEPT_BLOCKS, recycle: (chunk) => given.push(chunk) });
  const message = messageOf(20_000, 7);
  const stream = Uint8Array.from([
    ...framing.encode(new Uint8Array(9)),
    ...framing.encode(message),
  ]);
  const batch = new Batch();
  decoder.decodeInto!(batch, stream.slice(0, 15_000));
  assertEquals(batch.length, 1);
  batch.recycle();
  assertEquals(given, []);
  assertEquals(decoder.decode(stream.slice(15_000)), [message]);
});

Deno.test("a block is used again when all of its parts were given back, and not before", () => {
  const block = takeBlock();
  const parts = [[0, 1], [1, 40_000], [40_000, 65_536]].map(([from, to]) =>
    block.subarray(from, to)
  );
  recycle(parts[1]);
  recycle(parts[0]);
  const other = takeBlock();
  assertEquals(other.buffer === block.buffer, false);
  recycle(parts[2]);
  const again = takeBlock();
  assertEquals(again.buffer === block.buffer, true);
  assertEquals(again.length, 65_536);
});

Deno.test("framings whose messages are not views of their chunks have no decodeInto()", () => {
  assertEquals(none().decoder().decodeInto, undefined);
});
