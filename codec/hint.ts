/** Guesses what a peer speaks whose length prefix makes no sense. */

const HTTP = /^(GET |HEAD|POST|PUT |DELE|OPTI|PATC|CONN|TRAC|PRI )/;

/**
 * What the first bytes of a frame look like when they are no length: readable text, a TLS hello,
 * or the length in the other byte order. Undefined when there is nothing to say.
 */
export function hint(start: Uint8Array, swapped?: number, limit = 0): string | undefined {
  const first = start.subarray(0, 4);
  if (first[0] === 0x16 && first[1] === 0x03) return "it looks like a TLS hello";
  if (first.length === 4 && first.every(isTextByte)) {
    const text = String.fromCharCode(...first);
    const who = HTTP.test(text) ? "an HTTP request" : text === "SSH-" ? "SSH" : "text";
    return `it looks like ${who}, ${JSON.stringify(text)}`;
  }
  if (swapped !== undefined && swapped >= 0 && swapped <= limit) {
    return `in the other byte order it is ${swapped} bytes`;
  }
}

function isTextByte(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f || byte === 0x0d || byte === 0x0a || byte === 0x09;
}

/** A byte as a number, for errors: `0x0a`. */
export function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
