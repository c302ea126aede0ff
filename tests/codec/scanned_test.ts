/** What the framings whose frames are scanned hold in memory, and how long they take. */

import { assert, assertEquals } from "@std/assert";
import { concat, equals } from "@std/bytes";
import {
  berTlv,
  cobs,
  type Framing,
  jsonSequence,
  jsonStream,
  resp2,
  resp3,
  slip,
} from "../../codec.ts";
import { SHARED_BLOCKS } from "../../internal/memory.ts";
import { allocatedBytes, cutAt, decodeAll, heldBytes, hex, utf8 } from "../support/bytes.ts";

const MiB = 1024 * 1024;

/** A framing, and a message of about so many bytes. */
const SUBJECTS: [framing: Framing, message: (bytes: number) => Uint8Array][] = [
  [slip(), (bytes) => new Uint8Array(bytes).fill(0x61)],
  [cobs(), (bytes) => new Uint8Array(bytes).map((_, at) => at % 100)],
  [jsonStream(), (bytes) => utf8(JSON.stringify("a".repeat(bytes - 2)))],
  [jsonSequence(), (bytes) => utf8(JSON.stringify(["a".repeat(bytes - 4)]))],
  [berTlv(), (bytes) => concat([hex("04 83 "), sizeOf(bytes), new Uint8Array(bytes)])],
  [
    berTlv(),
    (bytes) => concat([hex("24 80 04 83"), sizeOf(bytes), new Uint8Array(bytes), hex("0000")]),
  ],
  [resp2(), (bytes) => utf8(`$${bytes}\r\n${"a".repeat(bytes)}\r\n`)],
  [resp3(), (bytes) => utf8(`*2\r\n:1\r\n+${"a".repeat(bytes)}\r\n`)],
];

function sizeOf(bytes: number): Uint8Array {
  return Uint8Array.of(bytes >> 16, bytes >> 8, bytes);
}

for (const [index, [framing, make]] of SUBJECTS.entries()) {
  const name = `${index + 1}: ${framing.name}`;

  Deno.test(`${name} gathers 65536 chunks of one byte in linear time and memory`, () => {
    const [small, large] = [65_536, 131_072].map((bytes) => {
      const message = make(bytes);
      const frame = framing.encode(message);
      const chunks = Array.from(frame, (_, at) => frame.slice(at, at + 1));
      const started = performance.now();
      let messages: Uint8Array[] = [];
      const allocated = allocatedBytes(() => messages = decodeAll(framing, chunks));
      assertEquals(messages.length, 1);
      assert(equals(messages[0], message));
      assert(allocated < 2 * bytes + MiB, `${allocated} bytes`);
      assert(performance.now() - started < 30_000, `${performance.now() - started} ms`);
      return allocated;
    });
    assert(large < 2 * small + MiB / 4, `${small}, then ${large} bytes`);
  });

  Deno.test(`${name} holds what arrived and 16 KiB`, () => {
    const frame = framing.encode(make(32_768)).subarray(0, 32_000);
    const decoder = framing.decoder();
    const chunks = Array.from(frame, (_, at) => frame.slice(at, at + 1));
    const allocated = allocatedBytes(() => chunks.forEach((chunk) => decoder.decode(chunk)));
    assert(allocated <= decoder.pendingBytes + 16_384 + 64, `${allocated} bytes`);
    assertEquals(decoder.pendingBytes, frame.length);
  });

  Deno.test(`${name} copies a message of large chunks once, and gives the chunks back`, () => {
    const message = make(4 * MiB);
    const frame = framing.encode(message);
    const chunks = cutAt(frame, ...Array.from({ length: 63 }, (_, i) => (i + 1) * 65_536));
    const recycled: Uint8Array[] = [];
    const decoder = framing.decoder({ ...SHARED_BLOCKS, recycle: (chunk) => recycled.push(chunk) });
    const messages: Uint8Array[] = [];
    const allocated = allocatedBytes(() => {
      for (const chunk of chunks) decoder.decode(chunk, messages);
    });
    assert(allocated <= frame.length + 4096, `${allocated} bytes for ${frame.length}`);
    assertEquals(recycled.length, 63); // The last one may hold more messages.
    for (const chunk of recycled) chunk.fill(0);
    assert(equals(messages[0], message));
  });

  Deno.test(`${name} holds a few bytes of an unfinished frame, not the chunk around them`, () => {
    const decoders = Array.from({ length: 32 }, () => framing.decoder());
    const frame = framing.encode(make(5000));
    const stream = concat([...Array.from({ length: 100 }, () => frame), frame.subarray(0, 4200)]);
    const held = heldBytes(() => {
      for (const decoder of decoders) assertEquals(decoder.decode(stream.slice()).length, 100);
      return decoders;
    });
    assert(held < 32 * (4200 + 16_384) + MiB, `${held} bytes`);
  });
}

Deno.test("jsonStream() holds what arrived, and a byte for each level", () => {
  const held = heldBytes(() => {
    const decoder = jsonStream({ maxDepth: 1_000_000 }).decoder();
    const chunk = utf8("[".repeat(1000));
    for (let i = 0; i < 1000; i++) decoder.decode(chunk.slice());
    assertEquals(decoder.pendingBytes, 1_000_000);
    return decoder;
  });
  assert(held < 2_400_000, `${held} bytes`);
});

Deno.test("resp3() holds what arrived, and 9 bytes for each level, doubled while it grows", () => {
  const held = heldBytes(() => {
    const decoder = resp3({ maxDepth: 1_000_000 }).decoder();
    const chunk = utf8("*1\r\n".repeat(250));
    for (let i = 0; i < 1000; i++) decoder.decode(chunk.slice());
    assertEquals(decoder.pendingBytes, 1_000_000);
    return decoder;
  });
  assert(held < 1_000_000 + 18 * 250_000 + 500_000, `${held} bytes`);
});
