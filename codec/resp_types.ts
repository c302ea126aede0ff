/** The types of values in Redis' protocol: what their first byte means. */

/** The type of a string. */
export const DOLLAR = 0x24;
/** The type of an array. */
export const ASTERISK = 0x2a;

/** What the first byte of a value means. */
export type Role =
  | "line" // the value is one line
  | "bytes" // a length, then bytes
  | "items" // a number of values, then the values
  | "pairs" // a number of pairs
  | "attribute" // a number of pairs, then the value that they belong to
  | "push" // items, but not in another value
  | "part" // of a streamed string: a length, then bytes
  | "end"; // of a streamed array, set or map

/** What a first byte means; undefined if there is no such type. */
export function roleOf(byte: number, version: 2 | 3): Role | undefined {
  switch (byte) {
    case DOLLAR:
      return "bytes";
    case ASTERISK:
      return "items";
    case 0x2b: // +
    case 0x2d: // -
    case 0x3a: // :
      return "line";
  }
  if (version === 2) return undefined;
  switch (byte) {
    case 0x23: // #
    case 0x28: // (
    case 0x2c: // ,
    case 0x5f: // _
      return "line";
    case 0x21: // !
    case 0x3d: // =
      return "bytes";
    case 0x7e: // ~
      return "items";
    case 0x25: // %
      return "pairs";
    case 0x7c: // |
      return "attribute";
    case 0x3e: // >
      return "push";
    case 0x3b: // ;
      return "part";
    case 0x2e: // .
      return "end";
  }
}

/** Whether values of a type may come without a length. */
export function mayStream(type: number): boolean {
  return type === DOLLAR || type === ASTERISK || type === 0x7e || type === 0x25; // ~ %
}
