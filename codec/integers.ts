/** Whole numbers from 0 on, of a fixed width in bytes, as headers have them. */

/** The name of the integers of this width and order. One byte has no order. */
export function integerName(
  { bytes, endian }: { readonly bytes: number; readonly endian: "big" | "little" },
): string {
  return bytes === 1 ? "u8" : `u${8 * bytes}${endian === "big" ? "be" : "le"}`;
}

/** Reads an integer that begins at a place. Of those of 8 bytes, what is above 2^53 is not exact. */
export const READERS: Readonly<Record<string, (c: Uint8Array, at: number) => number>> = {
  u8: (c, at) => c[at],
  u16be: (c, at) => c[at] << 8 | c[at + 1],
  u16le: (c, at) => c[at + 1] << 8 | c[at],
  u24be: (c, at) => c[at] << 16 | c[at + 1] << 8 | c[at + 2],
  u24le: (c, at) => c[at + 2] << 16 | c[at + 1] << 8 | c[at],
  u32be: (c, at) => (c[at] << 24 | c[at + 1] << 16 | c[at + 2] << 8 | c[at + 3]) >>> 0,
  u32le: (c, at) => (c[at + 3] << 24 | c[at + 2] << 16 | c[at + 1] << 8 | c[at]) >>> 0,
  u64be: (c, at) => READERS.u32be(c, at) * 2 ** 32 + READERS.u32be(c, at + 4),
  u64le: (c, at) => READERS.u32le(c, at + 4) * 2 ** 32 + READERS.u32le(c, at),
};

/** Writes an integer at a place. */
export const WRITERS: Readonly<Record<string, (t: Uint8Array, at: number, n: number) => void>> = {
  u8: (t, at, n) => {
    t[at] = n;
  },
  u16be: (t, at, n) => {
    t[at] = n >>> 8;
    t[at + 1] = n;
  },
  u16le: (t, at, n) => {
    t[at] = n;
    t[at + 1] = n >>> 8;
  },
  u24be: (t, at, n) => {
    t[at] = n >>> 16;
    t[at + 1] = n >>> 8;
    t[at + 2] = n;
  },
  u24le: (t, at, n) => {
    t[at] = n;
    t[at + 1] = n >>> 8;
    t[at + 2] = n >>> 16;
  },
  u32be: (t, at, n) => {
    t[at] = n >>> 24;
    t[at + 1] = n >>> 16;
    t[at + 2] = n >>> 8;
    t[at + 3] = n;
  },
  u32le: (t, at, n) => {
    t[at] = n;
    t[at + 1] = n >>> 8;
    t[at + 2] = n >>> 16;
    t[at + 3] = n >>> 24;
  },
  u64be: (t, at, n) => {
    WRITERS.u32be(t, at, Math.floor(n / 2 ** 32));
    WRITERS.u32be(t, at + 4, n >>> 0);
  },
  u64le: (t, at, n) => {
    WRITERS.u32le(t, at, n >>> 0);
    WRITERS.u32le(t, at + 4, Math.floor(n / 2 ** 32));
  },
};
