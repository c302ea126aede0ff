/** Messages that are known to be text, as the ends of a WebSocket tell it from bytes. */

/** A constructor that gives back what it is given, so that a class can mark objects of others. */
class Given {
  constructor(value: object) {
    return value;
  }
}

/**
 * The mark is a private field: nobody sees it who compares, prints or copies a message, and it costs a
 * tenth of what a WeakSet does.
 */
class Marked extends Given {
  #mark = true;

  static has(value: object): boolean {
    return #mark in value;
  }
}

const EMPTY_TEXT = new Uint8Array(0);
new Marked(EMPTY_TEXT);

/**
 * Whether a message is known to be text: it came in a text message of WebSocket, or was marked. The
 * mark is that of the object: a copy or a part of it has none.
 */
export function isText(message: Uint8Array): boolean {
  return Marked.has(message);
}

/**
 * Marks a message as text, and gives it back, or another one where it is empty. It must be UTF-8; where
 * it is not when it is sent, it is sent as bytes. Only WebSocket tells the two apart.
 */
export function markText(message: Uint8Array): Uint8Array {
  // Decoders give the same one for each empty message, also for those that are bytes.
  if (message.length === 0) return EMPTY_TEXT;
  if (!Marked.has(message)) new Marked(message);
  return message;
}
