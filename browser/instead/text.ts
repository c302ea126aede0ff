/** Text in a page: it is not for terminals, so that few characters are dangerous. */

const unprintable = /(?!\t)\p{C}/gu;

/** Shows characters that are not seen, or that turn others around, by their number. */
export function printable(text: string): string {
  return text.replace(unprintable, (it) => `\\u{${it.codePointAt(0)!.toString(16)}}`);
}

/** A text without what ends its last line. */
export function withoutLineEnd(text: string): string {
  return text.replace(/^\ufeff|[\r\n]+$/g, "");
}

/** Bytes as a quoted text; empty if they are none. */
export function quoted(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 200)).trim();
  return text === "" || /[\p{C}\ufffd]/u.test(text) ? "" : ` "${text}"`;
}
