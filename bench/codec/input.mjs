/** The same bytes and the same clock for every codec, in Deno and in Node. */

const CHUNK_BYTES = 64 * 1024;
const PASS_BYTES = 4 * 1024 * 1024;

/**
 * A stream of messages of one size, cut into chunks of 64 KiB wherever that falls. Messages of 64 KiB
 * and their headers are longer than a chunk, so that every one straddles.
 *
 * @param {number} size Bytes of a message.
 * @param {(size: number) => number[]} header What stands before each.
 */
export function input(size, header) {
  return inputOf(Uint8Array.from([...header(size), ...new Uint8Array(size).fill(97)]));
}

/**
 * A stream of one frame again and again, cut into chunks of 64 KiB wherever that falls.
 *
 * @param {Uint8Array} frame
 */
export function inputOf(frame) {
  const messages = Math.floor(PASS_BYTES / frame.length);
  const stream = new Uint8Array(messages * frame.length);
  for (let i = 0; i < messages; i++) stream.set(frame, i * frame.length);
  /** @type {Uint8Array[]} */
  const chunks = [];
  for (let at = 0; at < stream.length; at += CHUNK_BYTES) {
    chunks.push(stream.slice(at, at + CHUNK_BYTES));
  }
  return { chunks, messages };
}

/** @param {number} size What to say in a canonical varint, which is what the npm codecs use. */
export function varintHeader(size) {
  const bytes = [];
  for (; size >= 0x80; size = Math.floor(size / 0x80)) bytes.push(size & 0x7f | 0x80);
  return [...bytes, size];
}

/** @param {number} size What to say in 32 bits. */
export function u32Header(size) {
  return [size >>> 24, size >>> 16 & 0xff, size >>> 8 & 0xff, size & 0xff];
}

/**
 * Repeats a pass for a while and gives messages per second. A pass says how many bytes of messages it
 * handled, which must be all: nothing may be optimized away, and nothing left out.
 *
 * @param {{ messages: number, bytes: number, duration: number }} expected
 * @param {() => number | Promise<number>} pass
 */
export async function perSecond({ messages, bytes, duration }, pass) {
  const start = performance.now();
  let passes = 0;
  for (; performance.now() - start < duration || passes === 0; passes++) {
    const result = pass();
    const handled = typeof result === "number" ? result : await result;
    if (handled !== bytes) throw new Error(`Cannot count: ${handled} of ${bytes} bytes`);
  }
  return messages * passes / ((performance.now() - start) / 1000);
}
