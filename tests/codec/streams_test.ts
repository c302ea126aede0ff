import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { concat } from "@std/bytes";
import {
  decode,
  decodeBatches,
  DecoderStream,
  EncoderStream,
  framing,
  FRAMING_NAMES,
  MessageTooLargeError,
  TruncatedMessageError,
} from "../../codec.ts";
import { byteByByte, encodeAll, everyCut, hex, texts, utf8 } from "../support/bytes.ts";

const u8 = framing("u8");
const limited = framing("u8", { maxMessageBytes: 5 });

/** Chunks that come one by one, and a note when the reader lets go of them. */
function chunksOf(...chunks: Uint8Array[]) {
  const log = { taken: 0, returned: false };
  async function* generate() {
    try {
      for (const chunk of chunks) {
        log.taken++;
        yield await Promise.resolve(chunk);
      }
    } finally {
      log.returned = true;
    }
  }
  return { chunks: generate(), log };
}

/** A stream of one chunk again and again, which notes what was pulled and why it was cancelled. */
function endless(chunk: Uint8Array) {
  const log: { pulled: number; cancelled?: { reason: unknown } } = { pulled: 0 };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      log.pulled++;
      controller.enqueue(chunk.slice());
    },
    cancel(reason) {
      log.cancelled = { reason };
    },
  }, { highWaterMark: 0 });
  return { stream, log };
}

/** A stream of these chunks; `ReadableStream.from` is not everywhere. */
function streamOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

/** Reads to the end or to the error. */
async function readAll<T>(source: AsyncIterable<T>): Promise<{ items: T[]; error?: unknown }> {
  const items: T[] = [];
  try {
    for await (const item of source) items.push(item);
    return { items };
  } catch (error) {
    return { items, error };
  }
}

Deno.test("decode() yields messages one by one, for every framing and at every cut", async () => {
  const messages = [utf8("HELLO"), utf8(""), utf8("hi")];
  for (const name of FRAMING_NAMES) {
    const frames = encodeAll(framing(name), messages);
    for (const chunks of [...everyCut(frames), byteByByte(frames)]) {
      const { items, error } = await readAll(decode(chunks, framing(name)));
      assertEquals(error, undefined);
      if (name === "none") assertEquals(concat(items), utf8("HELLOhi"));
      else assertEquals(texts(items), ["HELLO", "", "hi"]);
    }
  }
});

Deno.test("decode() takes iterables, async iterables and streams", async () => {
  const chunks = [hex("0161 02"), hex("6263")];
  for (const source of [chunks, chunksOf(...chunks).chunks, streamOf(...chunks)]) {
    assertEquals(texts((await readAll(decode(source, u8))).items), ["a", "bc"]);
  }
  assertEquals(await readAll(decode([], u8)), { items: [] });
});

Deno.test("decodeBatches() yields one array for each chunk that completed a message", async () => {
  const chunks = [hex("0161 0162 02"), hex("63"), hex("64 00"), hex("")];
  const { items } = await readAll(decodeBatches(chunks, u8));
  assertEquals(items.map(texts), [["a", "b"], ["cd", ""]]);
});

Deno.test("decodeBatches() yields the last line without its newline", async () => {
  const { items } = await readAll(decodeBatches([utf8("a\nb")], framing("line")));
  assertEquals(items.map(texts), [["a"], ["b"]]);
});

Deno.test("decode() yields the messages before an error, then throws it", async () => {
  const { chunks, log } = chunksOf(hex("0161"), hex("0162 0163 06"), hex("0164"));
  const { items, error } = await readAll(decode(chunks, limited));
  assertEquals(texts(items), ["a", "b", "c"]);
  assert(error instanceof MessageTooLargeError);
  assertEquals(log, { taken: 2, returned: true });
});

Deno.test("decode() yields the messages before a cut end, then throws", async () => {
  const { items, error } = await readAll(decode([hex("0161 0262")], u8));
  assertEquals(texts(items), ["a"]);
  assert(error instanceof TruncatedMessageError);
  assertEquals([error.received, error.missing], [2, 1]);
});

Deno.test("decode() throws the error of its source as it is", async () => {
  const cause = new Error("the disk is gone");
  async function* failing() {
    yield await Promise.resolve(hex("0161 02"));
    throw cause;
  }
  const { items, error } = await readAll(decode(failing(), u8));
  assertEquals(texts(items), ["a"]);
  assertStrictEquals(error, cause);
});

Deno.test("decode() lets go of its source when the reader breaks off", async () => {
  const { chunks, log } = chunksOf(hex("0161 0162"), hex("0163"));
  for await (const message of decode(chunks, u8)) {
    assertEquals(message, utf8("a"));
    break;
  }
  assertEquals(log, { taken: 1, returned: true });
});

Deno.test("DecoderStream turns chunks into messages, for every framing", async () => {
  const messages = [utf8("HELLO"), utf8(""), utf8("hi")];
  for (const name of FRAMING_NAMES) {
    const chunks = byteByByte(encodeAll(framing(name), messages));
    const stream = streamOf(...chunks).pipeThrough(new DecoderStream(framing(name)));
    const { items, error } = await readAll(stream);
    assertEquals(error, undefined);
    if (name === "none") assertEquals(concat(items), utf8("HELLOhi"));
    else assertEquals(texts(items), ["HELLO", "", "hi"]);
  }
});

