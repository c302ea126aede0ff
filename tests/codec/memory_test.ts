import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, equals } from "@std/bytes";
import {
  type Decoder,
  type Framing,
  framing,
  lengthPrefix,
  MessageTooLargeError,
} from "../../codec.ts";
import { Gather } from "../../codec/gather.ts";
import { SHARED_BLOCKS } from "../../internal/memory.ts";
import { type KindRow, KINDS } from "./kinds.ts";
import { allocatedBytes, byteByByte, cutAt, decodeAll, heldBytes, hex } from "../support/bytes.ts";

const MiB = 1024 * 1024;
/** Where a header is kept that straddles chunks. */
const MAX_HEADER_BYTES = 10;
/** What a decoder has of its own: a header, or the end of what is gathered. */
const MAX_DECODER_BYTES = 512;

Deno.test("Decoder.decode() checks the limit before it allocates for the body", () => {
  for (
    const [name, header] of [
      ["u16be", "ffff"],
      ["u24be", "ffffff"],
      ["u32be", "ffffffff"],
      ["u32be", "80000000"],
      ["u32le", "000000ff"],
      ["u64be", "0001000000000000"],
      ["varint", "ffffff7f"],
    ] as const
  ) {
    const limited = framing(name, { maxMessageBytes: 1000 });
    for (const chunks of [[hex(header)], byteByByte(hex(header))]) {
      const decoder = limited.decoder();
      const allocated = allocatedBytes(() => {
        assertThrows(() => chunks.forEach((chunk) => decoder.decode(chunk)), MessageTooLargeError);
      });
      assert(allocated <= MAX_HEADER_BYTES, `${name}: ${allocated} bytes`);
    }
  }
});

Deno.test("Decoder.decode() allocates for what arrived, not for what a header promises", () => {
  for (
    const [name, header] of [
      ["u24be", "ffffff"],
      ["u32be", "01000000"],
      ["u32le", "00000001"],
      ["u64be", "0000000001000000"],
      ["varint", "80808008"],
    ] as const
  ) {
    const decoder = framing(name).decoder();
    const chunks = [hex(header), new Uint8Array(1000)];
    const allocated = allocatedBytes(() => chunks.forEach((chunk) => decoder.decode(chunk)));
    assert(allocated <= 2048, `${name}: ${allocated} bytes`);
    assertEquals(decoder.pendingBytes, hex(header).length + 1000);
  }
});

Deno.test("Decoder.decode() gathers 131072 chunks of one byte in linear time and memory", () => {
  for (const name of ["u32be", "varint", "line"] as const) {
    const [small, large] = [131_072, 262_144].map((bytes) => {
      const message = new Uint8Array(bytes).fill(0x61);
      const frame = framing(name).encode(message);
      const chunks = Array.from(frame, (_, at) => frame.subarray(at, at + 1));
      const started = performance.now();
      let messages: Uint8Array[] = [];
      const allocated = allocatedBytes(() => messages = decodeAll(framing(name), chunks));
      assertEquals(messages.length, 1);
      assert(equals(messages[0], message));
      assert(allocated < 2 * bytes + MiB, `${name}: ${allocated} bytes`);
      assert(performance.now() - started < 30_000, `${name}: ${performance.now() - started} ms`);
      return allocated;
    });
    assert(large < 2 * small + MiB / 4, `${name}: ${small}, then ${large} bytes`);
  }
});

Deno.test("Decoder.decode() holds what arrived and 16 KiB, when chunks are of one byte", () => {
  for (const name of ["u32be", "varint", "line"] as const) {
    const frame = framing(name).encode(new Uint8Array(32_768).fill(0x61)).subarray(0, -1);
    const chunks = Array.from(frame, (_, at) => frame.subarray(at, at + 1));
    const decoder = framing(name).decoder();
    const allocated = allocatedBytes(() => chunks.forEach((chunk) => decoder.decode(chunk)));
    const limit = decoder.pendingBytes + 16_384 + MAX_HEADER_BYTES;
    assert(allocated <= limit, `${name}: ${allocated} bytes`);

    const held = heldBytes(() => {
      const another = framing(name).decoder();
      for (const chunk of chunks) another.decode(chunk.slice());
      return another;
    });
    assert(held <= decoder.pendingBytes + MiB / 2, `${name}: ${held} bytes`);
  }
});

