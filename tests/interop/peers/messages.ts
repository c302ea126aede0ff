/** The messages that every peer makes from the same seed. README.md tells how. */

const POOL_SIZE = 100_000;
const ALPHABET = [..."abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ.,?éßñЖλ€漢語"];

/** The first `count` messages of `seed`, as long as `framing` can say. */
export function* messages(framing: string, seed: number, count: number): Generator<Uint8Array> {
  const draw = drawing(seed);
  const pool = Uint8Array.from({ length: POOL_SIZE }, () => draw(256));
  const slice = slicing(framing, pool);
  const longest = longestSize(framing);
  for (let index = 0; index < count; index++) {
    const size = index === 0 ? 0 : index === 1 ? longest : draw(sizeBound(draw(100), longest) + 1);
    const offset = draw(POOL_SIZE - size + 1);
    yield slice(offset, offset + size);
  }
}

function drawing(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state >>> 8) * bound / 2 ** 24);
  };
}

function slicing(framing: string, pool: Uint8Array): (start: number, end: number) => Uint8Array {
  if (framing !== "line" && framing !== "varint") return (start, end) => pool.slice(start, end);
  const text = Array.from(pool, (byte) => ALPHABET[byte % 64]).join("");
  const encoder = new TextEncoder();
  return (start, end) => encoder.encode(text.slice(start, end));
}

function longestSize(framing: string): number {
  if (framing === "u8") return 255;
  if (framing.startsWith("u16")) return 65_535;
  return framing === "line" || framing === "varint" ? 60_000 : 70_000;
}

function sizeBound(roll: number, longest: number): number {
  return Math.min(longest, roll < 1 ? longest : roll < 10 ? 2000 : 60);
}
