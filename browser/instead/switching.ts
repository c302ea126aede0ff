/** Switching the framing in a page. */

/** Refuses to switch. */
export function switchFraming(): never {
  throw new TypeError("Cannot switch framing in a page: a WebSocket keeps its framing");
}