/** A frame of about so many bytes, and its framing. */
function largeFrame({ make, forSize, carried }: KindRow, bytes: number): [Framing, Uint8Array] {
  const framed = forSize?.(bytes) ?? make();
  const any = new Uint8Array(bytes).fill(0x61);
  const message = forSize === undefined ? carried?.(any) ?? any : any;
  return [framed, framed.encode(message)];
}

for (const row of KINDS) {
  Deno.test(`framing("${row.text}") holds what arrived and 16 KiB, whatever the chunks are`, () => {
    if (row.make().maxMessageBytes < 40_000) return; // Its largest frame may be smaller than that.
    const [framed, encoded] = largeFrame(row, 32_768);
    const isLate = row.except?.["last byte"] !== undefined; // The message is whole before.
    const frame = isLate ? encoded.subarray(0, -1) : encoded;
    for (const size of [1, 100, 5000]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < frame.length; at += size) chunks.push(frame.slice(at, at + size));
      const last = chunks.pop()!;
      const decoder = framed.decoder();
      const allocated = allocatedBytes(() => chunks.forEach((chunk) => decoder.decode(chunk)));
      const limit = decoder.pendingBytes + 16_384 + MAX_DECODER_BYTES;
      assert(allocated <= limit, `chunks of ${size}: ${allocated} bytes`);
      if (isLate) continue;
      const [message] = decoder.decode(last);
      assertEquals(framed.encode(message), frame);
      assertEquals(decoder.pendingBytes, 0);
    }
  });
}

Deno.test("Decoder.readTarget() makes it hold the bytes asked for, or four times what arrived, and no more", () => {
  const READ = 65_536;
  // What arrived, the size of its frame, and whether it is to be read straight into its place.
  const cases = [
    [7, 65_284, true],
    [7, READ, true],
    [7, READ + 1, false],
    [300_000, 1_048_580, true],
    [300_000, 1_200_000, true],
    [300_000, 1_200_001, false],
    [20_000, 27_000, false], // Its end is near.
  ] as const;
  for (const name of ["u32be", "varint"] as const) {
    for (const [arrived, total, isPlaced] of cases) {
      const header = framing(name).encode(new Uint8Array(total)).length - total;
      const frame = framing(name).encode(new Uint8Array(total - header));
      const decoder = framing(name).decoder();
      const decoded = allocatedBytes(() => decoder.decode(frame.subarray(0, arrived)));
      assert(decoded <= arrived + 16_384, `${name}: ${decoded} bytes for ${arrived}`);
      let target: Uint8Array | undefined;
      const held = allocatedBytes(() => target = decoder.readTarget!(READ));
      assertEquals([target?.length, held], isPlaced ? [total - arrived, total] : [undefined, 0]);
      assert(held <= Math.max(READ, 4 * arrived), `${name}: ${held} bytes for ${arrived}`);
    }
  }
});

Deno.test("Decoder.decode() copies a message of large chunks once", () => {
  const frame = framing("u32be").encode(new Uint8Array(4 * MiB).fill(0x61));
  const chunks = cutAt(frame, ...Array.from({ length: 63 }, (_, i) => (i + 1) * 65_536));
  let messages: Uint8Array[] = [];
  const allocated = allocatedBytes(() => messages = decodeAll(framing("u32be"), chunks));
  assertEquals(messages[0].length, 4 * MiB);
  assert(allocated <= 4 * MiB + 1024, `${allocated} bytes`);
});

Deno.test("Decoder.decode() holds what arrived, also when chunks are small and large in turn", () => {
  const decoder = framing("u32be").decoder();
  const held = heldBytes(() => {
    decoder.decode(hex("00800000")); // 8 MiB are to come, half of them do
    while (decoder.pendingBytes < 4 * MiB) {
      decoder.decode(new Uint8Array(1));
      decoder.decode(new Uint8Array(4096));
    }
    return decoder;
  });
  assert(held < decoder.pendingBytes + MiB, `${held} bytes`);
});