Deno.test("DecoderStream hands over the last line without its newline", async () => {
  const stream = streamOf(utf8("a\nb")).pipeThrough(new DecoderStream(framing("line")));
  assertEquals(texts((await readAll(stream)).items), ["a", "b"]);
});

Deno.test("DecoderStream hands over the messages before an error, then the error", async () => {
  for (const chunks of [[hex("0161 0162 06")], [hex("0161"), hex("0162"), hex("06"), hex("07")]]) {
    const stream = streamOf(...chunks).pipeThrough(new DecoderStream(limited));
    const { items, error } = await readAll(stream);
    assertEquals(texts(items), ["a", "b"]);
    assert(error instanceof MessageTooLargeError);
  }
});

Deno.test("DecoderStream hands over the messages before a cut end, then the error", async () => {
  const stream = streamOf(hex("0161 0262")).pipeThrough(new DecoderStream(u8));
  const { items, error } = await readAll(stream);
  assertEquals(texts(items), ["a"]);
  assert(error instanceof TruncatedMessageError);
});

Deno.test("DecoderStream cancels what is piped into it after an error", async () => {
  const { stream, log } = endless(hex("0161 06"));
  const { error } = await readAll(stream.pipeThrough(new DecoderStream(limited)));
  assert(error instanceof MessageTooLargeError);
  assert(log.cancelled !== undefined);
});

Deno.test("DecoderStream reads no further than it must", async () => {
  const { stream, log } = endless(hex("0161 0162 0163"));
  const reader = stream.pipeThrough(new DecoderStream(u8)).getReader();
  for (const text of ["a", "b", "c"]) assertEquals((await reader.read()).value, utf8(text));
  assert(log.pulled <= 3, `${log.pulled} chunks`);
  await reader.cancel();
});

Deno.test("DecoderStream hands on an error of its source", async () => {
  const { readable, writable } = new DecoderStream(u8);
  const writer = writable.getWriter();
  const cause = new Error("the cable is gone");
  const reader = readable.getReader();
  const [first] = await Promise.all([reader.read(), writer.write(hex("0161"))]);
  assertEquals(first.value, utf8("a"));
  const pending = reader.read();
  await writer.abort(cause);
  assertStrictEquals(await assertRejects(() => pending), cause);
});

Deno.test("DecoderStream cancels its source when it is cancelled after a message", async () => {
  const { stream, log } = endless(hex("0161 0162"));
  const reader = stream.pipeThrough(new DecoderStream(u8)).getReader();
  await reader.read();
  await reader.cancel();
  assert(log.cancelled !== undefined);
});

Deno.test("DecoderStream cancels its source when it is cancelled before the first read", async () => {
  const { readable, writable } = new DecoderStream(u8);
  const writer = writable.getWriter();
  await readable.cancel(new Error("enough"));
  await assertRejects(() => writer.write(hex("0161")));
});

Deno.test("DecoderStream cancels its source when it is cancelled while a read waits", async () => {
  const { readable, writable } = new DecoderStream(u8);
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const [first] = await Promise.all([reader.read(), writer.write(hex("0161"))]);
  assertEquals(first.value, utf8("a"));
  const pending = reader.read();
  await writer.ready;
  await reader.cancel(new Error("enough"));
  assertEquals((await pending).done, true);
  await assertRejects(() => writer.write(hex("0161")));
});

Deno.test("DecoderStream hands the reason of a cancellation on to its source", async () => {
  const { stream, log } = endless(hex("0161 0162"));
  const reader = stream.pipeThrough(new DecoderStream(u8)).getReader();
  await reader.read();
  const reason = new Error("enough");
  await reader.cancel(reason);
  assertStrictEquals(log.cancelled?.reason, reason);
});

Deno.test("EncoderStream turns messages into frames", async () => {
  const stream = streamOf(utf8("HELLO"), utf8(""), utf8("hi")).pipeThrough(new EncoderStream(u8));
  assertEquals((await readAll(stream)).items, [hex("05 48454c4c4f"), hex("00"), hex("02 6869")]);
});

Deno.test("EncoderStream hands over the frames before a message that it refuses", async () => {
  const messages = [utf8("a"), utf8("b"), new Uint8Array(256), utf8("c")];
  const stream = streamOf(...messages).pipeThrough(new EncoderStream(u8));
  const { items, error } = await readAll(stream);
  assertEquals(items, [hex("0161"), hex("0162")]);
  assert(error instanceof MessageTooLargeError);
});

Deno.test("EncoderStream cancels its source when it is cancelled", async () => {
  const { stream, log } = endless(utf8("a"));
  const reader = stream.pipeThrough(new EncoderStream(u8)).getReader();
  await reader.read();
  const reason = new Error("enough");
  await reader.cancel(reason);
  assertStrictEquals(log.cancelled?.reason, reason);
});

Deno.test("EncoderStream and DecoderStream give back what went in", async () => {
  const messages = Array.from({ length: 100 }, (_, i) => new Uint8Array(i).fill(0x61));
  for (const name of FRAMING_NAMES) {
    const stream = streamOf(...messages)
      .pipeThrough(new EncoderStream(framing(name)))
      .pipeThrough(new DecoderStream(framing(name)));
    const { items } = await readAll(stream);
    if (name === "none") assertEquals(concat(items), concat(messages));
    else assertEquals(items, messages);
  }
});
