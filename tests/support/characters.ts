/** Texts by chance, for properties. */

import fc from "fast-check";

/**
 * A character: any code point but halves of surrogate pairs. fast-check's own unit `"binary"` gives the same, but
 * lists all of them each time it is made, which takes half a second.
 */
export const character: fc.Arbitrary<string> = fc.oneof(
  fc.integer({ min: 0, max: 0xd7ff }),
  fc.integer({ min: 0xe000, max: 0x10ffff }),
).map((code) => String.fromCodePoint(code));