Deno.test("Decoder.decode() holds what arrived for an unfinished frame, not the chunk around it", () => {
  const decoders = Array.from({ length: 32 }, () => framing("u32be").decoder());
  const held = heldBytes(() => {
    for (const decoder of decoders) {
      const chunk = new Uint8Array(MiB); // one message, then the first 4096 bytes of another
      chunk.set(hex("000feffc"));
      chunk.set(hex("00010000"), MiB - 4096);
      assertEquals(decoder.decode(chunk).length, 1);
    }
    return decoders;
  });
  assertEquals(decoders.reduce((sum, decoder) => sum + decoder.pendingBytes, 0), 32 * 4096);
  assert(held < 32 * (4096 + 16_384) + MiB, `${held} bytes`);
});

Deno.test("Decoder holds little when only the largest legal header has come", () => {
  const headers: [Framing, string][] = [
    [framing("u8"), "ff"],
    [framing("u16be"), "ffff"],
    [framing("u16le"), "ffff"],
    [framing("u24be"), "ffffff"],
    [framing("u32be"), "01000000"],
    [framing("u32le"), "00000001"],
    [framing("u64be"), "0000000001000000"],
    [framing("varint"), "80808008"],
    [lengthPrefix({ offset: 8 }), "cafebabecafebabe 01000000"],
  ];
  for (const [framed, header] of headers) {
    const ways = [[hex(header)], byteByByte(hex(header))];
    const decoders: Decoder[] = [];
    const allocated = allocatedBytes(() => {
      for (let i = 0; i < 10_000; i++) {
        const decoder = framed.decoder();
        for (const chunk of ways[i % 2]) decoder.decode(chunk);
        decoders.push(decoder);
      }
    });
    assert(decoders.every((decoder) => decoder.pendingBytes === ways[0][0].length));
    assert(allocated < 10_000 * 512, `${framed.name}: ${allocated} bytes`);
  }
});

Deno.test("Decoder drops what it gathered when it is spent", () => {
  const decoder = framing("u32be").decoder();
  decoder.decode(hex("00000010 6869"));
  assertEquals(decoder.pendingBytes, 6);
  assertThrows(() => decoder.end());
  assertEquals(decoder.pendingBytes, 0);
});

Deno.test("Gather.take() puts pieces of any size together, in order", () => {
  const sizes = [1, 255, 256, 4095, 4096, 1, 16_384, 0, 70_000, 3, 4097, 12];
  const pieces = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
  const whole = concat(pieces);
  for (const skip of [0, 1, 2, 300, 9000, whole.length]) {
    const gather = new Gather();
    for (const piece of pieces.slice(0, -1)) gather.push(piece);
    assertEquals(gather.bytes, whole.length - 12);
    assertEquals(gather.take(skip, pieces[pieces.length - 1]), whole.slice(skip));
    assertEquals(gather.bytes, 0);
    assertEquals(gather.take(0, hex("01")), hex("01"));
  }
});

Deno.test("Gather.clear() drops everything", () => {
  const gather = new Gather();
  gather.push(new Uint8Array(5000));
  gather.push(new Uint8Array(5));
  gather.clear();
  assertEquals(gather.bytes, 0);
  assertEquals(gather.take(0, hex("")), hex(""));
});

Deno.test("Decoder.decode() gives chunks back of which nothing is needed any more, and no others", () => {
  for (const name of ["u32be", "varint", "line"] as const) {
    const frame = framing(name).encode(new Uint8Array(30_000).fill(0x61));
    const two = new Uint8Array([...frame, ...frame]);
    const chunks = [two.slice(0, 10_000), two.slice(10_000, 20_000), two.slice(20_000)];
    const recycled: Uint8Array[] = [];
    const decoder = framing(name).decoder({
      ...SHARED_BLOCKS,
      recycle: (chunk) => recycled.push(chunk),
    });
    const messages = chunks.flatMap((chunk) => decoder.decode(chunk));
    // The last chunk holds the end of one message and all of the next, which is a view of it.
    assertEquals(recycled, chunks.slice(0, 2), name);
    for (const chunk of recycled) chunk.fill(0);
    assertEquals(messages.length, 2);
    assert(messages.every((message) => message.every((byte) => byte === 0x61)), name);
  }
});
